//! The keys of one app, from one secret.
//!
//! Users' tokens are signed with the first key in the text. The `anon` and `service`
//! API keys are signed with a key of their own, so that what signs a user's token can
//! never make a service key; they carry its `kid`.
//!
//! # Why the other keys are derived
//!
//! They could be secrets beside the first. Then there are several to keep, to hand
//! to every node and to lose. HKDF (RFC 5869) computes them from the first instead:
//! one PEM text, as `openssl` makes it, is all an app needs, and the API keys are the
//! same text on every node and after every start.
//!
//! # Rotation
//!
//! A routine rotation puts a new block before the others. The first block signs, and
//! makes refresh tokens, codes, cookies and sealed secrets; those behind it still
//! accept what they made. Two times differ and are kept apart:
//!
//! - An access token signed by a retired key holds for a day after the key was
//!   retired ([`RETIRED_KEY_S`]) and not longer, whatever its `exp`: from then on, who
//!   has an old copy of the text can sign nothing that is believed. That no access
//!   token lives longer is the settings' bound.
//! - What is sealed lives for years, so a retired block goes on to open and accept
//!   the rest until it is taken out of the text. Whoever opens something under an old
//!   key is told so, to seal it anew.
//!
//! Nodes are not all given a text in one moment, and one that does not have the new
//! key refuses its tokens. So a rotation can be prepared: a block `For: Next rotation`
//! is verified and does not sign, and the rotation puts that one first.
//!
//! The API keys stay the same through a rotation, because they are in every client
//! that was ever shipped: the first rotation writes their key, until then derived
//! from the last block, into a block of its own. Without such a block they follow
//! from the last block, so that a new one may also be put first by hand.
//!
//! After a leak none of this helps, for all keys are in the one text that leaked: a
//! new text, made as the first one was, voids everything at once. Were the service
//! key to leak alone, the block `For: API keys` is the one to replace.
//!
//! The alternative was a file per key with its dates in the name. It would have made
//! `MAINSTAY_AUTH__SIGNING_KEY` a bundle in a format of ours, for nothing else.
//!
//! The API keys have no `exp` and no `iat`: nothing in them depends on when they were
//! made.

mod text;

use mainstay_core::Timestamp;
use serde::Serialize;

use self::text::{Block, Signs};
use crate::{
    ROLE_ANON, ROLE_SERVICE,
    purpose_keys::{Purpose, PurposeKeys},
    signing_key::{Jwk, SigningKey},
};

/// What the API keys' key is derived for. Changing a letter of it voids every API
/// key there is.
const API_KEYS_PURPOSE: &str = "mainstay api keys v1";

/// Seconds for which the access tokens of a retired key still hold.
pub const RETIRED_KEY_S: u32 = 24 * 60 * 60;
/// Keys a text may hold.
const KEYS_MAX: usize = 16;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// The keys of one app.
#[derive(Debug)]
pub struct Keyring {
    /// The one that signs first.
    users: Vec<UserKey>,
    api_keys: SigningKey,
    /// Whether the API keys' key stands in the text, or follows from the last block.
    api_keys_written: bool,
}

/// A key that signs users' tokens, or did.
#[derive(Debug)]
struct UserKey {
    key: SigningKey,
    retired_at: Option<Timestamp>,
    /// `UserTokens`, or `NextUserTokens` where it has not signed yet.
    signs: Signs,
}

impl UserKey {
    fn generate(signs: Signs) -> Self {
        Self { key: SigningKey::generate(), retired_at: None, signs }
    }

    fn duplicate(&self) -> Self {
        Self { key: self.key.duplicate(), ..*self }
    }

    /// When its access tokens stop to hold, if it was retired.
    fn accepted_until(&self) -> Option<Timestamp> {
        let accepted = i64::from(RETIRED_KEY_S) * MICROS_PER_SECOND;
        self.retired_at.map(|retired_at| retired_at.shifted(accepted).unwrap_or(retired_at))
    }
}

/// Why a text is not a signing key. No variant repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing is there.
    #[error("the signing key is empty; expected a P-256 private key in PEM")]
    Empty,
    /// It does not begin as PEM does.
    #[error(
        "the signing key is not PEM; expected a text that begins with \
         `-----BEGIN PRIVATE KEY-----` (on one line, with `\\n` for each line's end)"
    )]
    NotPem,
    /// It is the public half.
    #[error("the signing key is a public key; expected the private key it belongs to")]
    PublicKey,
    /// It wants a passphrase.
    #[error(
        "the signing key is encrypted; expected it without a passphrase (`openssl pkcs8 -nocrypt`)"
    )]
    Encrypted,
    /// It is damaged, or for another algorithm.
    #[error(
        "the signing key cannot be read as a P-256 private key; make one with \
         `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
    )]
    NotP256,
    /// A line between the blocks says nothing that is known.
    #[error(
        "the signing key has a line outside its PEM blocks that is neither a comment (`#`) \
         nor `Retired: <moment>` nor `For: Next rotation` nor `For: API keys`, or that no \
         block follows"
    )]
    Line,
    /// No key is left to sign with.
    #[error(
        "the first of the signing keys is retired, or for something else; expected the one \
         that signs"
    )]
    NoSigner,
    /// One key stands there twice, or there are two for what only one can be for.
    #[error(
        "the signing key's text holds one key twice, two for API keys, or two for the next \
         rotation"
    )]
    Repeated,
    /// There are more than anyone needs.
    #[error(
        "the signing key's text holds more than {KEYS_MAX} keys; \
         remove the last of those that are retired"
    )]
    TooMany,
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: Vec<&'a Jwk>,
}

/// The claims of an API key, in the order they are written: the text of a key does
/// not depend on how a map is sorted.
#[derive(Serialize)]
struct ApiKeyClaims<'a> {
    iss: &'a str,
    role: &'a str,
}

impl Keyring {
    /// New keys, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(SigningKey::generate())
    }

    /// The keys that follow from this text, which is a file's or
    /// `MAINSTAY_AUTH__SIGNING_KEY`'s.
    ///
    /// # Errors
    /// When the text is not one or several P-256 private keys in PEM, of which the
    /// first signs.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let blocks = text::parse(text)?;
        if blocks.len() > KEYS_MAX {
            return Err(KeyringError::TooMany);
        }
        let mut users: Vec<UserKey> = Vec::with_capacity(blocks.len());
        let mut written = None;
        for Block { key, retired_at, signs } in blocks {
            let known = users.iter().map(|user| &user.key).chain(&written);
            if known.into_iter().any(|known| known.kid() == key.kid()) {
                return Err(KeyringError::Repeated);
            }
            if signs != Signs::UserTokens && retired_at.is_some() {
                return Err(KeyringError::NoSigner);
            }
            match signs {
                Signs::NextUserTokens if users.iter().any(|user| user.signs == signs) => {
                    return Err(KeyringError::Repeated);
                }
                Signs::UserTokens | Signs::NextUserTokens => {
                    users.push(UserKey { key, retired_at, signs });
                }
                Signs::ApiKeys if written.is_some() => return Err(KeyringError::Repeated),
                Signs::ApiKeys => written = Some(key),
            }
        }
        let signs = |user: &UserKey| user.retired_at.is_none() && user.signs == Signs::UserTokens;
        if !users.first().is_some_and(signs) {
            return Err(KeyringError::NoSigner);
        }
        let oldest = users.iter().rfind(|user| user.signs == Signs::UserTokens);
        let oldest = oldest.ok_or(KeyringError::NoSigner)?;
        let api_keys_written = written.is_some();
        let api_keys = written.unwrap_or_else(|| oldest.key.derived(API_KEYS_PURPOSE));
        Ok(Self { users, api_keys, api_keys_written })
    }

    fn new(key: SigningKey) -> Self {
        let api_keys = key.derived(API_KEYS_PURPOSE);
        let users = vec![UserKey { key, retired_at: None, signs: Signs::UserTokens }];
        Self { users, api_keys, api_keys_written: false }
    }

    /// The same keys with one for the next rotation, which is verified and does not sign
    /// yet: to be given to every node before [`Keyring::rotated`]. Where one is prepared,
    /// it stays.
    ///
    /// # Errors
    /// `TooMany` when there is no room for another key.
    pub fn prepared(&self) -> Result<Self, KeyringError> {
        self.check_room()?;
        let mut users: Vec<_> = self.users.iter().map(UserKey::duplicate).collect();
        if self.next().is_none() {
            users.insert(1, UserKey::generate(Signs::NextUserTokens));
        }
        Ok(self.with_users(users))
    }

    /// The same keys behind the one that was prepared, or a new one, which signs from now
    /// on: the text of a routine rotation. The `anon` and `service` keys stay as they are.
    ///
    /// # Errors
    /// `TooMany` when there is no room for another key.
    pub fn rotated(&self, now: Timestamp) -> Result<Self, KeyringError> {
        self.check_room()?;
        let within = now.as_micros().rem_euclid(MICROS_PER_SECOND);
        let now = now.shifted(-within).unwrap_or(now);
        let first = match self.next() {
            Some(next) => UserKey { signs: Signs::UserTokens, ..next.duplicate() },
            None => UserKey::generate(Signs::UserTokens),
        };
        let before = self.users.iter().filter(|user| user.signs == Signs::UserTokens);
        let retired = before.map(|user| UserKey {
            retired_at: Some(user.retired_at.unwrap_or(now)),
            ..user.duplicate()
        });
        Ok(self.with_users([first].into_iter().chain(retired).collect()))
    }

    fn next(&self) -> Option<&UserKey> {
        self.users.iter().find(|user| user.signs == Signs::NextUserTokens)
    }

    /// Whether another key, and that of the API keys, can be written too.
    fn check_room(&self) -> Result<(), KeyringError> {
        if self.users.len() + 2 > KEYS_MAX { Err(KeyringError::TooMany) } else { Ok(()) }
    }

    /// These keys, beside the same API keys, whose key is written from here on.
    fn with_users(&self, users: Vec<UserKey>) -> Self {
        Self { users, api_keys: self.api_keys.duplicate(), api_keys_written: true }
    }

    /// The secret, as [`Keyring::parse`] reads it: PKCS#8 in PEM.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for user in &self.users {
            text::write(&mut text, &user.key, user.retired_at, user.signs);
        }
        if self.api_keys_written {
            text::write(&mut text, &self.api_keys, None, Signs::ApiKeys);
        }
        text
    }

    /// The key that signs users' tokens.
    #[must_use]
    pub fn users(&self) -> &SigningKey {
        &self.users.first().expect("BUG: a keyring has a key that signs").key
    }

    /// Every key whose users' tokens are taken, and until when.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&SigningKey, Option<Timestamp>)> {
        self.users.iter().map(|user| (&user.key, user.accepted_until()))
    }

    /// The keys for one purpose, one of each block.
    pub(crate) fn keys_for(&self, purpose: Purpose) -> PurposeKeys {
        PurposeKeys::derived(purpose, self.users.iter().map(|user| &user.key))
    }

    /// The key that signs the `anon` and `service` keys.
    #[must_use]
    pub fn api_keys(&self) -> &SigningKey {
        &self.api_keys
    }

    /// All public keys as JSON, for `/auth/v1/.well-known/jwks.json`: those that are
    /// retired too, however long ago.
    #[must_use]
    pub fn jwks(&self) -> String {
        jwks(self.users.iter().map(|user| &user.key).chain([&self.api_keys]))
    }

    /// The same without the keys whose tokens have stopped to hold by now, for
    /// others who verify tokens themselves and know of no retirement.
    #[must_use]
    pub fn jwks_at(&self, now: Timestamp) -> String {
        let holds = |until: Option<Timestamp>| until.is_none_or(|until| now < until);
        let users = self.accepted().filter(|(_, until)| holds(*until)).map(|(key, _)| key);
        jwks(users.chain([&self.api_keys]))
    }

    /// The key a browser may hold: the same actor as no credential. Always the same
    /// text for the same secret and issuer.
    #[must_use]
    pub fn anon_key(&self, issuer: &str) -> String {
        self.api_keys.sign(&ApiKeyClaims { iss: issuer, role: ROLE_ANON })
    }

    /// The key of the app's own programs, for which rules do not apply. It is a
    /// secret. Always the same text for the same secret and issuer.
    #[must_use]
    pub fn service_key(&self, issuer: &str) -> String {
        self.api_keys.sign(&ApiKeyClaims { iss: issuer, role: ROLE_SERVICE })
    }
}

fn jwks<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> String {
    let set = Jwks { keys: keys.map(SigningKey::public_jwk).collect() };
    serde_json::to_string(&set).expect("BUG: a JWK is strings")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::Value as Json;

    use super::*;

    /// The key of RFC 7515, appendix A.3, which the whole world knows.
    fn published() -> Keyring {
        Keyring::new(SigningKey::from_scalar("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
    }

    #[test]
    fn one_text_gives_the_same_api_keys_on_every_start() {
        let keyring = Keyring::parse(&published().to_text()).unwrap();
        expect!["eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6IjFTNUNZMG8wamJVNXdLZjM3TjA1dG1MTV9WVTB5MFUycnVtUmg5dndiMkUifQ.eyJpc3MiOiJibG9nIiwicm9sZSI6ImFub24ifQ.FHwm3RQ43EXKLo32jjvX8xZn9-FE8nW2hajh5YjFx3hkDP_LVcJtvCM_za8LOggHxxs8auPzCKyC1aJ1WAGwHQ"].assert_eq(&keyring.anon_key("blog"));
        expect!["eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6IjFTNUNZMG8wamJVNXdLZjM3TjA1dG1MTV9WVTB5MFUycnVtUmg5dndiMkUifQ.eyJpc3MiOiJibG9nIiwicm9sZSI6InNlcnZpY2Vfcm9sZSJ9.Hc5kbsNoSWEoBiMt3A3l44P-Wz5O4qMfwm8HGNJZ_MfrwuFLpkpQkpomOkuOx9Lm-fj2gj9GN_QnGwatrIR4uQ"].assert_eq(&keyring.service_key("blog"));
        assert_ne!(keyring.anon_key("blog"), keyring.anon_key("shop"));
    }

    #[test]
    fn the_jwks_holds_both_public_keys_and_nothing_secret() {
        let keyring = published();
        expect![[r#"{"keys":[{"alg":"ES256","crv":"P-256","ext":true,"key_ops":["verify"],"kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U","kty":"EC","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"alg":"ES256","crv":"P-256","ext":true,"key_ops":["verify"],"kid":"1S5CY0o0jbU5wKf37N05tmLM_VU0y0U2rumRh9vwb2E","kty":"EC","use":"sig","x":"ynTHEe-EAQvyNXUPKdeXPGcazHfTdjjGs8XXY69OioU","y":"XVO9hCjUXQVSfmuk5be07c2YYjxWUABdX9Ee1RiBFyc"}]}"#]].assert_eq(&keyring.jwks());
        let jwks: Json = serde_json::from_str(&keyring.jwks()).unwrap();
        assert_eq!(jwks["keys"][0]["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        assert_eq!(jwks["keys"][0]["y"], "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        for key in jwks["keys"].as_array().unwrap() {
            assert!(key.get("d").is_none(), "`d` is the private half");
        }
    }

    #[test]
    fn what_is_not_a_signing_key_is_refused_with_its_kind() {
        let key = SigningKey::generate();
        let pem = key.to_pem();
        let check = |text: &str, expected: KeyringError| {
            assert_eq!(Keyring::parse(text).unwrap_err(), expected, "{text}");
        };
        check(" \n", KeyringError::Empty);
        check("s3cret", KeyringError::NotPem);
        check(key.public().pem(), KeyringError::PublicKey);
        check("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", KeyringError::Encrypted);
        check("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", KeyringError::NotP256);
        check(&pem.replace('M', "N"), KeyringError::NotP256);
        check(&pem[..pem.len() - 30], KeyringError::NotP256);
        check("-----BEGIN PRIVATE KEY-----", KeyringError::NotP256);
        check("-----BEGIN ", KeyringError::NotPem);
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * MICROS_PER_SECOND).unwrap()
    }

    fn kids(jwks: &str) -> Vec<String> {
        let jwks: Json = serde_json::from_str(jwks).unwrap();
        let kid = |key: &Json| key["kid"].as_str().unwrap().to_owned();
        jwks["keys"].as_array().unwrap().iter().map(kid).collect()
    }

    #[test]
    fn a_rotation_signs_with_a_new_key_and_leaves_the_api_keys_as_they_were() {
        let first = Keyring::generate();
        let second = Keyring::parse(&first.rotated(at(1_000)).unwrap().to_text()).unwrap();
        let third = Keyring::parse(&second.rotated(at(2_000)).unwrap().to_text()).unwrap();
        for later in [&second, &third] {
            assert_ne!(later.users().kid(), first.users().kid());
            assert_eq!(later.anon_key("blog"), first.anon_key("blog"));
            assert_eq!(later.service_key("blog"), first.service_key("blog"));
        }
        let accepted: Vec<_> = third.accepted().map(|(key, until)| (key.kid(), until)).collect();
        let day = i64::from(RETIRED_KEY_S);
        assert_eq!(
            accepted,
            [
                (third.users().kid(), None),
                (second.users().kid(), Some(at(2_000 + day))),
                (first.users().kid(), Some(at(1_000 + day))),
            ]
        );
        assert_eq!(third.to_text().matches("Retired:").count(), 2);
    }

    #[test]
    fn a_prepared_key_is_known_before_it_signs_and_signs_after_the_rotation() {
        let read = |keyring: Keyring| Keyring::parse(&keyring.to_text()).unwrap();
        let first = Keyring::generate();
        let prepared = read(first.prepared().unwrap());
        assert_eq!(prepared.users().kid(), first.users().kid());
        let next = kids(&prepared.jwks()).remove(1);
        assert_eq!(read(prepared.prepared().unwrap()).to_text(), prepared.to_text());

        let second = read(prepared.rotated(at(1_000)).unwrap());
        assert_eq!(second.users().kid(), next);
        let end = Some(at(1_000 + i64::from(RETIRED_KEY_S)));
        let accepted: Vec<_> = second.accepted().map(|(key, until)| (key.kid(), until)).collect();
        assert_eq!(accepted, [(next.as_str(), None), (first.users().kid(), end)]);
        assert_ne!(second.rotated(at(2_000)).unwrap().users().kid(), next);
        for later in [&prepared, &second] {
            assert_eq!(later.service_key("blog"), first.service_key("blog"));
        }
        let by_hand =
            format!("{}For: Next rotation\n{}", first.to_text(), SigningKey::generate().to_pem());
        let by_hand = Keyring::parse(&by_hand).unwrap();
        assert_eq!(by_hand.service_key("blog"), first.service_key("blog"));
    }

    #[test]
    fn the_jwks_holds_a_retired_key_for_as_long_as_its_tokens_hold() {
        let first = Keyring::generate();
        let second = first.rotated(at(1_000)).unwrap();
        let (new, old, api) = (second.users().kid(), first.users().kid(), second.api_keys().kid());
        let end = 1_000 + i64::from(RETIRED_KEY_S);
        assert_eq!(kids(&second.jwks_at(at(end - 1))), [new, old, api]);
        assert_eq!(kids(&second.jwks_at(at(end))), [new, api]);
        assert_eq!(kids(&second.jwks()), [new, old, api]);
    }

    #[test]
    fn a_new_key_put_first_by_hand_leaves_the_api_keys_as_they_were() {
        let old = Keyring::generate();
        let text = format!("{}{}", SigningKey::generate().to_pem(), old.to_text());
        let both = Keyring::parse(&text).unwrap();
        assert_ne!(both.users().kid(), old.users().kid());
        assert_eq!(both.anon_key("blog"), old.anon_key("blog"));
        assert_eq!(both.to_text(), text);
    }

    #[test]
    fn a_text_whose_keys_contradict_each_other_is_refused() {
        let (one, two, three) = (
            SigningKey::generate().to_pem(),
            SigningKey::generate().to_pem(),
            SigningKey::generate().to_pem(),
        );
        let check = |text: String, expected: KeyringError| {
            assert_eq!(Keyring::parse(&text).unwrap_err(), expected);
        };
        check(format!("{one}{two}{one}"), KeyringError::Repeated);
        check(format!("{one}For: API keys\n{one}"), KeyringError::Repeated);
        check(format!("{one}For: API keys\n{two}For: API keys\n{three}"), KeyringError::Repeated);
        check(format!("Retired: 2026-01-01\n{one}{two}"), KeyringError::NoSigner);
        check(format!("For: API keys\n{one}"), KeyringError::NoSigner);
        check(format!("For: Next rotation\n{one}{two}"), KeyringError::NoSigner);
        check(
            format!("{one}Retired: 2026-01-01\nFor: Next rotation\n{two}"),
            KeyringError::NoSigner,
        );
        check(
            format!("{one}For: Next rotation\n{two}For: Next rotation\n{three}"),
            KeyringError::Repeated,
        );
        let many: String = (0..=KEYS_MAX).map(|_| SigningKey::generate().to_pem()).collect();
        check(many, KeyringError::TooMany);
        let mut keyring = Keyring::generate();
        while let Ok(rotated) = keyring.rotated(at(0)) {
            keyring = rotated;
        }
        let again = Keyring::parse(&keyring.to_text()).unwrap();
        assert_eq!(again.rotated(at(0)).unwrap_err(), KeyringError::TooMany);
    }

    #[test]
    fn no_error_repeats_the_text_it_was_given() {
        let error = Keyring::parse("my-secret-passphrase").unwrap_err();
        assert!(!error.to_string().contains("passphrase"));
    }
}
