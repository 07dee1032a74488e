//! The access token of an account's session, as Supabase Auth writes it.
//!
//! It holds for its lifetime and is looked up nowhere, so it says only what may be an
//! hour old. `exp` is `iat` and the lifetime, exactly: clients compute one from the
//! other. `email` and `phone` are texts, empty where there is none, because SDKs read
//! them so.
//!
//! `user_metadata` is the user's own to write and may be large, and a token that is
//! too long for a header would lock its user out. So it is left out of a token that it
//! would make too long; clients have it from the user object.

use mainstay_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{
    Keyring, MintError, ROLE_AUTHENTICATED, TOKEN_BYTES_MAX, TokenSettings, is_reserved_role,
};

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Bytes of a token beside its claims, at the most: a header with a key's id, 64 bytes of
/// signature, and two dots.
const HEAD_AND_SIGNATURE_BYTES: usize = 256;

/// How surely a session knows its user (NIST's *authenticator assurance level*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aal {
    /// One factor.
    #[default]
    One,
    /// Two factors.
    Two,
}

impl Aal {
    /// `aal1` or `aal2`.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::One => "aal1",
            Self::Two => "aal2",
        }
    }

    /// Reads `aal2`; whatever else it is, is no proof of more than one factor.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == Self::Two.text() { Self::Two } else { Self::One }
    }
}

/// One way in which a session's user has shown who they are, and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amr {
    /// `password`, `otp`, `totp`, …
    pub method: String,
    /// Seconds since 1970.
    pub timestamp: i64,
}

/// The ways of a session after one more: each once, the most recent first.
#[must_use]
pub fn with_amr(amr: &[Amr], method: &str, now: Timestamp) -> Vec<Amr> {
    let newest = Amr { method: method.to_owned(), timestamp: seconds(now) };
    let others = amr.iter().filter(|other| other.method != method).cloned();
    std::iter::once(newest).chain(others).collect()
}

/// What an account's access token is to say.
#[derive(Clone, Copy, Debug)]
pub struct AccessTokenRequest<'a> {
    /// `sub`.
    pub user: Uuid,
    /// `email`.
    pub email: Option<&'a str>,
    /// `is_anonymous`.
    pub is_anonymous: bool,
    /// `app_metadata`, in which `roles` are the user's, without inheritance. What is
    /// no text in `roles`, or is reserved, is left out.
    pub app_metadata: &'a Map<String, Json>,
    /// `user_metadata`.
    pub user_metadata: &'a Map<String, Json>,
    /// `session_id`.
    pub session: Uuid,
    /// `aal`.
    pub aal: Aal,
    /// `amr`, the most recent first.
    pub amr: &'a [Amr],
    /// Seconds from `iat` to `exp`.
    pub lifetime_s: u32,
}

/// An access token, and what its answer says beside it.
#[derive(Clone)]
pub struct AccessToken {
    /// The token.
    pub text: String,
    /// `iat`, in seconds since 1970.
    pub issued_at_s: i64,
    /// `exp`, in seconds since 1970.
    pub expires_at_s: i64,
}

/// Writes an account's access token, signed with the users' key.
///
/// # Errors
/// When the lifetime has no end in time, or the token is too long even without
/// `user_metadata`.
pub fn mint_access_token(
    keyring: &Keyring,
    request: &AccessTokenRequest<'_>,
    settings: &TokenSettings,
    now: Timestamp,
) -> Result<AccessToken, MintError> {
    let issued_at_s = seconds(now);
    let expires_at_s = issued_at_s + i64::from(request.lifetime_s);
    if Timestamp::from_micros(expires_at_s.saturating_mul(MICROS_PER_SECOND)).is_none() {
        return Err(MintError::Lifetime);
    }
    let text = keyring.users().sign(&claims_that_fit(request, settings, issued_at_s, expires_at_s));
    if text.len() > TOKEN_BYTES_MAX {
        return Err(MintError::TooLong);
    }
    Ok(AccessToken { text, issued_at_s, expires_at_s })
}

/// What is said of an account in a session: by its tokens, and of whoever has its cookie.
/// What users say of themselves is left out where it would make a token too long.
pub(crate) fn claims_that_fit(
    request: &AccessTokenRequest<'_>,
    settings: &TokenSettings,
    issued_at_s: i64,
    expires_at_s: i64,
) -> Json {
    let all = claims(request, settings, issued_at_s, expires_at_s);
    // Base64 has four characters for three bytes; the header and the signature take a part.
    let text_bytes = HEAD_AND_SIGNATURE_BYTES + all.to_string().len().div_ceil(3) * 4;
    if text_bytes <= TOKEN_BYTES_MAX {
        return all;
    }
    let nothing = Map::new();
    let request = AccessTokenRequest { user_metadata: &nothing, ..*request };
    claims(&request, settings, issued_at_s, expires_at_s)
}

fn claims(
    request: &AccessTokenRequest<'_>,
    settings: &TokenSettings,
    issued_at_s: i64,
    expires_at_s: i64,
) -> Json {
    json!({
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": request.user.to_string(),
        "role": ROLE_AUTHENTICATED,
        "iat": issued_at_s,
        "exp": expires_at_s,
        "email": request.email.unwrap_or_default(),
        "phone": "",
        "app_metadata": with_roles(request.app_metadata),
        "user_metadata": request.user_metadata,
        "aal": request.aal.text(),
        "amr": request.amr,
        "session_id": request.session.to_string(),
        "is_anonymous": request.is_anonymous,
    })
}

/// The metadata with those roles that a token may give.
fn with_roles(app_metadata: &Map<String, Json>) -> Map<String, Json> {
    let mut metadata = app_metadata.clone();
    if let Some(roles) = metadata.get_mut("roles") {
        let named = roles.as_array().into_iter().flatten().filter_map(Json::as_str);
        *roles = named.filter(|role| !is_reserved_role(role)).collect();
    }
    metadata
}

fn seconds(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(MICROS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use mainstay_core::Code;

    use super::*;
    use crate::{Credentials, OpaqueId, RefreshTokens, Verifier};

    const NOW_S: i64 = 1_795_000_000;
    const USER: Uuid = Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0001);
    const SESSION: Uuid = Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0002);

    struct App {
        keyring: Keyring,
        settings: TokenSettings,
        verifier: Verifier,
    }

    fn app() -> App {
        let keyring = Keyring::generate();
        let settings = TokenSettings::new("blog");
        let expand = |roles: &[Box<str>]| (roles.to_vec(), Vec::new());
        let verifier = Verifier::new(&keyring, settings.clone(), Box::new(expand));
        App { keyring, settings, verifier }
    }

    fn now() -> Timestamp {
        Timestamp::from_micros(NOW_S * MICROS_PER_SECOND + 999_999).unwrap()
    }

    fn object(json: Json) -> Map<String, Json> {
        json.as_object().unwrap().clone()
    }

    impl App {
        fn mint(&self, app: Json, user: Json) -> Result<AccessToken, MintError> {
            let request = AccessTokenRequest {
                user: USER,
                email: Some("ana@example.org"),
                is_anonymous: false,
                app_metadata: &object(app),
                user_metadata: &object(user),
                session: SESSION,
                aal: Aal::Two,
                amr: &with_amr(&[Amr { method: "password".into(), timestamp: 5 }], "totp", now()),
                lifetime_s: 3600,
            };
            mint_access_token(&self.keyring, &request, &self.settings, now())
        }

        fn claims(&self, token: &AccessToken) -> Json {
            let jwks: jsonwebtoken::jwk::JwkSet =
                serde_json::from_str(&self.keyring.jwks()).unwrap();
            let key = jsonwebtoken::DecodingKey::from_jwk(&jwks.keys[0]).unwrap();
            let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
            validation.set_audience(&["authenticated"]);
            validation.validate_exp = false;
            jsonwebtoken::decode::<Json>(&token.text, &key, &validation).unwrap().claims
        }
    }

    #[test]
    fn a_sessions_token_says_all_that_clients_read_of_it() {
        let app = app();
        let token = app
            .mint(json!({ "provider": "email", "roles": ["editor"] }), json!({ "name": "Ana" }))
            .unwrap();
        assert_eq!((token.issued_at_s, token.expires_at_s), (NOW_S, NOW_S + 3600));
        assert_eq!(
            app.claims(&token),
            json!({
                "iss": "blog", "aud": "authenticated", "sub": USER.to_string(), "role": "authenticated",
                "iat": NOW_S, "exp": NOW_S + 3600, "email": "ana@example.org", "phone": "",
                "app_metadata": { "provider": "email", "roles": ["editor"] },
                "user_metadata": { "name": "Ana" },
                "aal": "aal2", "session_id": SESSION.to_string(), "is_anonymous": false,
                "amr": [
                    { "method": "totp", "timestamp": NOW_S },
                    { "method": "password", "timestamp": 5 },
                ],
            })
        );
        let bearer = format!("Bearer {}", token.text);
        let credentials =
            Credentials { authorization: Some(bearer.as_bytes()), ..Credentials::default() };
        let verified = app.verifier.credential(credentials, now()).unwrap().unwrap();
        assert_eq!((verified.session_id(), verified.aal()), (Some(SESSION), Aal::Two));
        assert_eq!(verified.actor().id(), Some(USER.to_string().as_str()));
        assert_eq!(verified.actor().roles(), [Box::from("editor")]);
    }

    #[test]
    fn roles_that_no_user_can_have_are_not_in_the_token() {
        let app = app();
        for (stored, minted) in [
            (json!({ "roles": ["service_role", "editor", 7, "anon", null] }), json!(["editor"])),
            (json!({ "roles": "service_role" }), json!([])),
            (json!({ "roles": null }), json!([])),
            (json!({}), Json::Null),
        ] {
            let token = app.mint(stored, json!({})).unwrap();
            assert_eq!(app.claims(&token)["app_metadata"]["roles"], minted);
            assert!(app.verifier.verify(token.text.as_bytes(), now()).is_ok());
        }
    }

    #[test]
    fn metadata_that_makes_a_token_too_long_is_left_out_and_locks_nobody_out() {
        let app = app();
        let large = json!({ "text": "x".repeat(TOKEN_BYTES_MAX) });
        let token = app.mint(json!({}), large.clone()).unwrap();
        assert_eq!(app.claims(&token)["user_metadata"], json!({}));
        assert!(app.verifier.verify(token.text.as_bytes(), now()).is_ok());
        assert_eq!(app.mint(large, json!({})).err(), Some(MintError::TooLong));
    }

    #[test]
    fn each_way_in_is_listed_once_and_the_latest_first() {
        let at = |s: i64| Timestamp::from_micros(s * MICROS_PER_SECOND).unwrap();
        let amr =
            with_amr(&with_amr(&with_amr(&[], "password", at(1)), "otp", at(2)), "password", at(3));
        let listed: Vec<_> = amr.iter().map(|amr| (amr.method.as_str(), amr.timestamp)).collect();
        assert_eq!(listed, [("password", 3), ("otp", 2)]);
        assert_eq!(
            (Aal::parse("aal2"), Aal::parse("aal3"), Aal::parse("")),
            (Aal::Two, Aal::One, Aal::One)
        );
    }

    #[test]
    fn a_refresh_token_is_no_bearer_token() {
        let app = app();
        let refresh = RefreshTokens::new(&app.keyring).issue(SESSION, 0);
        for text in [&refresh, &OpaqueId::generate().text(), &USER.to_string(), "123456"] {
            let bearer = format!("Bearer {text}");
            for credentials in [
                Credentials { authorization: Some(bearer.as_bytes()), ..Credentials::default() },
                Credentials { apikey: Some(text.as_bytes()), ..Credentials::default() },
            ] {
                let error = app.verifier.caller(credentials, now()).expect_err(text);
                assert_eq!(error.code(), Code::TokenInvalid, "{text}");
            }
        }
    }

    #[test]
    fn an_access_token_is_no_refresh_token() {
        let app = app();
        let token = app.mint(json!({}), json!({})).unwrap();
        assert!(RefreshTokens::new(&app.keyring).read(&token.text).is_err());
    }
}
