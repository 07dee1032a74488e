//! A compact JWS taken apart, before anything in it is believed.
//!
//! Strangers write this text, so it is bounded before it is read and read strictly:
//! three parts of base64url without padding, a header of `alg`, `kid` and at most
//! `typ: JWT`, and nothing else. A header that brings its own key (`jwk`, `jku`,
//! `x5c`, `x5u`) or asks for more understanding (`crit`, `b64`, `zip`) is refused,
//! not ignored: no token of ours has one, and a parser that does not look cannot be
//! talked into using it. The payload is not looked at here; only a signature makes
//! it worth reading.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay_core::{Code, Error, removal::removed};
use serde::Deserialize;

/// Bytes of a token. A user with hundreds of roles fits; a header line of a proxy's
/// usual size does not hold more.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// A token whose form is right and whose signature nobody has looked at.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    /// The algorithm. Always `ES256`, except where a test removed the check.
    pub(crate) algorithm: String,
    /// The name of the key that is said to have signed it.
    pub(crate) kid: String,
    /// What was signed: the first two parts and the dot between them.
    pub(crate) signed: &'a [u8],
    /// The claims, in base64url.
    pub(crate) payload: &'a str,
    /// The signature, in base64url.
    pub(crate) signature: &'a str,
}

/// Unknown members are an error, and so is one that appears twice; nested values
/// are never entered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

/// Takes a token apart and checks its form and its header.
///
/// It never panics, whatever the bytes; a fuzz target may call it with any.
///
/// # Errors
/// [`Code::TokenInvalid`] when it is empty, too long, not three parts, not
/// base64url, or its header is not one of ours.
pub fn parse_token(token: &[u8]) -> Result<UnverifiedToken<'_>, Error> {
    if token.is_empty() {
        return Err(invalid("Empty JWT is sent in Authorization header"));
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(invalid(format!("the token is longer than {TOKEN_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(token).map_err(|_| not_base64url())?;
    let mut parts = text.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        let count = text.split('.').count();
        return Err(invalid(format!("Expected 3 parts in JWT; got {count}")));
    };
    let signed = &token[..token.len() - signature.len() - ".".len()];
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| not_base64url())?;
    let header = read_header(&header)?;
    Ok(UnverifiedToken {
        algorithm: header.alg,
        kid: header.kid.unwrap_or_default(),
        signed,
        payload,
        signature,
    })
}

fn read_header(json: &[u8]) -> Result<Header, Error> {
    let header: Header = serde_json::from_slice(json).map_err(|_| {
        invalid("the token's header cannot be read")
            .with_hint("Expected a JSON object with `alg`, `kid` and `typ`, and nothing else")
    })?;
    if header.alg != "ES256" && !removed("algorithm-pinning") {
        return Err(invalid("the token is not signed with ES256").with_hint(
            "Tokens of this app are signed with ES256, and no other algorithm is taken",
        ));
    }
    if header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(invalid("the token's `typ` is not JWT"));
    }
    if header.kid.as_deref().is_none_or(str::is_empty) {
        return Err(invalid("the token's header has no `kid`")
            .with_hint("The keys of this app are at /auth/v1/.well-known/jwks.json"));
    }
    Ok(header)
}

fn not_base64url() -> Error {
    invalid("the token is not base64url")
}

/// A token that does not verify. The message never repeats what the token holds.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::TokenInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn our_own_header_is_read_and_the_parts_are_where_they_were() {
        let text = token(r#"{"typ":"JWT","alg":"ES256","kid":"k"}"#);
        let token = parse_token(text.as_bytes()).unwrap();
        assert_eq!((token.algorithm.as_str(), token.kid.as_str()), ("ES256", "k"));
        assert_eq!((token.payload, token.signature), ("e30", "c2ln"));
        assert_eq!(token.signed, &text.as_bytes()[..text.len() - 5]);
        assert!(parse_token(self::token(r#"{"alg":"ES256","kid":"k"}"#).as_bytes()).is_ok());
    }

    #[test]
    fn a_header_that_is_not_ours_is_refused() {
        let deep = format!(r#"{{"alg":"ES256","kid":"k","x":{}"#, "[".repeat(4000));
        for header in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":""}"#,
            r#"{"alg":"ES256","kid":null}"#,
            r#"{"alg":"ES256","kid":["k"]}"#,
            r#"{"alg":["ES256"],"kid":"k"}"#,
            r#"{"alg":"es256","kid":"k"}"#,
            r#"{"alg":"ES384","kid":"k"}"#,
            r#"{"alg":"none","kid":"k"}"#,
            r#"{"alg":"ES256","alg":"none","kid":"k"}"#,
            r#"{"alg":"ES256","kid":"k","kid":"l"}"#,
            r#"{"alg":"ES256","kid":"k","typ":"JWE"}"#,
            r#"{"alg":"ES256","kid":"k","jku":"https://evil.test/jwks"}"#,
            r#"{"alg":"ES256","kid":"k","jwk":{"kty":"EC"}}"#,
            r#"{"alg":"ES256","kid":"k","x5u":"https://evil.test/x5u"}"#,
            r#"{"alg":"ES256","kid":"k","x5c":["AAAA"]}"#,
            r#"{"alg":"ES256","kid":"k","crit":["exp"]}"#,
            r#"{"alg":"ES256","kid":"k","b64":false}"#,
            r#"{"alg":"ES256","kid":"k","zip":"DEF"}"#,
            r#"{"alg":"ES256","kid":"k"} "#.repeat(2).as_str(),
            &deep,
        ] {
            let error = parse_token(token(header).as_bytes()).expect_err(header);
            assert_eq!(error.code(), Code::TokenInvalid, "{header}");
        }
    }

    #[test]
    fn what_is_not_three_parts_of_base64url_is_refused() {
        let good = token(r#"{"alg":"ES256","kid":"k"}"#);
        for text in [
            "",
            ".",
            "..",
            "a",
            "a.b",
            "....",
            &format!("{good}.x"),
            &format!("{good}.x.y"),
            &good.replacen('.', "=.", 1),
            &good.replacen('.', "+.", 1),
            &good.replacen('.', " .", 1),
        ] {
            let error = parse_token(text.as_bytes()).expect_err(text);
            assert_eq!(error.code(), Code::TokenInvalid, "{text}");
        }
        assert!(parse_token(b"\xff.\xff.\xff").is_err());
    }

    #[test]
    fn a_token_is_read_up_to_its_longest_and_not_one_byte_more() {
        let good = token(r#"{"alg":"ES256","kid":"k"}"#);
        let longest = format!("{good}{}", "A".repeat(TOKEN_BYTES_MAX - good.len()));
        assert!(parse_token(longest.as_bytes()).is_ok());
        let error = parse_token(format!("{longest}A").as_bytes()).unwrap_err();
        assert!(error.message().contains("8192"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
            let _ = parse_token(&bytes);
        }

        #[test]
        fn no_header_makes_the_parser_panic(header in r#"[{}\[\]",:a-zA-Z0-9\\]{0,80}"#) {
            let _ = parse_token(token(&header).as_bytes());
        }
    }
}
