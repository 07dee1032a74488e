//! `GET` and `POST /auth/v1/verify`: a link that is opened, a code that is typed.

use axum::{
    body::Body as HttpBody,
    extract::{RawQuery, State as AxumState},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use mainstay_auth::{
    AuthCode, AuthError, By, Counted, Issued, Presented, Redeemed, Refusal, SitePath, invalid,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Form, Posted, see_other},
    page,
    request::{Visitor, given, query_value},
    session::given_cookie,
};
use crate::state::State;

const HALF_WAY: &str =
    "Confirmation link accepted. Please proceed to confirm link sent to the other email";

#[derive(Deserialize)]
pub(super) struct VerifyBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
}

/// Does what a code or a link's token stands for.
pub(super) async fn redeem(
    AxumState(state): AxumState<State>,
    visitor: Visitor,
    posted: Posted<VerifyBody>,
) -> Answer {
    let body = match posted {
        Posted::Json(body) => body,
        Posted::Form(form) => {
            let redeemed = redeemed_by_form(&state, &visitor, &form).await;
            return form.answer(redeemed);
        }
    };
    let (identity, call) = (state.identity(), &visitor.call);
    identity.count(Counted::Verify, call).await?;
    let kind =
        given(body.kind.as_ref()).ok_or_else(|| invalid("Verify requires a verification type"))?;
    let presented = match (given(body.token.as_ref()), given(body.token_hash.as_ref())) {
        (None, Some(link)) => {
            if given(body.email.as_ref()).or(given(body.phone.as_ref())).is_some() {
                return Err(invalid("Only the token_hash and type should be provided").into());
            }
            Presented::Link(link)
        }
        (Some(code), None) => match (given(body.email.as_ref()), given(body.phone.as_ref())) {
            (Some(email), None) => Presented::Code { email, code },
            _ => {
                return Err(invalid(
                    "Only an email address or phone number should be provided on verify",
                )
                .into());
            }
        },
        _ => return Err(invalid("Verify requires either a token or a token hash").into()),
    };
    Ok(match identity.redeem(kind, presented, By::Posting, call).await? {
        Redeemed::In(issued) => answer::ok(&answer::session(&issued)),
        Redeemed::HalfWay => answer::ok(&json!({ "msg": HALF_WAY, "code": "200" })),
        Redeemed::Code(_) => unreachable!("BUG: a code is given to who opens a link"),
    })
}

/// Does what a link stands for, and sends its reader on.
pub(super) async fn open_link(
    AxumState(state): AxumState<State>,
    RawQuery(query): RawQuery,
    method: Method,
    visitor: Visitor,
) -> Answer {
    // What only looks at links, as scanners of mails do, must not use them up.
    if method == Method::HEAD {
        return Ok(Response::new(HttpBody::empty()));
    }
    let (identity, call) = (state.identity(), &visitor.call);
    let query = query.as_deref();
    let kind =
        query_value(query, "type").ok_or_else(|| invalid("Verify requires a verification type"))?;
    let token = query_value(query, "token").or_else(|| query_value(query, "token_hash"));
    let token = token.ok_or_else(|| invalid("Verify requires a token or a token hash"))?;
    identity.count(Counted::Verify, call).await?;
    if let Some(next) = query_value(query, "next") {
        let next = SitePath::parse(&next).map_err(|error| invalid(error.to_string()))?;
        return match identity.link_sent_to(&kind, &token, call).await {
            Ok(email) => Ok(page::opened_link(&state, &email, &token, &kind, &next)),
            Err(error) => match answer::code_of(&error) {
                Some(code) => Ok(see_other(&next.with_error(code), None)),
                None => Err(error.into()),
            },
        };
    }
    let asked = query_value(query, "redirect_to");
    let target = identity.settings().redirects.resolve(asked.as_deref()).to_owned();
    let has_challenge = token.starts_with("pkce_");
    let redeemed = identity.redeem(&kind, Presented::Link(&token), By::Opening, call).await;
    let location = match redeemed {
        Ok(Redeemed::In(issued)) => with_fragment(&target, &session_pairs(&issued, &kind)),
        Ok(Redeemed::Code(code)) => with_query(&target, &[("code", &code)]),
        Ok(Redeemed::HalfWay) if has_challenge => {
            with_fragment(&with_query(&target, &[("message", HALF_WAY)]), &message_pairs())
        }
        Ok(Redeemed::HalfWay) => with_fragment(&target, &message_pairs()),
        Err(AuthError::Refused(refusal)) => {
            let pairs = error_pairs(&refusal);
            let target = if has_challenge { with_query(&target, &pairs) } else { target };
            with_fragment(&target, &owned(&pairs))
        }
        Err(error) => return Err(error.into()),
    };
    let mut res = Response::new(HttpBody::empty());
    *res.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(location)
        .map_err(|error| AuthError::Failed(mainstay_core::Error::internal(error)))?;
    res.headers_mut().insert(header::LOCATION, location);
    res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(res)
}

/// Does what a link stands for whose reader says so on the page it opens, and signs them in
/// with a cookie.
async fn redeemed_by_form(state: &State, visitor: &Visitor, form: &Form) -> Result<Done, Failed> {
    let (identity, call) = (state.identity(), &visitor.cookie_call());
    identity.count(Counted::Verify, call).await?;
    let presented = Presented::Link(form.text("token"));
    Ok(match identity.redeem(form.text("type"), presented, By::Posting, call).await? {
        Redeemed::In(issued) => {
            let held = identity.in_place_of(visitor.cookie.as_ref(), *issued, call).await?;
            Done::at(form.next.clone()).with_cookie(given_cookie(state, &held))
        }
        Redeemed::HalfWay => Done::at(form.next.clone()),
        Redeemed::Code(_) => unreachable!("BUG: a code is given to who opens a link"),
    })
}

type Pairs = Vec<(&'static str, String)>;

fn session_pairs(issued: &Issued, kind: &str) -> Pairs {
    vec![
        ("access_token", issued.access_token.clone()),
        ("expires_at", issued.expires_at_s.to_string()),
        ("expires_in", issued.expires_in_s.to_string()),
        ("refresh_token", issued.refresh_token.clone()),
        ("sb", String::new()),
        ("token_type", "bearer".to_owned()),
        ("type", kind.to_owned()),
    ]
}

fn message_pairs() -> Pairs {
    vec![("message", HALF_WAY.to_owned()), ("sb", String::new())]
}

/// A refusal in the words of OAuth (RFC 6749 section 4.1.2.1), as clients look for them.
fn error_pairs(refusal: &Refusal) -> Vec<(&'static str, &str)> {
    let word = match refusal.status {
        400 => Some("invalid_request"),
        401 => Some("unauthorized_client"),
        403 => Some("access_denied"),
        _ => None,
    };
    let mut pairs: Vec<(&'static str, &str)> =
        word.map(|word| ("error", word)).into_iter().collect();
    let code: AuthCode = refusal.code;
    pairs.extend([
        ("error_code", code.as_str()),
        ("error_description", &*refusal.message),
        ("sb", ""),
    ]);
    pairs
}

fn owned(pairs: &[(&'static str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn with_query(target: &str, pairs: &[(&'static str, &str)]) -> String {
    let (before, fragment) = match target.split_once('#') {
        Some((before, fragment)) => (before, format!("#{fragment}")),
        None => (target, String::new()),
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let joint = if before.contains('?') { '&' } else { '?' };
    format!("{before}{joint}{query}{fragment}")
}

fn with_fragment(target: &str, pairs: &Pairs) -> String {
    let before = target.split('#').next().unwrap_or_default();
    let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{before}#{pairs}")
}
