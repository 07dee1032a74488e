//! A token: a bearer's, a refresh token, or the opaque id of a session or a link.
//!
//! An input that begins with `{` is the claims of a token, which is then signed with
//! the users' key: no mutation would ever find a signature, and what stands behind
//! one is to be reached as well. Any other input is presented as it is.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay_auth::OpaqueId;
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
        Err(_) => without_claims(input),
    }
}

/// The tokens that say nothing to whoever has them. Each has one text and no other.
fn without_claims(input: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(input) else { return Reached::Refused };
    let tokens = &app().refresh_tokens;
    let refresh = tokens.read(text);
    if let Ok(token) = refresh {
        assert_eq!(tokens.issue(token.session, token.generation), text, "it has another text");
        for current in [0, token.generation, u32::MAX] {
            let _ = token.standing(current, Some(app().now), app().now, 10);
        }
    }
    let id = OpaqueId::parse(text);
    if let Some(id) = &id {
        assert_eq!(id.text(), text, "an id has another text");
    }
    Reached::of(&refresh).or(if id.is_some() { Reached::Plan } else { Reached::Refused })
}

/// These claims with a header and a signature.
pub(crate) fn signed(claims: &[u8]) -> Vec<u8> {
    let header = format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{}"}}"#, app().users_kid);
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims));
    let signature: Signature = app().users_key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    token.into_bytes()
}
