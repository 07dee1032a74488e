//! Refresh tokens, of which nothing is stored but how often a session was refreshed.
//!
//! A token says which session it is for and which refresh of it, its *generation*,
//! and carries a tag that only this app can make: version, session, generation,
//! HMAC-SHA256 of the three, in base64url. A store of tokens would hold a row for
//! each refresh, and two clients that refresh at once would make two. A counter in
//! the session makes one token out of any number of requests: whoever comes second
//! is given the token of the first.
//!
//! A token in itself grants nothing: the session must be there, and its generation
//! decides ([`RefreshToken::standing`]). It is no JWT, so that it can never pass for
//! an access token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mainstay_core::{Timestamp, removal::removed};
use uuid::Uuid;

use crate::{
    Keyring,
    purpose_keys::{Purpose, PurposeKeys, TAG_BYTES},
};

const VERSION: u8 = 1;
const SIGNED_BYTES: usize = 1 + 16 + 4;
const TOKEN_BYTES: usize = SIGNED_BYTES + TAG_BYTES;
/// Characters of a token.
const TOKEN_CHARS: usize = (TOKEN_BYTES * 8).div_ceil(6);
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Makes refresh tokens, and reads those it made.
#[derive(Debug)]
pub struct RefreshTokens {
    keys: PurposeKeys,
}

/// What a refresh token says, after its tag has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session it is for.
    pub session: Uuid,
    /// How often the session had been refreshed when it was made.
    pub generation: u32,
}

/// Why a text is no refresh token of this app's. The messages are GoTrue's, and do
/// not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshTokenError {
    /// It does not have the form of one.
    #[error("Refresh Token is not valid")]
    Malformed,
    /// It has, and this app did not make it, or its key is gone.
    #[error("Invalid Refresh Token: Refresh Token Not Found")]
    NotFound,
}

/// What a session's own count makes of a token that verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the session's last: refresh, if the count is still the same then.
    Current,
    /// It was replaced a moment ago, by a tab beside it or a request whose answer
    /// was lost: give the current token again.
    JustReplaced,
    /// It was replaced before: it is in two hands, so the session ends.
    Reused,
    /// The session has never come so far: answer as if it were unknown.
    NotIssued,
}

impl RefreshTokens {
    /// Those of the app with these keys.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        Self { keys: keyring.keys_for(Purpose::RefreshTokens) }
    }

    /// The token of this session's generation: always the same text under one key.
    #[must_use]
    pub fn issue(&self, session: Uuid, generation: u32) -> String {
        let mut token = Vec::with_capacity(TOKEN_BYTES);
        token.push(VERSION);
        token.extend_from_slice(session.as_bytes());
        token.extend_from_slice(&generation.to_be_bytes());
        let tag = self.keys.current().tag(&[&token]);
        token.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What this text says, if this app made it.
    ///
    /// # Errors
    /// `Malformed` when it has another form, `NotFound` when no key of ours made it.
    pub fn read(&self, text: &str) -> Result<RefreshToken, RefreshTokenError> {
        let (signed, tag) = split(text).ok_or(RefreshTokenError::Malformed)?;
        if !self.keys.any_verifies(&[&signed], &tag) && !removed("refresh-token-tag") {
            return Err(RefreshTokenError::NotFound);
        }
        Ok(said(&signed))
    }
}

impl RefreshToken {
    /// What becomes of this token, given how often its session has been refreshed,
    /// when that was last, and for how many seconds after it the token before is
    /// still forgiven (zero: never).
    #[must_use]
    pub fn standing(
        &self,
        current: u32,
        refreshed_at: Option<Timestamp>,
        now: Timestamp,
        reuse_s: u32,
    ) -> Standing {
        if self.generation >= current {
            return if self.generation == current {
                Standing::Current
            } else {
                Standing::NotIssued
            };
        }
        if removed("refresh-token-reuse") {
            return Standing::JustReplaced;
        }
        let forgiven = i64::from(reuse_s) * MICROS_PER_SECOND;
        let lately = refreshed_at
            .and_then(|at| at.shifted(forgiven))
            .is_some_and(|until| reuse_s > 0 && now <= until);
        if self.generation + 1 == current && lately {
            Standing::JustReplaced
        } else {
            Standing::Reused
        }
    }
}

/// Whether a text has the form of a refresh token, whoever made it. What it says
/// then is not to be believed.
pub(crate) fn unverified(text: &str) -> Option<RefreshToken> {
    split(text).map(|(signed, _)| said(&signed))
}

/// What is signed, and the tag, of a text that has the right form.
fn split(text: &str) -> Option<([u8; SIGNED_BYTES], [u8; TAG_BYTES])> {
    if text.len() != TOKEN_CHARS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (signed, tag) = bytes.split_first_chunk::<SIGNED_BYTES>()?;
    let tag = tag.try_into().ok()?;
    (signed[0] == VERSION).then_some((*signed, tag))
}

fn said(signed: &[u8; SIGNED_BYTES]) -> RefreshToken {
    let (mut session, mut generation) = ([0; 16], [0; 4]);
    session.copy_from_slice(&signed[1..17]);
    generation.copy_from_slice(&signed[17..]);
    RefreshToken { session: Uuid::from_bytes(session), generation: u32::from_be_bytes(generation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Uuid = Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0001);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * MICROS_PER_SECOND).unwrap()
    }

    #[test]
    fn a_token_is_read_back_and_is_the_same_text_each_time() {
        let tokens = RefreshTokens::new(&Keyring::generate());
        for generation in [0, 1, 7, u32::MAX] {
            let text = tokens.issue(SESSION, generation);
            assert_eq!(text, tokens.issue(SESSION, generation));
            assert_eq!(text.len(), TOKEN_CHARS);
            assert_eq!(tokens.read(&text), Ok(RefreshToken { session: SESSION, generation }));
        }
    }

    #[test]
    fn a_token_changed_in_any_character_is_refused() {
        let tokens = RefreshTokens::new(&Keyring::generate());
        let text = tokens.issue(SESSION, 7);
        for place in 0..text.len() {
            for character in ["A", "Q", "_", "=", "."] {
                let mut changed = text.clone();
                changed.replace_range(place..=place, character);
                assert!(changed == text || tokens.read(&changed).is_err(), "{place} {character}");
            }
        }
    }

    #[test]
    fn what_another_app_made_is_unknown_and_what_nobody_made_is_malformed() {
        let (ours, theirs) =
            (RefreshTokens::new(&Keyring::generate()), RefreshTokens::new(&Keyring::generate()));
        let text = theirs.issue(SESSION, 0);
        assert_eq!(ours.read(&text), Err(RefreshTokenError::NotFound));
        let newer = URL_SAFE_NO_PAD.encode([2; TOKEN_BYTES]);
        for malformed in
            ["", "x", "abcdefghijkl", &text[1..], &format!("{text}A"), &format!("{text}="), &newer]
        {
            assert_eq!(ours.read(malformed), Err(RefreshTokenError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn a_token_of_before_a_rotation_is_accepted_while_its_block_is_there() {
        let old = Keyring::generate();
        let new = old.rotated(at(0)).unwrap();
        let text = RefreshTokens::new(&old).issue(SESSION, 3);
        assert!(RefreshTokens::new(&new).read(&text).is_ok());
        assert_ne!(RefreshTokens::new(&new).issue(SESSION, 3), text);
        let alone = Keyring::parse(&new.users().to_pem()).unwrap();
        assert_eq!(RefreshTokens::new(&alone).read(&text), Err(RefreshTokenError::NotFound));
    }

    #[test]
    fn a_token_that_was_replaced_is_forgiven_once_and_for_a_moment_only() {
        let token = |generation| RefreshToken { session: SESSION, generation };
        let check = |presented, current, after_us: i64, expected| {
            let now = at(1_000).shifted(after_us).unwrap();
            let standing = token(presented).standing(current, Some(at(1_000)), now, 10);
            assert_eq!(standing, expected, "{presented} of {current} after {after_us} µs");
        };
        check(5, 5, 99_000_000, Standing::Current);
        check(0, 0, 0, Standing::Current);
        check(4, 5, 0, Standing::JustReplaced);
        check(4, 5, 10_000_000, Standing::JustReplaced);
        check(4, 5, 10_000_001, Standing::Reused);
        check(4, 5, -2_000_000, Standing::JustReplaced);
        check(3, 5, 0, Standing::Reused);
        check(0, u32::MAX, 0, Standing::Reused);
        check(6, 5, 0, Standing::NotIssued);
        check(u32::MAX, 0, 0, Standing::NotIssued);
        assert_eq!(token(4).standing(5, None, at(0), 10), Standing::Reused);
        assert_eq!(token(4).standing(5, Some(at(0)), at(0), 0), Standing::Reused);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_token_or_a_panic(text in r"[A-Za-z0-9_=-]{0,80}") {
            thread_local! {
                static TOKENS: RefreshTokens = RefreshTokens::new(&Keyring::generate());
            }
            proptest::prop_assert!(TOKENS.with(|tokens| tokens.read(&text)).is_err());
        }
    }
}
