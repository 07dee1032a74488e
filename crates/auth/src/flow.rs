//! Flows with a challenge (PKCE, RFC 7636): who opens a link gets a code that only the
//! program which asked for the mail can exchange for a session.
//!
//! The flow is a row from when the mail is asked for. Opening the link gives it a code,
//! and from then on it holds for five minutes: Supabase Auth counts them from the mail,
//! and what is opened later fails.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Identity, Issued, OpaqueId,
    audit::{Event, Outcome},
    call::Call,
    equal_in_constant_time,
    refusal::{AuthCode, AuthError, AuthResult, invalid, refused},
    rows::{Change, Query, is, is_below},
    session::Method,
};

const FLOWS: &str = "mainstay_flows";
const FIELDS: &[&str] = &["id", "user", "challenge", "method", "amr", "code_hash", "expires_at"];
/// Seconds a code can be exchanged.
const CODE_S: u32 = 300;

/// What a program will show to be the one that asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    text: String,
    method: ChallengeMethod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChallengeMethod {
    S256,
    Plain,
}

impl Challenge {
    /// The challenge of a request; none where it brings none.
    ///
    /// # Errors
    /// `validation_failed` where it is half a challenge, or no challenge.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> AuthResult<Option<Self>> {
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let (text, method) = match (given(challenge), given(method)) {
            (None, None) => return Ok(None),
            (Some(text), Some(method)) => (text, method),
            _ => {
                return Err(invalid("PKCE flow requires code_challenge_method and code_challenge"));
            }
        };
        if !(43..=128).contains(&text.len()) {
            return Err(invalid("code challenge has to be between 43 and 128 characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)) {
            return Err(invalid(
                "code challenge can only contain alphanumeric characters, hyphens, periods, \
                 underscores and tildes",
            ));
        }
        let method = match method.to_ascii_lowercase().as_str() {
            "s256" => ChallengeMethod::S256,
            "plain" => ChallengeMethod::Plain,
            _ => return Err(invalid("code_challenge_method is neither `s256` nor `plain`")),
        };
        Ok(Some(Self { text, method }))
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        let shown = match self.method {
            ChallengeMethod::Plain => verifier.to_owned(),
            ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        };
        equal_in_constant_time(shown.as_bytes(), self.text.as_bytes())
    }
}

impl Identity {
    /// The changes that begin a flow, and its id; nothing where there is no challenge. A flow
    /// whose mail is too old to be opened, or whose code is too old, is gone with it.
    pub(crate) fn begin_flow(
        &self,
        user: Uuid,
        challenge: Option<&Challenge>,
        method: Method,
        call: &Call,
    ) -> (Option<Uuid>, Vec<Change>) {
        let Some(challenge) = challenge else { return (None, Vec::new()) };
        let id = Uuid::now_v7();
        let how = match challenge.method {
            ChallengeMethod::S256 => "s256",
            ChallengeMethod::Plain => "plain",
        };
        let row = [
            ("id", id.into()),
            ("user", user.into()),
            ("challenge", challenge.text.clone().into()),
            ("method", how.into()),
            ("amr", method.as_str().into()),
            ("expires_at", call.in_seconds(self.settings.otp_s).into()),
        ];
        let over = vec![is("user", user), is_below("expires_at", call.now)];
        (Some(id), vec![Change::delete(FLOWS, over), Change::insert(FLOWS, row)])
    }

    /// The change that gives a flow its code, and the code.
    pub(crate) fn flow_code(&self, flow: Uuid, call: &Call) -> (String, Change) {
        let code = OpaqueId::generate();
        let values =
            [("code_hash", code.hash().into()), ("expires_at", call.in_seconds(CODE_S).into())];
        (code.text(), Change::update(FLOWS, vec![is("id", flow)], values).or_nothing())
    }

    /// A session for a code and the verifier of its challenge. A code is used up whether
    /// the verifier is right or not.
    ///
    /// # Errors
    /// `flow_state_not_found`, `flow_state_expired`, `bad_code_verifier`, `user_banned`;
    /// where the store cannot be asked.
    pub async fn exchange_code(
        &self,
        code: &str,
        verifier: &str,
        call: &Call,
    ) -> AuthResult<Issued> {
        if code.is_empty() || verifier.is_empty() {
            return Err(invalid(
                "invalid request: both auth code and code verifier should be non-empty",
            ));
        }
        let hash = OpaqueId::parse(code).ok_or_else(not_found)?.hash();
        let filters = vec![is("code_hash", hash)];
        let query = Query { model: FLOWS, fields: FIELDS, filters, ..Query::default() };
        let row = self.rows.one(query, &call.cx, call.now).await?.ok_or_else(not_found)?;
        let (Some(id), Some(user)) = (row.uuid("id"), row.uuid("user")) else {
            return Err(not_found());
        };
        let used = Change::delete(FLOWS, vec![is("id", id), is("code_hash", hash)]).or_nothing();
        let challenge =
            Challenge::parse(row.text("challenge").as_deref(), row.text("method").as_deref())?;
        let is_late = row.time("expires_at").is_none_or(|end| end <= call.now);
        let is_right = challenge.is_some_and(|challenge| challenge.is_met_by(verifier));
        if is_late || !is_right {
            let told = self.entry(Event::SignedIn, Outcome::Refused, Some(user), call);
            self.rows.write(vec![used, told], &call.cx, call.now).await.map_err(overtaken)?;
            return Err(match is_late {
                true => refused(
                    422,
                    AuthCode::FlowStateExpired,
                    "invalid flow state, flow state has expired",
                ),
                false => refused(
                    400,
                    AuthCode::BadCodeVerifier,
                    "code challenge does not match previously saved code verifier",
                ),
            });
        }
        let account = self.account(user, call).await?.ok_or_else(not_found)?;
        if account.is_shut(call.now) {
            let told = self.entry(Event::SignedIn, Outcome::Refused, Some(user), call);
            self.tell(told, call).await;
            return Err(refused(403, AuthCode::UserBanned, "User is banned"));
        }
        let method = Method::of(&row.text("amr").unwrap_or_default());
        let (session, open) = self.new_session(user, method, call);
        let told = self.entry(Event::SignedIn, Outcome::Done, Some(user), call);
        let mut changes = vec![used, self.signed_in(user, call), told];
        changes.extend(self.room_for_session(user, call).await?);
        changes.push(open);
        self.rows.write(changes, &call.cx, call.now).await.map_err(overtaken)?;
        self.issue(account, &session, call)
    }
}

/// The flows of a user end, and with them the codes that links of theirs were opened for.
pub(crate) fn flows_ended(user: Uuid) -> Change {
    Change::delete(FLOWS, vec![is("user", user)])
}

fn overtaken(error: mainstay_core::Error) -> AuthError {
    let error = AuthError::from(error);
    if error.is_overtaken() { not_found() } else { error }
}

fn not_found() -> AuthError {
    let message = "invalid flow state, no valid flow state found";
    refused(404, AuthCode::FlowStateNotFound, message)
}
