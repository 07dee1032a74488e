//! What a token that verified says, checked against this app and this moment.
//!
//! A signature says who wrote the claims, not that they hold here and now. Checked
//! are `exp`, `nbf`, `iat`, `iss`, and of a user's token `aud`, `sub`, `role` and the
//! shape of `app_metadata.roles`. `user_metadata` is the user's own to write and
//! grants nothing. The messages are PostgREST's where it has one, because clients
//! match on `JWT expired`.

use mainstay_core::{Code, Error, Timestamp};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{Aal, ROLE_AUTHENTICATED, TokenSettings, is_reserved_role};

/// Seconds by which the clock of the node that made a token may be ahead of ours.
/// It widens `nbf` and `iat`, never `exp`.
const CLOCK_SKEW_S: i64 = 30;
/// Bytes of `sub`.
const SUBJECT_BYTES_MAX: usize = 255;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What a user's token says, roles not yet expanded.
pub(crate) struct UserToken {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) roles: Vec<Box<str>>,
    pub(crate) session: Option<Uuid>,
    pub(crate) aal: Aal,
}

/// When a token stops to hold, if it does, after checking that it holds now.
pub(crate) fn check_times(
    claims: &Map<String, Json>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let skewed = now.shifted(CLOCK_SKEW_S * MICROS_PER_SECOND).unwrap_or(now);
    let expires_at = moment(claims, "exp")?;
    if expires_at.is_some_and(|expires_at| expired(expires_at, now)) {
        return Err(expired_error());
    }
    if moment(claims, "nbf")?.is_some_and(|not_before| not_before > skewed) {
        return Err(refused("JWT not yet valid"));
    }
    if moment(claims, "iat")?.is_some_and(|issued_at| issued_at > skewed) {
        return Err(
            refused("JWT issued at future").with_hint("Compare the clocks of both machines")
        );
    }
    Ok(expires_at)
}

/// A token does not hold on its `exp` or after (RFC 7519 section 4.1.4).
pub(crate) fn expired(expires_at: Timestamp, now: Timestamp) -> bool {
    now >= expires_at
}

pub(crate) fn expired_error() -> Error {
    refused("JWT expired").with_hint("Sign in again, or refresh the session")
}

/// Whether the token is this app's: another app's may be signed with the same key.
pub(crate) fn check_issuer(claims: &Map<String, Json>, issuer: &str) -> Result<(), Error> {
    if text(claims, "iss") == Some(issuer) {
        return Ok(());
    }
    Err(refused("JWT not from this issuer")
        .with_hint(format!("Expected `iss` to be `{issuer}`, as `[auth] issuer` says")))
}

/// The claims that only a user's token has.
pub(crate) fn check_user(
    claims: &Map<String, Json>,
    settings: &TokenSettings,
) -> Result<UserToken, Error> {
    if !in_audience(claims, &settings.audience) {
        return Err(refused("JWT not in audience")
            .with_hint(format!("Expected `aud` to be `{}`", settings.audience)));
    }
    if text(claims, "role") != Some(ROLE_AUTHENTICATED) {
        return Err(refused("the token's `role` is not `authenticated`").with_hint(
            "A user's own roles go into `app_metadata.roles`; `anon` and `service_role` are for API keys",
        ));
    }
    let id = text(claims, "sub")
        .filter(|id| is_subject(id))
        .ok_or_else(|| refused("the token's `sub` is not the text of an id"))?;
    let email = text(claims, "email").filter(|email| !email.is_empty());
    Ok(UserToken {
        id: id.to_owned(),
        email: email.map(str::to_owned),
        roles: roles(claims)?,
        session: session(claims)?,
        aal: text(claims, "aal").map(Aal::parse).unwrap_or_default(),
    })
}

/// The session a token belongs to, if it does; the nil id says that it does not.
fn session(claims: &Map<String, Json>) -> Result<Option<Uuid>, Error> {
    let id = match claims.get("session_id") {
        None | Some(Json::Null) => return Ok(None),
        Some(id) => id.as_str().and_then(|id| Uuid::try_parse(id).ok()),
    };
    let id = id.ok_or_else(|| refused("the token's `session_id` is not a uuid"))?;
    Ok((!id.is_nil()).then_some(id))
}

/// Whether a text can be a user's id: some text, of a bounded length, without U+0000.
pub(crate) fn is_subject(id: &str) -> bool {
    (1..=SUBJECT_BYTES_MAX).contains(&id.len()) && !id.contains('\0')
}

/// The roles of `app_metadata.roles`. The reserved names in it grant nothing: they
/// are kinds of token.
fn roles(claims: &Map<String, Json>) -> Result<Vec<Box<str>>, Error> {
    let misshapen = || refused("the token's `app_metadata.roles` is not an array of texts");
    let Some(roles) = claims.get("app_metadata").and_then(|metadata| metadata.get("roles")) else {
        return Ok(Vec::new());
    };
    let roles = roles.as_array().ok_or_else(misshapen)?;
    let mut held: Vec<Box<str>> = Vec::with_capacity(roles.len());
    for role in roles {
        let role = role.as_str().ok_or_else(misshapen)?;
        if !is_reserved_role(role) {
            held.push(role.into());
        }
    }
    Ok(held)
}

fn in_audience(claims: &Map<String, Json>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Json::String(one)) => one == audience,
        Some(Json::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

fn text<'a>(claims: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Json::as_str)
}

/// A `NumericDate` (RFC 7519 section 2): seconds, perhaps with a fraction.
fn moment(claims: &Map<String, Json>, name: &str) -> Result<Option<Timestamp>, Error> {
    let Some(json) = claims.get(name) else {
        return Ok(None);
    };
    let micros = match json.as_i64() {
        Some(seconds) => seconds.checked_mul(MICROS_PER_SECOND),
        None => json.as_f64().map(|seconds| (seconds * 1e6) as i64),
    };
    micros
        .and_then(Timestamp::from_micros)
        .map(Some)
        .ok_or_else(|| refused(format!("The JWT '{name}' claim must be a number")))
}

/// Claims that were signed and do not hold.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::TokenClaims, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_795_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(NOW_S * MICROS_PER_SECOND + micros).unwrap()
    }

    fn map(json: &Json) -> Map<String, Json> {
        json.as_object().unwrap().clone()
    }

    #[track_caller]
    fn check_at(claims: &Json, micros: i64, expected: Option<&str>) {
        let verdict = check_times(&map(claims), at(micros));
        let message = verdict.err().map(|error| {
            assert_eq!(error.code(), Code::TokenClaims);
            error.message().to_owned()
        });
        assert_eq!(message.as_deref(), expected, "{claims} at {micros} µs");
    }

    #[test]
    fn a_token_holds_until_the_microsecond_before_its_exp_and_not_on_it() {
        let claims = json!({ "exp": NOW_S });
        check_at(&claims, -1, None);
        check_at(&claims, 0, Some("JWT expired"));
        let claims = json!({ "exp": NOW_S as f64 + 0.5 });
        check_at(&claims, 499_999, None);
        check_at(&claims, 500_000, Some("JWT expired"));
    }

    #[test]
    fn a_token_holds_from_its_nbf_and_iat_give_or_take_thirty_seconds() {
        for (name, message) in [("nbf", "JWT not yet valid"), ("iat", "JWT issued at future")] {
            let claims = json!({ name: NOW_S });
            check_at(&claims, -30_000_000, None);
            check_at(&claims, -30_000_001, Some(message));
        }
    }

    #[test]
    fn a_time_that_is_no_time_is_refused_and_never_taken_for_none() {
        for exp in [
            json!("1795000001"),
            json!(null),
            json!([]),
            json!(1e300),
            json!(-1e300),
            json!(i64::MAX),
            json!(u64::MAX),
        ] {
            check_at(&json!({ "exp": exp }), 0, Some("The JWT 'exp' claim must be a number"));
        }
    }

    #[test]
    fn a_users_claims_are_taken_only_as_they_should_be() {
        let settings = TokenSettings::new("blog");
        let good = json!({
            "aud": "authenticated", "role": "authenticated", "sub": "ana",
            "email": "", "app_metadata": { "roles": ["editor", "service_role", "authenticated"] },
            "user_metadata": { "roles": ["admin"] },
        });
        let user = check_user(&map(&good), &settings).unwrap();
        assert_eq!((user.id.as_str(), user.email), ("ana", None));
        assert_eq!(user.roles, vec![Box::from("editor")]);

        let changed = |name: &str, value: Json| {
            let mut claims = map(&good);
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.to_owned(), value);
            }
            check_user(&claims, &settings).map(|user| user.roles.len()).map_err(|error| {
                assert_eq!(error.code(), Code::TokenClaims);
            })
        };
        assert_eq!(changed("aud", json!(["x", "authenticated"])), Ok(1));
        assert_eq!(changed("app_metadata", Json::Null), Ok(0));
        assert_eq!(changed("app_metadata", json!({})), Ok(0));
        assert_eq!(changed("session_id", json!("00000000-0000-0000-0000-000000000000")), Ok(1));
        for (name, value) in [
            ("session_id", json!("7")),
            ("session_id", json!("")),
            ("session_id", json!(7)),
            ("aud", Json::Null),
            ("aud", json!("anon")),
            ("aud", json!(["x"])),
            ("aud", json!([["authenticated"]])),
            ("role", Json::Null),
            ("role", json!("service_role")),
            ("role", json!("anon")),
            ("role", json!("editor")),
            ("role", json!(["authenticated"])),
            ("sub", Json::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!("a\0")),
            ("sub", json!("x".repeat(256))),
            ("app_metadata", json!({ "roles": "editor" })),
            ("app_metadata", json!({ "roles": [1] })),
            ("app_metadata", json!({ "roles": null })),
        ] {
            assert_eq!(changed(name, value.clone()), Err(()), "{name} = {value}");
        }
    }

    #[test]
    fn the_issuer_is_compared_whole() {
        assert!(check_issuer(&map(&json!({ "iss": "blog" })), "blog").is_ok());
        for iss in [json!("blog2"), json!("Blog"), json!(["blog"]), json!(null)] {
            assert!(check_issuer(&map(&json!({ "iss": iss })), "blog").is_err(), "{iss}");
        }
        assert!(check_issuer(&Map::new(), "blog").is_err());
    }
}
