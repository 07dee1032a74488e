//! One input, held to its bounds.

use std::{
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use mainstay_fuzz::{Reached, Target, heap, prepare};

use crate::mebibytes;

/// How long an input may take: a second. A build that is not optimised is a few times
/// slower than what is served, and is given as much more.
const TIME_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 3 } else { 1 });
/// How large the heap may become while there is one.
const HEAP_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How often an input that took too long is tried again. The machine has others to
/// serve, and a process that waits looks slow; what is slow is slow each time.
const SLOW_TRIALS: usize = 4;

/// What the last panic said, on whichever thread it was: the crate `rules` reads on a
/// thread of its own and turns a panic there into a mistake, and it is one here too.
static PANIC: Mutex<Option<Panicked>> = Mutex::new(None);

/// A panic's words and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked {
    message: String,
    pub(crate) place: String,
}

/// What came of an input that kept to its bounds.
pub(crate) struct Measured {
    pub(crate) reached: Reached,
    pub(crate) time: Duration,
    pub(crate) peak_bytes: usize,
}

/// What an input broke.
pub(crate) enum Broken {
    Panicked(Panicked),
    Slow(Duration),
    Heavy(usize),
}

/// Runs inputs through one target.
pub(crate) struct Trials {
    target: Target,
}

impl Trials {
    /// Makes the app, and has panics noted instead of printed from here on.
    pub(crate) fn begin(target: &Target) -> Self {
        prepare();
        panic::set_hook(Box::new(|info| {
            let payload = info.payload();
            let message = payload
                .downcast_ref::<&str>()
                .map(|message| (*message).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without words".to_owned());
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let mut last = PANIC.lock().unwrap_or_else(PoisonError::into_inner);
            // What panics while a panic is on its way says less than the first.
            last.get_or_insert(Panicked { message, place });
        }));
        Self { target: *target }
    }

    /// Runs one input.
    ///
    /// # Errors
    /// With the bound it does not keep to.
    pub(crate) fn run(&self, input: &[u8]) -> Result<Measured, Broken> {
        let mut measured = self.once(input)?;
        for _ in 1..SLOW_TRIALS {
            if measured.time <= TIME_MAX {
                return Ok(measured);
            }
            let again = self.once(input)?;
            measured.time = measured.time.min(again.time);
        }
        if measured.time > TIME_MAX { Err(Broken::Slow(measured.time)) } else { Ok(measured) }
    }

    fn once(&self, input: &[u8]) -> Result<Measured, Broken> {
        heap::reset_peak();
        let began = Instant::now();
        let caught = panic::catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        let time = began.elapsed();
        let peak_bytes = heap::peak_bytes();
        let panicked = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (caught, panicked) {
            (_, Some(panicked)) => Err(Broken::Panicked(panicked)),
            (Err(_), None) => unreachable!("BUG: the hook sees every panic"),
            (Ok(_), None) if peak_bytes > HEAP_BYTES_MAX => Err(Broken::Heavy(peak_bytes)),
            (Ok(reached), None) => Ok(Measured { reached, time, peak_bytes }),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(Panicked { message, place }) => {
                write!(f, "panicked at {place}: {message}")
            }
            Self::Slow(time) => {
                let (time, most) = (time.as_secs_f64(), TIME_MAX.as_secs());
                write!(
                    f,
                    "took {time:.1} s at the least of {SLOW_TRIALS} times, where {most} s is the most"
                )
            }
            Self::Heavy(bytes) => {
                let (bytes, most) = (mebibytes(*bytes), mebibytes(HEAP_BYTES_MAX));
                write!(f, "made the heap {bytes:.0} MiB large, where {most:.0} MiB is the most")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_fuzz::TARGETS;

    use super::*;

    /// Trials watch the whole process, so there is one at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    /// Does what its input says.
    fn obedient(input: &[u8]) -> Reached {
        match input {
            b"panic" => panic!("as asked"),
            b"swallow" => {
                let _ = std::thread::spawn(|| panic!("elsewhere")).join();
                Reached::Refused
            }
            b"grow" => {
                let large = vec![1_u8; HEAP_BYTES_MAX + 1];
                if large.contains(&0) { Reached::Plan } else { Reached::Refused }
            }
            _ => Reached::Plan,
        }
    }

    #[test]
    fn panics_on_any_thread_and_a_heap_that_grows_too_large_are_found() {
        let _alone = ALONE.lock().unwrap();
        let trials = Trials::begin(&Target { run: obedient, ..TARGETS[0] });
        let said = |input: &[u8]| match trials.run(input) {
            Ok(measured) => format!("{:?}", measured.reached),
            Err(broken) => broken.to_string(),
        };
        assert_eq!(said(b"plan"), "Plan");
        assert!(said(b"panic").contains("as asked"), "{}", said(b"panic"));
        assert!(said(b"swallow").contains("elsewhere"), "{}", said(b"swallow"));
        assert!(said(b"grow").contains("256 MiB is the most"), "{}", said(b"grow"));
        assert_eq!(said(b"plan"), "Plan", "what one input broke is not the next one's");
    }

    #[test]
    fn an_input_that_panics_is_made_as_short_as_it_panics() {
        fn crash(input: &[u8]) -> Reached {
            assert!(!input.windows(3).any(|bytes| bytes == b"((("), "three brackets");
            Reached::Refused
        }
        let _alone = ALONE.lock().unwrap();
        let trials = Trials::begin(&Target { run: crash, ..TARGETS[0] });
        let long = b"select=a,b(((((c)))))&order=d".to_vec();
        let Err(broken) = trials.run(&long) else { panic!("it must break") };
        assert_eq!(crate::shrink::shrink(&trials, long, &broken), b"(((");
    }
}
