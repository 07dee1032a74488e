//! One target, fed for a while in this process.
//!
//! The input at hand is written to a file before it is run, so that whoever started
//! the process can save it where the process does not survive: a stack that
//! overflows and a heap that never ends cannot be caught.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use mainstay_fuzz::{Reached, Target, mutate::Mutator, seeds};

use crate::{
    arguments::Arguments,
    directory,
    shrink::shrink,
    trial::{Broken, Measured, Trials},
};

/// Bytes of stack that inputs run on: those of a thread of the server.
const STACK_BYTES: usize = 2 * 1024 * 1024;
/// How long an input is waited for before the process is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked whether an input has come to an end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a process that was given up ends with.
pub(crate) const GIVEN_UP: i32 = 70;

/// What a campaign came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) inputs: u64,
    /// How many mutated inputs reached a plan.
    pub(crate) plans: u64,
    pub(crate) time: Duration,
    pub(crate) slowest: Duration,
    pub(crate) peak_bytes: usize,
}

/// Feeds the target until the time is over or something breaks. The figures are the
/// last line that is printed.
pub(crate) fn run(target: &Target, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let at_hand = AtHand::create(target)?;
    let inputs = Arc::new(AtomicU64::new(0));
    watch(Arc::clone(&inputs));
    let (target, time, seed) = (*target, arguments.time, arguments.seed);
    let feeding = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let mut feeding = Feeding::new(target, seed, at_hand, inputs);
        let found = feeding.feed(time);
        (feeding, found)
    })?;
    let (feeding, found) = feeding.join().ok().context("the campaign itself panicked")?;
    let code = match found? {
        None => ExitCode::SUCCESS,
        Some((input, broken)) => {
            println!("{}: {broken}", target.name);
            println!("  by {}", shown(&input));
            println!("  saved as {}", save(&target, &input)?.display());
            ExitCode::FAILURE
        }
    };
    let at_hand = path_at_hand(&target, process::id());
    fs::remove_file(at_hand).context("the file of the input at hand")?;
    println!("{}", feeding.figures.to_line());
    Ok(code)
}

struct Feeding {
    target: Target,
    trials: Trials,
    mutator: Mutator,
    at_hand: AtHand,
    /// Inputs so far, for whoever watches.
    inputs: Arc<AtomicU64>,
    figures: Figures,
}

impl Feeding {
    fn new(target: Target, seed: u64, at_hand: AtHand, inputs: Arc<AtomicU64>) -> Self {
        Self {
            target,
            trials: Trials::begin(&target),
            mutator: Mutator::new(&target, seed),
            at_hand,
            inputs,
            figures: Figures::default(),
        }
    }

    fn feed(&mut self, time: Duration) -> anyhow::Result<Option<(Vec<u8>, Broken)>> {
        let began = Instant::now();
        let found = self.feed_until(began + time);
        self.figures.time = began.elapsed();
        found
    }

    fn feed_until(&mut self, end: Instant) -> anyhow::Result<Option<(Vec<u8>, Broken)>> {
        for seed in seeds::inputs(self.target.seeds) {
            if let Err(broken) = self.run(&seed)? {
                return Ok(Some((seed, broken)));
            }
        }
        while Instant::now() < end {
            let input = self.mutator.input();
            match self.run(&input)? {
                Ok(measured) if measured.reached == Reached::Plan => {
                    self.figures.plans += 1;
                    self.mutator.keep(&input);
                }
                Ok(_) => {}
                Err(broken) => {
                    let input = shrink(&self.trials, input, &broken);
                    return Ok(Some((input, broken)));
                }
            }
        }
        Ok(None)
    }

    fn run(&mut self, input: &[u8]) -> anyhow::Result<Result<Measured, Broken>> {
        self.at_hand.set(input)?;
        self.inputs.fetch_add(1, Ordering::Relaxed);
        let outcome = self.trials.run(input);
        self.figures.inputs += 1;
        if let Ok(measured) = &outcome {
            self.figures.slowest = self.figures.slowest.max(measured.time);
            self.figures.peak_bytes = self.figures.peak_bytes.max(measured.peak_bytes);
        }
        Ok(outcome)
    }
}

/// Ends the process where an input does not come to an end.
fn watch(inputs: Arc<AtomicU64>) {
    thread::spawn(move || {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            thread::sleep(LOOK_EVERY);
            let now = inputs.load(Ordering::Relaxed);
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > PATIENCE {
                process::exit(GIVEN_UP);
            }
        }
    });
}

/// The file that holds the input at hand, its length in front.
struct AtHand {
    file: File,
    bytes: Vec<u8>,
}

impl AtHand {
    fn create(target: &Target) -> anyhow::Result<Self> {
        fs::create_dir_all(directory("artifacts"))?;
        let file = File::create(path_at_hand(target, process::id()))
            .context("the file of the input at hand")?;
        Ok(Self { file, bytes: Vec::new() })
    }

    fn set(&mut self, input: &[u8]) -> anyhow::Result<()> {
        self.bytes.clear();
        self.bytes.extend_from_slice(&(input.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(input);
        self.file.write_all_at(&self.bytes, 0).context("writing down the input at hand")
    }
}

fn path_at_hand(target: &Target, process: u32) -> PathBuf {
    directory("artifacts").join(format!("{}-{process}.at-hand", target.name))
}

/// Takes away the input that a process had at hand when it ended.
pub(crate) fn left_at_hand(target: &Target, process: u32) -> Option<Vec<u8>> {
    let path = path_at_hand(target, process);
    let bytes = fs::read(&path).ok()?;
    // It is ignored by git, and of no further use whether or not it can be removed.
    let _ = fs::remove_file(path);
    let (length, input) = bytes.split_at_checked(8)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    Some(input.get(..length)?.to_vec())
}

/// Saves an input where `cargo fuzz` saves what it finds.
pub(crate) fn save(target: &Target, input: &[u8]) -> anyhow::Result<PathBuf> {
    let directory = directory("artifacts").join(target.name);
    fs::create_dir_all(&directory)?;
    // FNV-1a: a name that is the same for the same input.
    let name = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = directory.join(format!("found-{name:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}

/// The beginning of an input, as it can be shown.
pub(crate) fn shown(input: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 300;
    let cut = &input[..input.len().min(SHOWN_BYTES_MAX)];
    let more = if cut.len() < input.len() { " …" } else { "" };
    format!("{} bytes: {:?}{more}", input.len(), String::from_utf8_lossy(cut))
}

impl Figures {
    /// The figures as one line for the process that started this one.
    fn to_line(self) -> String {
        let Self { inputs, plans, time, slowest, peak_bytes } = self;
        let (time, slowest) = (time.as_micros(), slowest.as_micros());
        format!("figures {inputs} {plans} {time} {slowest} {peak_bytes}")
    }

    /// What [`to_line`](Self::to_line) wrote.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let numbers: Result<Vec<u64>, _> =
            line.strip_prefix("figures ")?.split(' ').map(str::parse).collect();
        let [inputs, plans, time, slowest, peak] = numbers.ok()?.try_into().ok()?;
        Some(Self {
            inputs,
            plans,
            time: Duration::from_micros(time),
            slowest: Duration::from_micros(slowest),
            peak_bytes: usize::try_from(peak).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_survive_the_way_between_processes() {
        let figures = Figures {
            inputs: 12,
            plans: 3,
            time: Duration::from_micros(5),
            slowest: Duration::from_micros(4),
            peak_bytes: 9,
        };
        assert_eq!(Figures::from_line(&figures.to_line()), Some(figures));
        assert_eq!(Figures::from_line("figures 1 2"), None);
    }
}
