//! A P-256 key pair that signs tokens with ES256, and its public half as a JWK.
//!
//! ES256 because the clients verify it themselves: auth-js's `getClaims` finds the
//! key by `kid` in the JWKS and checks the token with WebCrypto, which has no EdDSA
//! everywhere. A key's `kid` is its RFC 7638 thumbprint, so the same key has the
//! same `kid` wherever it is loaded. What is not a P-256 private key is refused;
//! the secret is in no error and in no `Debug` output.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use p256::{
    SecretKey,
    elliptic_curve::{rand_core::OsRng, sec1::ToEncodedPoint},
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::keyring::KeyringError;

/// A private key, with what is needed to sign and to publish it.
pub struct SigningKey {
    secret: SecretKey,
    encoding: EncodingKey,
    public: PublicKey,
}

/// The public half: verifies, and cannot sign.
#[derive(Clone)]
pub(crate) struct PublicKey {
    decoding: DecodingKey,
    jwk: Jwk,
    pem: String,
}

/// A public key as RFC 7517 writes it, with the members Supabase's clients read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The algorithm it is for: `ES256`.
    pub alg: &'static str,
    /// The curve: `P-256`.
    pub crv: &'static str,
    /// WebCrypto may export it again; auth-js imports it so.
    pub ext: bool,
    /// What it may be used for: `verify`.
    pub key_ops: [&'static str; 1],
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// The type of key: `EC`.
    pub kty: &'static str,
    /// `sig`: it is not for encryption.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The point's first coordinate, in base64url.
    pub x: String,
    /// The point's second coordinate, in base64url.
    pub y: String,
}

impl SigningKey {
    /// A new key, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_secret(SecretKey::random(&mut OsRng))
    }

    /// Reads a private key in PEM: PKCS#8 (`PRIVATE KEY`), or SEC 1
    /// (`EC PRIVATE KEY`), which is what `openssl ecparam -genkey` writes.
    ///
    /// An environment file cannot always hold several lines, so a text of one line
    /// may have the two characters `\n` for each line's end.
    ///
    /// # Errors
    /// When the text holds no P-256 private key; the error says what it looks like
    /// and never repeats it.
    pub fn from_pem(text: &str) -> Result<Self, KeyringError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyringError::Empty);
        }
        let unfolded;
        let pem = if text.contains('\n') || !text.contains("\\n") {
            text
        } else {
            unfolded = text.replace("\\r", "").replace("\\n", "\n");
            unfolded.trim()
        };
        let label = pem
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.split_once("-----"))
            .map(|(label, _)| label)
            .ok_or(KeyringError::NotPem)?;
        let secret = match label {
            "PRIVATE KEY" => SecretKey::from_pkcs8_pem(pem).map_err(|_| KeyringError::NotP256)?,
            "EC PRIVATE KEY" => SecretKey::from_sec1_pem(pem).map_err(|_| KeyringError::NotP256)?,
            "PUBLIC KEY" => return Err(KeyringError::PublicKey),
            "ENCRYPTED PRIVATE KEY" => return Err(KeyringError::Encrypted),
            _ => return Err(KeyringError::NotP256),
        };
        Ok(Self::from_secret(secret))
    }

    /// The private key as PKCS#8 in PEM. This is the secret itself.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = self
            .secret
            .to_pkcs8_pem(LineEnding::LF)
            .expect("BUG: every P-256 secret has a PKCS#8 form");
        pem.to_string()
    }

    /// The RFC 7638 thumbprint by which tokens name this key.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The public half, as it is published.
    #[must_use]
    pub fn public_jwk(&self) -> &Jwk {
        &self.public.jwk
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A second key that follows from this one, for one purpose (RFC 5869).
    ///
    /// Whoever holds this key can compute the other; not the other way round. About
    /// one in 2³² outputs is no scalar of the curve, hence the counter.
    pub(crate) fn derived(&self, purpose: &str) -> Self {
        let extracted = Hkdf::<Sha256>::new(None, &self.secret.to_bytes());
        for counter in 0..=u8::MAX {
            let mut bytes = [0; 32];
            extracted
                .expand_multi_info(&[purpose.as_bytes(), &[counter]], &mut bytes)
                .expect("BUG: 32 bytes are one block of SHA-256");
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                return Self::from_secret(secret);
            }
        }
        unreachable!("BUG: 256 outputs of SHA-256 in a row were outside the curve's order")
    }

    /// 32 bytes that follow from this key and these parts of a purpose, and from
    /// which the key does not follow (RFC 5869).
    pub(crate) fn derived_bytes(&self, purpose: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.secret.to_bytes())
            .expand_multi_info(purpose, &mut *bytes)
            .expect("BUG: 32 bytes are one block of SHA-256");
        bytes
    }

    /// Another copy of the secret, for a keyring made from this one.
    pub(crate) fn duplicate(&self) -> Self {
        Self::from_secret(self.secret.clone())
    }

    /// Signs claims as a compact JWS. The signature is RFC 6979's, so the same
    /// claims give the same text.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid().to_owned());
        jsonwebtoken::encode(&header, claims, &self.encoding)
            .expect("BUG: claims are JSON, and the key is for ES256")
    }

    /// A key given by its scalar in base64url, as a private JWK's `d` has it.
    #[cfg(test)]
    pub(crate) fn from_scalar(d: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(d).unwrap();
        Self::from_secret(SecretKey::from_slice(&bytes).unwrap())
    }

    fn from_secret(secret: SecretKey) -> Self {
        let der = secret.to_pkcs8_der().expect("BUG: every P-256 secret has a PKCS#8 form");
        let encoding = EncodingKey::from_ec_der(der.as_bytes());
        let public = PublicKey::new(&secret.public_key());
        Self { secret, encoding, public }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid()).finish_non_exhaustive()
    }
}

impl PublicKey {
    fn new(key: &p256::PublicKey) -> Self {
        let point = key.to_encoded_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| {
            URL_SAFE_NO_PAD.encode(bytes.expect("BUG: an uncompressed point has both coordinates"))
        };
        let (x, y) = (coordinate(point.x()), coordinate(point.y()));
        // RFC 7638 section 3: the required members alone, in the order of their
        // names, without a space.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        Self {
            decoding: DecodingKey::from_ec_der(point.as_bytes()),
            pem: key
                .to_public_key_pem(LineEnding::LF)
                .expect("BUG: every P-256 public key has an SPKI form"),
            jwk: Jwk {
                alg: "ES256",
                crv: "P-256",
                ext: true,
                key_ops: ["verify"],
                kid,
                kty: "EC",
                usage: "sig",
                x,
                y,
            },
        }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// What an attacker would take for an HMAC secret, were the algorithm theirs to
    /// choose.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether this key's owner signed these bytes with ES256. `signature` is the
    /// base64url text from the token.
    pub(crate) fn verifies(&self, signed: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, signed, &self.decoding, Algorithm::ES256)
            .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_from_its_text_as_itself() {
        let key = SigningKey::generate();
        let again = SigningKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.kid(), key.kid());
        assert_eq!(again.to_pem(), key.to_pem());
    }

    #[test]
    fn a_key_on_one_line_with_written_line_ends_is_the_same_key() {
        let key = SigningKey::generate();
        let line = key.to_pem().replace('\n', "\\n");
        assert_eq!(SigningKey::from_pem(&line).unwrap().kid(), key.kid());
        let windows = key.to_pem().replace('\n', "\r\n");
        assert_eq!(SigningKey::from_pem(&windows).unwrap().kid(), key.kid());
    }

    #[test]
    fn the_form_openssl_writes_by_default_is_read() {
        let key = SigningKey::generate();
        let sec1 = key.secret.to_sec1_pem(LineEnding::LF).unwrap();
        assert!(sec1.starts_with("-----BEGIN EC PRIVATE KEY-----"));
        assert_eq!(SigningKey::from_pem(&sec1).unwrap().kid(), key.kid());
    }

    #[test]
    fn the_kid_is_the_thumbprint_that_others_compute() {
        let key = SigningKey::generate();
        let jwk: jsonwebtoken::jwk::Jwk =
            serde_json::from_value(serde_json::to_value(key.public_jwk()).unwrap()).unwrap();
        let theirs = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(key.kid(), theirs);
    }

    #[test]
    fn two_keys_have_two_names_and_a_derived_key_has_its_own() {
        let (one, two) = (SigningKey::generate(), SigningKey::generate());
        assert_ne!(one.kid(), two.kid());
        let derived = one.derived("a purpose");
        assert_ne!(derived.kid(), one.kid());
        assert_eq!(derived.kid(), one.derived("a purpose").kid());
        assert_ne!(derived.kid(), one.derived("another purpose").kid());
    }

    #[test]
    fn the_secret_is_not_in_debug_output() {
        let key = SigningKey::generate();
        let shown = format!("{key:?}");
        let secret = URL_SAFE_NO_PAD.encode(key.secret.to_bytes());
        assert!(shown.contains(key.kid()) && !shown.contains(&secret));
    }
}
