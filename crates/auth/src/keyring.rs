//! The keys of one app, from one secret.
//!
//! Users' tokens are signed with the key in the file. The `anon` and `service` API
//! keys are signed with a second key, so that what signs a user's token can never
//! make a service key; they carry its `kid`.
//!
//! # Why the second key is derived
//!
//! It could be a second secret beside the first. Then there are two to keep, to
//! hand to every node and to lose, and `MAINSTAY_AUTH__SIGNING_KEY` would have to be
//! a bundle in a format of ours. HKDF (RFC 5869) computes the second from the first
//! instead: one PEM text, as `openssl` makes it, is all there is, and the API keys
//! are the same text on every node and after every start. The price: replacing the
//! secret replaces the API keys too, which is what one wants after a leak, and what
//! one does not want of a routine rotation. Were routine rotation asked for, a
//! second PEM block in the same text would hold the API keys' own key.
//!
//! The API keys have no `exp` and no `iat`: they hold until the secret is replaced,
//! and nothing in them depends on when they were made.

use serde::Serialize;

use crate::{
    ROLE_ANON, ROLE_SERVICE,
    signing_key::{Jwk, SigningKey},
};

/// What the API keys' key is derived for. Changing a letter of it voids every API
/// key there is.
const API_KEYS_PURPOSE: &str = "mainstay api keys v1";

/// The keys of one app.
#[derive(Debug)]
pub struct Keyring {
    users: SigningKey,
    api_keys: SigningKey,
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
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: [&'a Jwk; 2],
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
    /// When the text is not a P-256 private key in PEM.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        SigningKey::from_pem(text).map(Self::new)
    }

    fn new(users: SigningKey) -> Self {
        let api_keys = users.derived(API_KEYS_PURPOSE);
        Self { users, api_keys }
    }

    /// The secret, as [`Keyring::parse`] reads it: PKCS#8 in PEM.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.users.to_pem()
    }

    /// The key that signs users' tokens.
    #[must_use]
    pub fn users(&self) -> &SigningKey {
        &self.users
    }

    /// The key that signs the `anon` and `service` keys.
    #[must_use]
    pub fn api_keys(&self) -> &SigningKey {
        &self.api_keys
    }

    /// The public keys as JSON, for `/auth/v1/.well-known/jwks.json`.
    #[must_use]
    pub fn jwks(&self) -> String {
        let set = Jwks { keys: [self.users.public_jwk(), self.api_keys.public_jwk()] };
        serde_json::to_string(&set).expect("BUG: a JWK is strings")
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

    #[test]
    fn no_error_repeats_the_text_it_was_given() {
        let error = Keyring::parse("my-secret-passphrase").unwrap_err();
        assert!(!error.to_string().contains("passphrase"));
    }
}
