//! What is mailed to show that an address is somebody's: a link, and a code to type.
//!
//! Of each purpose an account has one at most. A link holds 32 random bytes, stored as
//! their hash; the code's six digits are stored under a key of the app's, so that who
//! reads the table cannot try them all, and five wrong ones void it: the code, and not the
//! link beside it, which nobody guesses. Otherwise who knows an address could keep its user
//! from ever opening one. Supabase Auth makes the link of the code; then a link is as weak as
//! six digits are.

use mainstay_core::{Timestamp, removal::removed};
use mainstay_mail::{MailKind, Variables};
use uuid::Uuid;

use crate::{
    CODE_ATTEMPTS_MAX, CodeContext, Identity, OpaqueId,
    account::Account,
    call::Call,
    generate_code,
    refusal::{AuthCode, AuthError, AuthResult, refused},
    rows::{Change, Query, Record, is},
    site_path::SitePath,
};

const TOKENS: &str = "mainstay_one_time_tokens";
const FIELDS: &[&str] = &[
    "id",
    "user",
    "purpose",
    "link_hash",
    "code_hash",
    "sent_to",
    "attempts",
    "expires_at",
    "flow",
];
/// What the link of a flow with a challenge begins with, as clients know it.
const FLOW_PREFIX: &str = "pkce_";

/// What a code or link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Confirmation,
    Recovery,
    EmailChangeCurrent,
    EmailChangeNew,
    Reauthentication,
}

impl Purpose {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Recovery => "recovery",
            Self::EmailChangeCurrent => "email_change_current",
            Self::EmailChangeNew => "email_change_new",
            Self::Reauthentication => "reauthentication",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let all = [
            Self::Confirmation,
            Self::Recovery,
            Self::EmailChangeCurrent,
            Self::EmailChangeNew,
            Self::Reauthentication,
        ];
        all.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// One that waits to be redeemed.
#[derive(Clone, Debug)]
pub(crate) struct OneTimeToken {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) purpose: Purpose,
    pub(crate) sent_to: String,
    pub(crate) flow: Option<Uuid>,
    code_hash: Vec<u8>,
    attempts: i64,
    expires_at: Option<Timestamp>,
}

/// One that was just made.
pub(crate) struct NewToken {
    pub(crate) link: String,
    pub(crate) code: String,
    pub(crate) changes: Vec<Change>,
}

/// What a mail is to say, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'l> {
    pub(crate) kind: MailKind,
    /// The word of the link's `type`.
    pub(crate) link_type: &'l str,
    pub(crate) purpose: Purpose,
    pub(crate) to: &'l str,
    pub(crate) redirect_to: Option<&'l str>,
    /// The page where whoever asked with a form ends, signed in with a cookie.
    pub(crate) next: Option<&'l SitePath>,
    pub(crate) flow: Option<Uuid>,
}

impl OneTimeToken {
    fn of(row: &Record) -> Option<Self> {
        Some(Self {
            id: row.uuid("id")?,
            user: row.uuid("user")?,
            purpose: Purpose::of(&row.text("purpose")?)?,
            sent_to: row.text("sent_to").unwrap_or_default(),
            flow: row.uuid("flow"),
            code_hash: row.bytes("code_hash").unwrap_or_default(),
            attempts: row.int("attempts").unwrap_or_default(),
            expires_at: row.time("expires_at"),
        })
    }

    /// Whether its link can still be redeemed.
    pub(crate) fn has_good_link(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end > now)
    }

    /// Whether its code can.
    fn has_good_code(&self, now: Timestamp) -> bool {
        self.attempts < i64::from(CODE_ATTEMPTS_MAX) && self.has_good_link(now)
    }

    /// The change that uses it up; all that is done for it hangs on that.
    pub(crate) fn consumed(&self) -> Change {
        Change::delete(TOKENS, vec![is("id", self.id)]).or_nothing()
    }
}

/// No link or code that was mailed to a user is good any more.
pub(crate) fn voided(user: Uuid) -> Change {
    Change::delete(TOKENS, vec![is("user", user)])
}

/// None of this purpose is.
pub(crate) fn voided_of(user: Uuid, purpose: Purpose) -> Change {
    Change::delete(TOKENS, vec![is("user", user), is("purpose", purpose.as_str())])
}

impl Identity {
    /// A code and a link of a purpose, in place of those before.
    pub(crate) fn new_token(
        &self,
        user: Uuid,
        purpose: Purpose,
        sent_to: &str,
        flow: Option<Uuid>,
        call: &Call,
    ) -> NewToken {
        let opaque = OpaqueId::generate();
        let code = generate_code();
        let hash = self.codes.hash(CodeContext { user, purpose: purpose.as_str(), sent_to }, &code);
        let prefix = if flow.is_some() { FLOW_PREFIX } else { "" };
        let row = [
            ("user", user.into()),
            ("purpose", purpose.as_str().into()),
            ("link_hash", opaque.hash().into()),
            ("code_hash", hash.into()),
            ("sent_to", sent_to.into()),
            ("expires_at", call.in_seconds(self.settings.otp_s).into()),
            ("flow", flow.into()),
        ];
        let changes = vec![voided_of(user, purpose), Change::insert(TOKENS, row)];
        NewToken { link: format!("{prefix}{}", opaque.text()), code, changes }
    }

    /// The changes that make a code and a link and put the mail with them on its way.
    pub(crate) fn letter(
        &self,
        account: &Account,
        letter: Letter<'_>,
        call: &Call,
    ) -> AuthResult<Vec<Change>> {
        let token = self.new_token(account.id, letter.purpose, letter.to, letter.flow, call);
        let redirect_to = self.redirect(letter.redirect_to);
        let link = match letter.next {
            Some(next) => self.link_of_a_form(&token.link, letter.link_type, next),
            None => self.link(&token.link, letter.link_type, &redirect_to),
        };
        let variables = Variables {
            app_name: &self.settings.app_name,
            site_url: self.settings.redirects.site_url(),
            email: account.email.as_deref().unwrap_or_default(),
            new_email: account.new_email.as_deref().unwrap_or_default(),
            link: &link,
            token: &token.link,
            redirect_to: &redirect_to,
            code: &token.code,
            expires_minutes: u64::from(self.settings.otp_s) / 60,
            change: None,
        };
        let mail = self.mails.write(&self.rows, letter.kind, letter.to, &variables, call)?;
        let mut changes = token.changes;
        changes.push(mail);
        Ok(changes)
    }

    /// Where somebody is sent in the end: where they ask to be, if that is allowed.
    pub(crate) fn redirect(&self, asked: Option<&str>) -> String {
        self.settings.redirects.resolve(asked).to_owned()
    }

    /// The link of a mail.
    pub(crate) fn link(&self, token: &str, kind: &str, redirect_to: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("type", kind)
            .append_pair("redirect_to", redirect_to)
            .finish();
        format!("{}/auth/v1/verify?{query}", self.settings.api_url)
    }

    /// The link of a mail that was asked for with a form: who opens it is shown a page, and
    /// signed in with a cookie where they say so on it.
    fn link_of_a_form(&self, token: &str, kind: &str, next: &SitePath) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("type", kind)
            .append_pair("next", next.as_str())
            .finish();
        format!("{}/auth/v1/verify?{query}", self.settings.api_url)
    }

    /// What a link's token stands for.
    pub(crate) async fn token_of_link(
        &self,
        link: &str,
        purposes: &[Purpose],
        call: &Call,
    ) -> AuthResult<OneTimeToken> {
        let expired = || refused(403, AuthCode::OtpExpired, "Email link is invalid or has expired");
        let text = link.strip_prefix(FLOW_PREFIX).unwrap_or(link);
        let hash = OpaqueId::parse(text).ok_or_else(expired)?.hash();
        let query = Query {
            model: TOKENS,
            fields: FIELDS,
            filters: vec![is("link_hash", hash)],
            ..Query::default()
        };
        let found = self.rows.one(query, &call.cx, call.now).await?;
        let found = found.as_ref().and_then(OneTimeToken::of);
        let good = found.filter(|it| it.has_good_link(call.now) && purposes.contains(&it.purpose));
        good.ok_or_else(expired)
    }

    /// What a code stands for that was typed for an account.
    pub(crate) async fn token_of_code(
        &self,
        user: Uuid,
        typed: &str,
        sent_to: &str,
        purposes: &[Purpose],
        call: &Call,
    ) -> AuthResult<OneTimeToken> {
        let query = Query {
            model: TOKENS,
            fields: FIELDS,
            filters: vec![is("user", user), is("sent_to", sent_to)],
            ..Query::default()
        };
        let rows = self.rows.find(query, &call.cx, call.now).await?;
        let waiting: Vec<_> = rows.iter().filter_map(OneTimeToken::of).collect();
        let of = |purpose: &Purpose| {
            let is_it = |token: &&OneTimeToken| token.purpose == *purpose;
            waiting.iter().find(is_it).filter(|token| token.has_good_code(call.now)).cloned()
        };
        let candidates: Vec<OneTimeToken> = purposes.iter().filter_map(of).collect();
        for token in &candidates {
            self.count_attempt(token, call).await?;
            let context = CodeContext { user, purpose: token.purpose.as_str(), sent_to };
            if self.codes.verifies(context, typed, &token.code_hash) {
                return Ok(token.clone());
            }
        }
        Err(wrong_code())
    }

    /// An account's token of a purpose that was not redeemed, whether it is still good or
    /// not.
    pub(crate) async fn outstanding(
        &self,
        user: Uuid,
        purpose: Purpose,
        call: &Call,
    ) -> AuthResult<Option<OneTimeToken>> {
        let filters = vec![is("user", user), is("purpose", purpose.as_str())];
        let query = Query { model: TOKENS, fields: FIELDS, filters, ..Query::default() };
        let found = self.rows.one(query, &call.cx, call.now).await?;
        Ok(found.as_ref().and_then(OneTimeToken::of))
    }

    /// Counts an attempt before it is looked at: of many at once each is counted, or is
    /// not looked at.
    async fn count_attempt(&self, token: &OneTimeToken, call: &Call) -> AuthResult<()> {
        if removed("code-attempts") {
            return Ok(());
        }
        let filters = vec![is("id", token.id), is("attempts", token.attempts)];
        let values = [("attempts", (token.attempts + 1).into())];
        let count = Change::update(TOKENS, filters, values).or_nothing();
        match self.rows.write(vec![count], &call.cx, call.now).await.map_err(AuthError::from) {
            Ok(_) => Ok(()),
            Err(error) if error.is_overtaken() => Err(wrong_code()),
            Err(error) => Err(error),
        }
    }
}

fn wrong_code() -> AuthError {
    refused(403, AuthCode::OtpExpired, "Token has expired or is invalid")
}
