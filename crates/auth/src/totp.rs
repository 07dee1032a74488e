//! Time-based one-time passwords: the second factor (RFC 6238).
//!
//! SHA-1, six digits, thirty seconds, because authenticator apps ignore anything else.
//! A clock may be one step off either way. A code is good once: the step it was made
//! for is remembered, and neither that step nor one before it is taken again (RFC 6238
//! section 5.2), so that a code read over a shoulder is of no use.
//!
//! The QR code is raw SVG. auth-js puts `data:image/svg+xml;utf-8,` in front of it
//! unescaped, so it holds no `#`, no `%` and no line's end.

use std::fmt;

use mainstay_core::{Timestamp, removal::removed};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::random::random_bytes;

/// Bytes of a secret: as many as SHA-1 gives (RFC 4226 section 4).
pub const TOTP_SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
const STEP_S: u64 = 30;
/// Steps a clock may be ahead or behind.
const SKEW: u64 = 1;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Blank modules around a QR code (ISO/IEC 18004).
const QUIET: i32 = 4;
/// What stays as it is in a label: RFC 3986's unreserved characters, and the `@` of
/// an address.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The secret a server and an authenticator app share. Not shown by `Debug`.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; TOTP_SECRET_BYTES]>);

/// What an authenticator app needs to enrol.
#[derive(Clone)]
pub struct TotpEnrolment {
    /// The secret in base32 without padding, to type.
    pub secret: String,
    /// The `otpauth:` URI.
    pub uri: String,
    /// The URI as a QR code: raw SVG.
    pub qr_code: String,
}

/// What a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpOutcome {
    /// It is right. Store the step, in the statement that makes use of the code.
    Right {
        /// The step it was made for.
        step: i64,
    },
    /// It was right, and it or a later one has been used.
    Replayed,
    /// It is wrong.
    Wrong,
}

impl TotpSecret {
    /// A new one, from the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(random_bytes()))
    }

    /// The secret of these bytes, if they are as many as there should be.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// What an app needs to enrol this secret; `issuer` and `account` are what it
    /// shows. `None` where they are too long for a QR code.
    #[must_use]
    pub fn enrolment(&self, issuer: &str, account: &str) -> Option<TotpEnrolment> {
        let secret = Secret::new_stack(*self.0).to_base32();
        let escaped = |text| utf8_percent_encode(text, ESCAPED);
        let (issuer, account) = (escaped(issuer), escaped(account));
        let uri = format!(
            "otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits={DIGITS}&issuer={issuer}\
             &period={STEP_S}&secret={secret}"
        );
        let qr_code = svg(&QrCode::encode_text(&uri, QrCodeEcc::Medium).ok()?);
        Some(TotpEnrolment { secret, uri, qr_code })
    }

    /// What this code is at this moment, `last_step` being that of the last code
    /// this secret was used with. Spaces, which apps show in the middle of a code,
    /// do not count.
    #[must_use]
    pub fn verify(&self, code: &str, now: Timestamp, last_step: Option<i64>) -> TotpOutcome {
        let code: String = code.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let Ok(now_s) = u64::try_from(now.as_micros().div_euclid(MICROS_PER_SECOND)) else {
            return TotpOutcome::Wrong;
        };
        let totp = self.totp();
        let mut outcome = TotpOutcome::Wrong;
        let now_step = now_s / STEP_S;
        for step in now_step.saturating_sub(SKEW)..=now_step + SKEW {
            let made_then = totp.check(&code, step * STEP_S).is_some();
            let Ok(step) = i64::try_from(step) else { continue };
            if !made_then || matches!(outcome, TotpOutcome::Right { .. }) {
                continue;
            }
            let used = last_step.is_some_and(|last| step <= last) && !removed("totp-replay");
            outcome = if used { TotpOutcome::Replayed } else { TotpOutcome::Right { step } };
        }
        outcome
    }

    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_S)
            .with_skew(0)
            .with_secret(*self.0)
            .build_noncompliant()
    }
}

/// Dark modules as one path, each row's runs as rectangles of height 1.
fn svg(code: &QrCode) -> String {
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or(0);
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET));
            }
            x += run.max(1);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"240\" \
         viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"white\"/>\
         <path d=\"{path}\" fill=\"black\"/></svg>"
    )
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpEnrolment(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * MICROS_PER_SECOND).unwrap()
    }

    /// The secret of RFC 6238, appendix B.
    fn published() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let right = TotpOutcome::Right { step: seconds / 30 };
            assert_eq!(published().verify(code, at(seconds), None), right, "{code}");
        }
    }

    #[test]
    fn a_code_holds_in_its_step_and_one_to_either_side() {
        // Made for the step from 1,111,111,080 to 1,111,111,110.
        let (code, step) = ("081804", 37_037_036);
        let right = TotpOutcome::Right { step };
        let first = step * 30;
        for (seconds, expected) in [
            (first - 31, TotpOutcome::Wrong),
            (first - 30, right),
            (first, right),
            (first + 59, right),
            (first + 60, TotpOutcome::Wrong),
            (0, TotpOutcome::Wrong),
            (-1_000, TotpOutcome::Wrong),
        ] {
            assert_eq!(published().verify(code, at(seconds), None), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_not_taken_twice_nor_after_a_later_one() {
        let (code, step, now) = ("081804", 37_037_036, at(1_111_111_109));
        let verify = |last_step| published().verify(code, now, last_step);
        assert_eq!(verify(Some(step - 1)), TotpOutcome::Right { step });
        assert_eq!(verify(Some(step)), TotpOutcome::Replayed);
        assert_eq!(verify(Some(step + 1)), TotpOutcome::Replayed);
        assert_eq!(published().verify("081805", now, Some(step)), TotpOutcome::Wrong);
    }

    #[test]
    fn spaces_do_not_count_and_anything_else_is_wrong() {
        let verify = |code: &str| published().verify(code, at(1_111_111_109), None);
        assert_eq!(verify(" 081 804\n"), TotpOutcome::Right { step: 37_037_036 });
        for wrong in ["", "81804", "0081804", "+81804", "08180４", "07081804", "081804x", "-81804"]
        {
            assert_eq!(verify(wrong), TotpOutcome::Wrong, "{wrong}");
        }
    }

    #[test]
    fn an_enrolment_is_what_authenticator_apps_read() {
        let enrolment = published().enrolment("blog.test:8080", "ana+x@example.org").unwrap();
        assert_eq!(enrolment.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            enrolment.uri,
            "otpauth://totp/blog.test%3A8080:ana%2Bx@example.org?algorithm=SHA1&digits=6\
             &issuer=blog.test%3A8080&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        let hostile = published().enrolment("a&secret=B#", "b?c/d%e é").unwrap().uri;
        assert!(hostile.starts_with("otpauth://totp/a%26secret%3DB%23:b%3Fc%2Fd%25e%20%C3%A9?"));
        assert!(published().enrolment(&"x".repeat(2_000), "ana").is_none());
    }

    #[test]
    fn the_qr_code_can_stand_in_a_data_uri_as_it_is_and_draws_every_module() {
        let enrolment = published().enrolment("blog", "ana@example.org").unwrap();
        let svg = &enrolment.qr_code;
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains(['#', '%', '\n', '\r', '\'']), "{svg}");

        let code = QrCode::encode_text(&enrolment.uri, QrCodeEcc::Medium).unwrap();
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut drawn = std::collections::BTreeSet::new();
        for run in path.split('z').filter(|run| !run.is_empty()) {
            let numbers: Vec<i32> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            for x in numbers[0]..numbers[0] + numbers[2] {
                drawn.insert((x - QUIET, numbers[1] - QUIET));
            }
        }
        let side = 0..code.size();
        let dark = side.clone().flat_map(|x| side.clone().map(move |y| (x, y)));
        assert_eq!(drawn, dark.filter(|(x, y)| code.get_module(*x, *y)).collect());
    }

    #[test]
    fn a_secret_is_twenty_bytes_and_not_in_debug_output() {
        let secret = TotpSecret::generate();
        assert_eq!(secret.as_bytes().len(), TOTP_SECRET_BYTES);
        assert_ne!(secret.as_bytes(), TotpSecret::generate().as_bytes());
        assert!(TotpSecret::from_bytes(&[0; 19]).is_none());
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
    }
}
