//! Whose request it is, from the headers that can say so.
//!
//! A bearer token decides; `apikey` counts only where there is no bearer; without
//! either the caller is anonymous, and so is the bearer of the `anon` key. A
//! credential that is there and does not verify is an error, never a step down to
//! anonymous. A service key that a browser sends is refused wherever it stands,
//! because a page that holds it has published it.

use mainstay_core::{Actor, Code, Error, Timestamp};

use crate::{Verified, Verifier};

/// The headers that say whose request it is, as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// `Authorization`. A scheme other than `Bearer` is not ours and says nothing:
    /// a proxy in front may ask for a password of its own.
    pub authorization: Option<&'a [u8]>,
    /// `apikey`.
    pub apikey: Option<&'a [u8]>,
    /// `Origin`, which browsers send, `null` included. That it is there is what
    /// counts.
    pub origin: Option<&'a [u8]>,
}

impl Credentials<'_> {
    /// Whether there is a bearer token, good or bad: beside one no cookie counts.
    #[must_use]
    pub fn has_bearer(&self) -> bool {
        self.authorization.and_then(bearer_token).is_some()
    }
}

impl<'a> Credentials<'a> {
    /// The bearer token, good or bad, where it is text.
    #[must_use]
    pub fn bearer(&self) -> Option<&'a str> {
        self.authorization.and_then(bearer_token).and_then(|token| str::from_utf8(token).ok())
    }
}

impl Verifier {
    /// The caller of a request that brought these credentials.
    ///
    /// # Errors
    /// As [`Verifier::verify`] does, for the credential that decides;
    /// `ServiceFromBrowser` when a service key came with an `Origin`.
    pub fn caller(&self, credentials: Credentials<'_>, now: Timestamp) -> Result<Actor, Error> {
        let verified = self.credential(credentials, now)?;
        Ok(verified.map_or_else(Actor::anonymous, Verified::into_actor))
    }

    /// The credential that decides whose request it is, for who asks after its session
    /// too; `None` where there is none.
    ///
    /// # Errors
    /// As [`Verifier::caller`] does.
    pub fn credential(
        &self,
        credentials: Credentials<'_>,
        now: Timestamp,
    ) -> Result<Option<Verified>, Error> {
        let bearer = credentials.authorization.and_then(bearer_token);
        let apikey = credentials.apikey.filter(|apikey| !apikey.is_empty());
        let Some(deciding) = bearer.or(apikey) else {
            return Ok(None);
        };
        let verified = self.verify(deciding, now)?;
        if credentials.origin.is_some() {
            let beside = apikey.filter(|apikey| *apikey != deciding);
            let is_service =
                |token| self.verify(token, now).is_ok_and(|it| it.actor().is_service());
            if verified.actor().is_service() || beside.is_some_and(is_service) {
                return Err(from_browser());
            }
        }
        Ok(Some(verified))
    }
}

/// The token of `Bearer TOKEN` (RFC 6750 section 2.1; the scheme in any case), which
/// may be empty.
fn bearer_token(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = match authorization.iter().position(|byte| *byte == b' ') {
        Some(space) => authorization.split_at(space),
        None => (authorization, &[][..]),
    };
    scheme.eq_ignore_ascii_case(b"Bearer").then(|| rest.trim_ascii())
}

fn from_browser() -> Error {
    Error::new(Code::ServiceFromBrowser, "a service key arrived from a browser")
        .with_details("The request has an `Origin` header, which only browsers send")
        .with_hint(
            "Whoever opened the page can read the key: replace the signing key, \
             and give pages the `anon` key",
        )
}
