//! Tokens that verified, and the memory of them.
//!
//! The order is fixed: form and header, then the key the `kid` names, then the
//! signature, and only then the claims. The algorithm is ours to say, never the
//! token's. Users' tokens and API keys have keys of their own, and the kind of a
//! token follows from the key that signed it: a token signed with the users' key
//! that claims `service_role` is refused.
//!
//! # The cache
//!
//! An ES256 verification costs 50 to 100 µs, several times the rest of a request.
//! So what verified is remembered, found by the token's full bytes. A hit looks
//! again at what can change: `exp` against this request's time, and the epoch of
//! the roles, which moves when an app's `[roles]` do. What failed is never
//! remembered, so a stranger cannot fill the cache. Entries are hashed by the end of
//! the token: the signature's bytes are as good as random, and equality is decided
//! on all of them.

#[cfg(test)]
mod hostile_tokens;

use std::{
    fmt,
    hash::{Hash, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use equivalent::Equivalent;
use mainstay_core::{Actor, Error, Timestamp, UserClaims, removal::removed};
use moka::sync::Cache;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    Aal, Account, Keyring, ROLE_ANON, ROLE_SERVICE, TokenSettings,
    claims::{check_issuer, check_times, check_user, expired, expired_error, refused},
    compact::{UnverifiedToken, invalid, parse_token},
    refresh_token,
    session::Method,
    signing_key::PublicKey,
};

/// Bytes the cache of tokens may hold, by estimate: some five thousand usual ones.
const CACHE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of an entry beside its token and claims.
const ENTRY_BYTES: usize = 512;
/// How much larger claims are as a tree than as text, with the token itself.
const CLAIMS_FACTOR: usize = 5;
/// Bytes at the end of a token by which it is hashed: 192 bits of its signature.
const HASHED_BYTES: usize = 32;

/// Turns the roles a token names into all roles its user has, and the permissions
/// that come with them.
pub type ExpandRoles = Box<dyn Fn(&[Box<str>]) -> (Vec<Box<str>>, Vec<Box<str>>) + Send + Sync>;

/// A credential that holds.
#[derive(Clone, Debug)]
pub struct Verified {
    actor: Actor,
    expires_at: Option<Timestamp>,
    session: Option<Uuid>,
    aal: Aal,
}

impl Verified {
    /// On whose behalf its bearer acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_actor(self) -> Actor {
        self.actor
    }

    /// The session it belongs to. A token of no session is an API key, or was minted
    /// for development.
    #[must_use]
    pub fn session_id(&self) -> Option<Uuid> {
        self.session
    }

    /// How surely its session knows the user.
    #[must_use]
    pub fn aal(&self) -> Aal {
        self.aal
    }

    /// The same for a session that is back at one factor: its token claims no second one.
    #[must_use]
    pub(crate) fn with_one_factor(self) -> Self {
        let Some(claims) = self.actor.user_claims() else { return self };
        let mut claims = UserClaims::clone(claims);
        claims.claims.insert("aal".to_owned(), Aal::One.text().into());
        if let Some(amr) = claims.claims.get_mut("amr").and_then(Json::as_array_mut) {
            let method = |shown: &Json| shown["method"].as_str().map(Method::is_second);
            amr.retain(|shown| method(shown) == Some(false));
        }
        Self { actor: Actor::user(Arc::new(claims)), aal: Aal::One, ..self }
    }

    /// When it stops to hold; `None` for an API key.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

/// Verifies tokens against one app's public keys.
pub struct Verifier {
    users: Vec<UserKey>,
    api_keys: PublicKey,
    settings: TokenSettings,
    expansion: ArcSwap<Expansion>,
    epochs: AtomicU64,
    cache: Cache<TokenBytes, Entry, RandomState>,
}

/// A key whose users' tokens are taken, and until when.
struct UserKey {
    key: PublicKey,
    accepted_until: Option<Timestamp>,
}

/// The roles in force, and the number that tells them from those before.
struct Expansion {
    expand: ExpandRoles,
    epoch: u64,
}

#[derive(Clone)]
struct Entry {
    verified: Verified,
    epoch: u64,
}

/// A token as the cache holds it.
struct TokenBytes(Box<[u8]>);

/// A token as a request brings it.
struct Presented<'a>(&'a [u8]);

impl Verifier {
    /// Verifies what this keyring signs. The private keys stay behind.
    #[must_use]
    pub fn new(keyring: &Keyring, settings: TokenSettings, expand: ExpandRoles) -> Self {
        let cache = Cache::builder()
            .max_capacity(CACHE_BYTES_MAX)
            .weigher(|token: &TokenBytes, _: &Entry| {
                u32::try_from(ENTRY_BYTES + CLAIMS_FACTOR * token.0.len()).unwrap_or(u32::MAX)
            })
            .build_with_hasher(RandomState::new());
        Self {
            users: keyring
                .accepted()
                .map(|(key, accepted_until)| UserKey { key: key.public().clone(), accepted_until })
                .collect(),
            api_keys: keyring.api_keys().public().clone(),
            settings,
            expansion: ArcSwap::from_pointee(Expansion { expand, epoch: 0 }),
            epochs: AtomicU64::new(1),
            cache,
        }
    }

    /// Puts other roles in force, for every token from the next request on.
    pub fn set_roles(&self, expand: ExpandRoles) {
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed);
        self.expansion.store(Arc::new(Expansion { expand, epoch }));
    }

    /// The bearer of a token with other roles than it names: those the account has by now.
    #[must_use]
    pub(crate) fn with_roles(&self, verified: &Verified, roles: &[Box<str>]) -> Actor {
        let actor = verified.actor();
        let (roles, permissions) = (self.expansion.load().expand)(roles);
        let Some(claims) = actor.user_claims() else { return actor.clone() };
        let claims = UserClaims { roles, permissions, ..UserClaims::clone(claims) };
        Actor::user(Arc::new(claims))
    }

    /// A user of whom the app itself says this, with the roles that come with those named,
    /// and the number of the roles in force.
    pub(crate) fn user_of(&self, account: &Account, claims: Map<String, Json>) -> (Actor, u64) {
        let expansion = self.expansion.load();
        let (roles, permissions) = (expansion.expand)(&account.roles());
        let (id, email) = (account.id.to_string(), account.email.clone());
        let claims = UserClaims { id, email, roles, permissions, claims, tenant: None };
        (Actor::user(Arc::new(claims)), expansion.epoch)
    }

    /// The number of the roles in force.
    pub(crate) fn roles_epoch(&self) -> u64 {
        self.expansion.load().epoch
    }

    /// What a token makes of its bearer, at this moment.
    ///
    /// # Errors
    /// `TokenInvalid` when it is no token of ours, `TokenClaims` when it is and does
    /// not hold: expired, not yet valid, for another audience, from another issuer.
    pub fn verify(&self, token: &[u8], now: Timestamp) -> Result<Verified, Error> {
        let expansion = self.expansion.load();
        if let Some(entry) = self.cache.get(&Presented(token))
            && entry.epoch == expansion.epoch
        {
            if entry.verified.expires_at.is_some_and(|expires_at| expired(expires_at, now)) {
                self.cache.invalidate(&Presented(token));
                return Err(expired_error());
            }
            return Ok(entry.verified);
        }
        let verified = self.verify_uncached(token, &expansion.expand, now)?;
        let entry = Entry { verified: verified.clone(), epoch: expansion.epoch };
        self.cache.insert(TokenBytes(token.into()), entry);
        Ok(verified)
    }

    /// Whether this token is in the cache.
    #[cfg(test)]
    fn remembers(&self, token: &[u8]) -> bool {
        self.cache.contains_key(&Presented(token))
    }

    fn verify_uncached(
        &self,
        token: &[u8],
        expand: &ExpandRoles,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        if removed("refresh-token-as-bearer")
            && let Some(verified) = taken_for_a_bearer(token)
        {
            return Ok(verified);
        }
        let token = parse_token(token)?;
        if let Some(user) = self.users.iter().find(|user| user.holds(&token.kid, now)) {
            let claims = signed_claims(&token, &user.key)?;
            let mut verified = self.user(claims, expand, now)?;
            // A retired key ends what it signed: the cache asks this moment too.
            verified.expires_at = earlier(verified.expires_at, user.accepted_until);
            Ok(verified)
        } else if token.kid == self.api_keys.kid() {
            let claims = signed_claims(&token, &self.api_keys)?;
            self.api_key(&claims, now)
        } else {
            Err(invalid("No suitable key was found to decode the JWT")
                .with_hint("The token is another app's, or older than this app's signing key"))
        }
    }

    fn user(
        &self,
        claims: Map<String, Json>,
        expand: &ExpandRoles,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        let Some(expires_at) = check_times(&claims, now)? else {
            return Err(refused("the token has no `exp`"));
        };
        check_issuer(&claims, &self.settings.issuer)?;
        let user = check_user(&claims, &self.settings)?;
        let (roles, permissions) = expand(&user.roles);
        let (id, email, tenant) = (user.id, user.email, None);
        let claims = UserClaims { id, email, roles, permissions, claims, tenant };
        let actor = Actor::user(Arc::new(claims));
        Ok(Verified { actor, expires_at: Some(expires_at), session: user.session, aal: user.aal })
    }

    fn api_key(&self, claims: &Map<String, Json>, now: Timestamp) -> Result<Verified, Error> {
        let expires_at = check_times(claims, now)?;
        check_issuer(claims, &self.settings.issuer)?;
        let actor = match claims.get("role").and_then(Json::as_str) {
            Some(ROLE_ANON) => Actor::anonymous(),
            Some(ROLE_SERVICE) => Actor::service("service key presented"),
            _ => return Err(refused("the API key's `role` is neither `anon` nor `service_role`")),
        };
        Ok(Verified { actor, expires_at, session: None, aal: Aal::One })
    }
}

impl UserKey {
    /// Whether this key has this name, and its tokens are taken at this moment.
    fn holds(&self, kid: &str, now: Timestamp) -> bool {
        self.key.kid() == kid && self.accepted_until.is_none_or(|until| !expired(until, now))
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The claims, if this key signed them.
fn signed_claims(token: &UnverifiedToken<'_>, key: &PublicKey) -> Result<Map<String, Json>, Error> {
    if !signature_holds(token, key) {
        return Err(invalid("JWSError JWSInvalidSignature"));
    }
    // serde_json refuses what nests deeper than 128; nothing unsigned gets here.
    URL_SAFE_NO_PAD
        .decode(token.payload)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| invalid("the token's claims are not a JSON object"))
}

fn signature_holds(token: &UnverifiedToken<'_>, key: &PublicKey) -> bool {
    if removed("algorithm-pinning") && token.algorithm != "ES256" {
        return signature_holds_as_the_token_says(token, key);
    }
    key.verifies(token.signed, token.signature)
}

/// The mistake that pinning prevents, for the test that must notice it: the public
/// key's text taken for an HMAC secret, because the token says HS256.
fn signature_holds_as_the_token_says(token: &UnverifiedToken<'_>, key: &PublicKey) -> bool {
    use jsonwebtoken::{Algorithm, DecodingKey, crypto};
    match token.algorithm.as_str() {
        "none" => true,
        "HS256" => {
            let secret = DecodingKey::from_secret(key.pem().as_bytes());
            crypto::verify(token.signature, token.signed, &secret, Algorithm::HS256)
                .unwrap_or(false)
        }
        _ => false,
    }
}

/// The mistake that two kinds of token prevent, for the test that must notice it: a
/// refresh token taken as a credential, because it names a session.
fn taken_for_a_bearer(token: &[u8]) -> Option<Verified> {
    let refresh = refresh_token::unverified(std::str::from_utf8(token).ok()?)?;
    let claims = UserClaims { id: refresh.session.to_string(), ..UserClaims::default() };
    let (actor, session) = (Actor::user(Arc::new(claims)), Some(refresh.session));
    Some(Verified { actor, expires_at: None, session, aal: Aal::One })
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("settings", &self.settings)
            .field("users", &self.users.iter().map(|user| user.key.kid()).collect::<Vec<_>>())
            .field("api_keys", &self.api_keys.kid())
            .finish_non_exhaustive()
    }
}

fn hash_end<H: Hasher>(token: &[u8], state: &mut H) {
    token[token.len().saturating_sub(HASHED_BYTES)..].hash(state);
}

impl Hash for TokenBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl PartialEq for TokenBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for TokenBytes {}

impl Hash for Presented<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<TokenBytes> for Presented<'_> {
    fn equivalent(&self, key: &TokenBytes) -> bool {
        *self.0 == *key.0
    }
}
