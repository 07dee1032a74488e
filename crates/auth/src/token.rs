//! A user's token, as Supabase Auth writes it.
//!
//! The claim `role` is always `authenticated`; what the app calls roles goes into
//! `app_metadata.roles`. The reserved names cannot be given to a user: asking for
//! `authenticated` adds nothing, asking for `anon` or `service_role` is refused.

use mainstay_core::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::{
    Keyring, ROLE_ANON, ROLE_AUTHENTICATED, ROLE_SERVICE, TOKEN_BYTES_MAX, claims::is_subject,
};

/// Who issues tokens and for whom; what is minted and what is verified agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// `iss`: `[auth] issuer`, by default the app's name; never the address.
    pub issuer: String,
    /// `aud` of a user's token.
    pub audience: String,
}

impl TokenSettings {
    /// The settings of an app of this issuer, for Supabase's audience
    /// `authenticated`.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audience: ROLE_AUTHENTICATED.to_owned() }
    }
}

/// What a user's token is to say.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// `sub`: any text, 1 to 255 bytes.
    pub user_id: String,
    /// `email`.
    pub email: Option<String>,
    /// `app_metadata.roles`, without inheritance.
    pub roles: Vec<String>,
    /// Seconds from now to `exp`.
    pub lifetime_s: u32,
    /// Further claims. They never replace the ones above or `iss`, `aud`, `iat`,
    /// `role`; an object `app_metadata` is kept and given the roles.
    pub claims: Map<String, Json>,
}

/// Why a token cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The id is empty, longer than 255 bytes, or has a U+0000.
    #[error("a user's id is 1 to 255 bytes of text")]
    UserId,
    /// A kind of token was asked for as a user's role.
    #[error("`{0}` is not a role a user can have; `mainstay keys` prints the API keys")]
    ReservedRole(String),
    /// `exp` would be after the year 9999.
    #[error("the token's lifetime ends after the last moment there is")]
    Lifetime,
    /// What it says is too much for a header.
    #[error("the token would be longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
}

/// Writes a user's token, signed with the users' key.
///
/// # Errors
/// When the id is no id, a role is reserved, the lifetime has no end in time, or the
/// token would be too long to be sent.
pub fn mint(
    keyring: &Keyring,
    request: &TokenRequest,
    settings: &TokenSettings,
    now: Timestamp,
) -> Result<String, MintError> {
    if !is_subject(&request.user_id) {
        return Err(MintError::UserId);
    }
    let mut roles: Vec<&str> = Vec::with_capacity(request.roles.len());
    for role in &request.roles {
        match role.as_str() {
            ROLE_ANON | ROLE_SERVICE => return Err(MintError::ReservedRole(role.clone())),
            role if role == ROLE_AUTHENTICATED || roles.contains(&role) => {}
            role => roles.push(role),
        }
    }
    let issued_at = now.as_micros().div_euclid(1_000_000);
    let expires_at = issued_at + i64::from(request.lifetime_s);
    if Timestamp::from_micros(expires_at.saturating_mul(1_000_000)).is_none() {
        return Err(MintError::Lifetime);
    }

    let mut claims = request.claims.clone();
    let mut app_metadata = match claims.remove("app_metadata") {
        Some(Json::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    app_metadata.insert("roles".to_owned(), json!(roles));
    claims.entry("user_metadata").or_insert_with(|| json!({}));
    claims.remove("nbf");
    if let Some(email) = &request.email {
        claims.insert("email".to_owned(), json!(email));
    }
    for (name, value) in [
        ("iss", json!(settings.issuer)),
        ("aud", json!(settings.audience)),
        ("sub", json!(request.user_id)),
        ("role", json!(ROLE_AUTHENTICATED)),
        ("iat", json!(issued_at)),
        ("exp", json!(expires_at)),
        ("app_metadata", Json::Object(app_metadata)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    let token = keyring.users().sign(&claims);
    if token.len() > TOKEN_BYTES_MAX { Err(MintError::TooLong) } else { Ok(token) }
}
