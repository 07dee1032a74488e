//! A bearer token.
//!
//! An input that begins with `{` is the claims of a token, which is then signed with
//! the users' key: no mutation would ever find a signature, and what stands behind
//! one is to be reached as well. Any other input is presented as it is.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, signature::Signer};

use crate::{Reached, app::app};

/// Verifies the token and plans a read for whom it names.
pub fn token(input: &[u8]) -> Reached {
    let token = if input.starts_with(b"{") { signed(input) } else { input.to_vec() };
    let verified = app().verifier.verify(&token, app().now);
    assert!(
        verified.is_err() || mainstay_auth::parse_token(&token).is_ok(),
        "a token that has no form verifies"
    );
    match verified {
        Ok(verified) => app().read_as("posts", "select=*,notes", verified.actor()),
        Err(_) => Reached::Refused,
    }
}

/// These claims with a header and a signature.
fn signed(claims: &[u8]) -> Vec<u8> {
    let header = format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{}"}}"#, app().users_kid);
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims));
    let signature: Signature = app().users_key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    token.into_bytes()
}
