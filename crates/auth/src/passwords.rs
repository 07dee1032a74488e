//! Passwords: what is stored of them, and whether one is right.
//!
//! What is stored is argon2id in PHC's form, with its parameters inside, so that they
//! can grow: a hash made with others still verifies, and the caller is told to make a
//! new one while the password is at hand. The default parameters are OWASP's (19 MiB,
//! two passes, one lane).
//!
//! Hashes of other systems verify too, see `imported`: bcrypt and Django's PBKDF2.
//! Whoever imports a hash chooses its cost, and every login pays it, so costs are
//! bounded before anything is computed. Nothing is ever truncated: what an algorithm
//! would cut off is not a password for it.
//!
//! Hashing is slow by design, so handlers go through [`PasswordPool`].

mod policy;

mod imported;

mod pool;

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, Version,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use mainstay_core::removal::removed;

pub use self::{
    policy::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PasswordRefusal, WeakReason, check_password},
    pool::{PasswordPool, PasswordPoolError},
};
use crate::{opaque::equal_in_constant_time, random::random_bytes};

/// KiB of memory a hash may take.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Passes over that memory.
const ITERATIONS_MAX: u32 = 32;
/// Lanes.
const PARALLELISM_MAX: u32 = 16;
/// KiB written in all passes together: about a second.
const WORK_KIB_MAX: u64 = 1024 * 1024;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// How much work argon2id makes of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordParams {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// Parameters that argon2id does not take, or that nobody should wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `memory_kib` from 8 per lane to {MEMORY_KIB_MAX}, `iterations` from 1 to \
     {ITERATIONS_MAX}, `parallelism` from 1 to {PARALLELISM_MAX}, and `memory_kib` times \
     `iterations` at most {WORK_KIB_MAX}"
)]
pub struct PasswordParamsError;

/// Whether a password is the one a hash was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is.
    Right,
    /// It is, and the hash was made in another way than is used today: store a new one.
    RightButOutdated,
    /// It is not, or the hash is none.
    Wrong,
}

/// Why a text cannot be stored as the hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// It has no form that is known.
    #[error(
        "expected a password hash of argon2 (PHC), bcrypt (`$2a$`, `$2b$`, `$2y$`) or \
         Django's `pbkdf2_sha256`"
    )]
    Unknown,
    /// It would cost every login more than is allowed.
    #[error("the password hash asks for more work than is allowed")]
    TooCostly,
}

impl PasswordParams {
    /// These parameters, if they are within bounds.
    ///
    /// # Errors
    /// When argon2id does not take them, or a hash would take a second or more.
    pub fn new(
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
    ) -> Result<Self, PasswordParamsError> {
        let work_kib = u64::from(memory_kib) * u64::from(iterations);
        let within = (1..=PARALLELISM_MAX).contains(&parallelism)
            && (1..=ITERATIONS_MAX).contains(&iterations)
            && (8 * parallelism..=MEMORY_KIB_MAX).contains(&memory_kib)
            && work_kib <= WORK_KIB_MAX;
        if within || removed("password-hash-bounds") {
            Ok(Self { memory_kib, iterations, parallelism })
        } else {
            Err(PasswordParamsError)
        }
    }

    fn argon2(self, algorithm: Algorithm, version: Version) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, None).ok()?;
        Some(Argon2::new(algorithm, version, params))
    }

    fn current(self) -> Argon2<'static> {
        self.argon2(Algorithm::Argon2id, Version::V0x13).expect("BUG: parameters were checked")
    }
}

impl Default for PasswordParams {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// What to store of a password: argon2id in PHC's form, with a salt of its own.
#[must_use]
pub fn hash_password(password: &str, params: PasswordParams) -> String {
    params
        .current()
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<SALT_BYTES>())
        .expect("BUG: argon2id takes any password and a salt of 16 bytes")
        .to_string()
}

/// A hash that no password has, for an account that is not there: a login that
/// compares with it takes as long as one that finds an account.
#[must_use]
pub fn dummy_hash(params: PasswordParams) -> String {
    let mut hash = params
        .current()
        .params()
        .try_into()
        .map(|params| PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: None,
            hash: None,
        })
        .expect("BUG: checked parameters have PHC's form");
    hash.salt = Salt::new(&random_bytes::<SALT_BYTES>()).ok();
    hash.hash = Output::new(&random_bytes::<HASH_BYTES>()).ok();
    hash.to_string()
}

/// Whether this is the password that `stored` was made of.
#[must_use]
pub fn verify_password(password: &str, stored: &str, params: PasswordParams) -> Outcome {
    match Stored::parse(stored) {
        Ok(Stored::Argon2 { algorithm, version, params: theirs, hash }) => {
            if !argon2_holds(password, algorithm, version, theirs, &hash) {
                Outcome::Wrong
            } else if algorithm == Algorithm::Argon2id
                && version == Version::V0x13
                && theirs == params
            {
                Outcome::Right
            } else {
                Outcome::RightButOutdated
            }
        }
        Ok(Stored::Imported(hash)) if hash.holds(password) => Outcome::RightButOutdated,
        Ok(Stored::Imported(_)) | Err(_) => Outcome::Wrong,
    }
}

/// Whether a text that someone imports can be stored as a password's hash.
///
/// # Errors
/// When it has no form that is known, or asks for too much work.
pub fn check_password_hash(text: &str) -> Result<(), PasswordHashError> {
    Stored::parse(text).map(|_| ())
}

/// A hash, by what it says of itself.
enum Stored {
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        params: PasswordParams,
        hash: Box<PasswordHash>,
    },
    Imported(imported::Imported),
}

impl Stored {
    fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if !text.starts_with("$argon2") {
            return imported::Imported::parse(text).map(Self::Imported);
        }
        let unknown = PasswordHashError::Unknown;
        let hash = PasswordHash::new(text).map_err(|_| unknown)?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| unknown)?;
        let version = match hash.version {
            None => Version::V0x10,
            Some(version) => Version::try_from(version).map_err(|_| unknown)?,
        };
        let number = |name: &str| hash.params.get_decimal(name).ok_or(unknown);
        let (memory_kib, iterations, parallelism) = (number("m")?, number("t")?, number("p")?);
        let whole = hash.salt.is_some_and(|salt| salt.len() >= 8)
            && hash.hash.is_some_and(|hash| hash.len() >= 16)
            && hash.params.iter().count() == 3;
        if !whole {
            return Err(unknown);
        }
        let params = PasswordParams::new(memory_kib, iterations, parallelism)
            .map_err(|_| PasswordHashError::TooCostly)?;
        Ok(Self::Argon2 { algorithm, version, params, hash: Box::new(hash) })
    }
}

fn argon2_holds(
    password: &str,
    algorithm: Algorithm,
    version: Version,
    params: PasswordParams,
    hash: &PasswordHash,
) -> bool {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return false };
    let Some(argon2) = params.argon2(algorithm, version) else { return false };
    let mut computed = vec![0; expected.len()];
    argon2.hash_password_into(password.as_bytes(), &salt, &mut computed).is_ok()
        && equal_in_constant_time(&computed, expected.as_bytes())
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Little work, so that the tests are quick; nothing here is about strength.
    const QUICK: PasswordParams = PasswordParams { memory_kib: 256, iterations: 2, parallelism: 1 };
    const PASSWORD: &str = "correct horse battery";
    /// Made with the reference implementation, through argon2-cffi.
    const ELSEWHERE: &str = "$argon2id$v=19$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$xxArdw3Akq5V2N0rZWC8lI9HHv4WAP1K35tFPV7mCL4";
    const ARGON2I: &str =
        "$argon2i$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$+57b1Oy/ZEXxhgigsVsVBsPkNT2+FL0w";

    #[test]
    fn a_password_is_right_for_its_own_hash_and_no_other_is() {
        let stored = hash_password(PASSWORD, QUICK);
        assert!(stored.starts_with("$argon2id$v=19$m=256,t=2,p=1$"), "{stored}");
        assert_eq!(verify_password(PASSWORD, &stored, QUICK), Outcome::Right);
        assert_ne!(stored, hash_password(PASSWORD, QUICK), "each has a salt of its own");
        for wrong in ["", "Correct horse battery", "correct horse battery ", "correct horse batter"]
        {
            assert_eq!(verify_password(wrong, &stored, QUICK), Outcome::Wrong, "{wrong}");
        }
        let long = "x".repeat(1024);
        let stored = hash_password(&long, QUICK);
        assert_eq!(verify_password(&long, &stored, QUICK), Outcome::Right);
        assert_eq!(verify_password(&long[1..], &stored, QUICK), Outcome::Wrong, "nothing is cut");
    }

    #[test]
    fn the_default_is_what_owasp_asks_for() {
        let stored = hash_password(PASSWORD, PasswordParams::default());
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }

    #[test]
    fn what_another_implementation_made_is_verified() {
        assert_eq!(verify_password(PASSWORD, ELSEWHERE, QUICK), Outcome::Right);
        assert_eq!(verify_password("wrong", ELSEWHERE, QUICK), Outcome::Wrong);
        assert_eq!(verify_password(PASSWORD, ARGON2I, QUICK), Outcome::RightButOutdated);
        assert_eq!(verify_password("wrong", ARGON2I, QUICK), Outcome::Wrong);
    }

    #[test]
    fn a_hash_made_with_other_parameters_is_right_and_outdated() {
        let stored = hash_password(PASSWORD, QUICK);
        for params in [
            PasswordParams { memory_kib: 512, ..QUICK },
            PasswordParams { iterations: 1, ..QUICK },
            PasswordParams { parallelism: 2, ..QUICK },
        ] {
            let outcome = verify_password(PASSWORD, &stored, params);
            assert_eq!(outcome, Outcome::RightButOutdated, "{params:?}");
        }
    }

    #[test]
    fn the_dummy_has_the_form_and_the_cost_of_a_hash_and_no_password() {
        let dummy = dummy_hash(QUICK);
        let real = hash_password(PASSWORD, QUICK);
        assert_eq!(dummy.len(), real.len());
        assert_eq!(dummy[..29], real[..29]);
        assert_eq!(check_password_hash(&dummy), Ok(()));
        assert_eq!(verify_password(PASSWORD, &dummy, QUICK), Outcome::Wrong);
    }

    #[test]
    fn a_hash_that_costs_too_much_is_refused_before_it_is_computed() {
        let with = |cost: &str| ELSEWHERE.replace("m=256,t=2,p=1", cost);
        for cost in [
            "m=4294967295,t=2,p=1",
            "m=262145,t=1,p=1",
            "m=262144,t=5,p=1",
            "m=256,t=33,p=1",
            "m=256,t=4294967295,p=1",
            "m=256,t=2,p=17",
            "m=4,t=2,p=1",
            "m=256,t=0,p=1",
            "m=256,t=2,p=0",
        ] {
            let refused = check_password_hash(&with(cost));
            assert_eq!(refused, Err(PasswordHashError::TooCostly), "{cost}");
        }
        assert_eq!(check_password_hash(&with("m=262144,t=4,p=16")), Ok(()));
        assert!(PasswordParams::new(262_145, 1, 1).is_err());
        assert!(PasswordParams::new(19_456, 2, 1).is_ok());
    }

    #[test]
    fn what_is_no_hash_is_refused_and_no_password_is_right_for_it() {
        for text in [
            "",
            "$",
            "plain",
            PASSWORD,
            "$argon2id$",
            "$argon2id$v=19$m=256,t=2,p=1",
            "$argon2id$v=19$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg",
            "$argon2id$v=19$m=256,t=2,p=1$MDEy$AAAA",
            "$argon2id$v=7$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=256,t=2$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2x$v=19$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=256,t=2,p=1,data=AAAA$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
            "$5$rounds=5000$salt$hash",
        ] {
            assert_eq!(check_password_hash(text), Err(PasswordHashError::Unknown), "{text}");
            assert_eq!(verify_password(text, text, QUICK), Outcome::Wrong, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_of_hashes_panic(text in r"\$?(argon2id?|2[aby]|pbkdf2_sha256)\$[a-z0-9=,$./]{0,60}") {
            let _ = check_password_hash(&text);
        }
    }
}
