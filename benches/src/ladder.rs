//! The cost ladder: a program is started in eight ways, each of which does all that the one before does and one
//! thing more, up to a whole `mini-docker run`. What a part of a container costs is the difference of two.
//!
//! All ways take turns, so that a busy moment of the machine falls on each of them; the median then forgets it.
//! Each round has another order, and a pause lies between two turns: what the kernel still does for one
//! process after its end, or has ready because the one before just asked for it, would fall on the next. A time runs from before the process is made until it has ended. What is left
//! to be cleaned up after that is not counted, since nobody waits for it. Nothing here is part of the
//! engine: the steps are those of the chapters, performed one after the other. Book ch. 7.

mod climb;
mod machine;
mod plan;

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

pub use climb::Stage;
pub use machine::Machine;
pub use plan::Rung;

/// Long enough for the kernel to finish with one process before the next.
const PAUSE: Duration = Duration::from_millis(20);

/// What was measured, where and when.
#[derive(Debug, Clone, Serialize)]
pub struct Ladder {
    /// Where and when.
    #[serde(flatten)]
    pub machine: Machine,
    /// How many times every rung was climbed.
    pub rounds: u32,
    /// The rungs, lowest first.
    pub rungs: Vec<Measured>,
}

/// The times of one rung.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What it adds.
    pub name: &'static str,
    /// The median of all rounds, in microseconds.
    pub median_us: f64,
    /// The best of all rounds, in microseconds.
    pub min_us: f64,
}

/// Climbs every rung `rounds` times, after one time that does not count.
///
/// # Errors
/// When a rung cannot be climbed, with its name.
pub fn measure(stage: &Stage, rounds: u32) -> Result<Ladder> {
    let mut times = Rung::ALL.map(|rung| (rung, Vec::new()));
    let count = times.len();
    for round in 0..=rounds as usize {
        for index in order(round, count) {
            let (rung, times) = &mut times[index];
            std::thread::sleep(PAUSE);
            let took = stage.climb(*rung).with_context(|| format!("measure `{}`", rung.name()))?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    let measured = |(rung, times): (Rung, Vec<Duration>)| Measured {
        name: rung.name(),
        median_us: median(&times),
        min_us: times.iter().min().copied().map_or(0.0, microseconds),
    };
    Ok(Ladder { machine: Machine::this(), rounds, rungs: times.into_iter().map(measured).collect() })
}

/// The numbers below `count` in an order of this round's own: no number always follows the same other one.
fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    let strides: Vec<usize> = (1..=count).filter(|stride| divisor(*stride, count) == 1).collect();
    let stride = strides.get(round % strides.len().max(1)).copied().unwrap_or(1);
    (0..count).map(move |turn| (round + turn * stride) % count)
}

/// The greatest common divisor, after Euclid.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// The middle one, or what lies between the two in the middle; in microseconds.
fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => 0.0,
        Some(upper) if sorted.len() % 2 == 1 => microseconds(*upper),
        Some(upper) => microseconds((sorted[middle - 1] + *upper) / 2),
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{median, order};

    #[test]
    fn a_round_has_every_rung_once_and_no_rung_always_follows_the_same_one() {
        for count in [1, 2, 7, 8] {
            for round in 0..20 {
                let mut all: Vec<usize> = order(round, count).collect();
                all.sort_unstable();
                assert_eq!(all, (0..count).collect::<Vec<_>>());
            }
        }
        let before_the_fifth = |round| {
            let all: Vec<usize> = order(round, 8).collect();
            all.windows(2).find(|pair| pair[1] == 5).map(|pair| pair[0])
        };
        let different: std::collections::BTreeSet<_> = (0..20).filter_map(before_the_fifth).collect();
        assert!(different.len() >= 4, "{different:?}");
    }

    #[test]
    fn the_median_forgets_what_was_slow_once() {
        let times = |all: &[u64]| median(&all.iter().copied().map(Duration::from_micros).collect::<Vec<_>>());
        assert_eq!(times(&[3, 1, 9000]), 3.0);
        assert_eq!(times(&[4, 1, 2, 9000]), 3.0);
        assert_eq!(times(&[]), 0.0);
    }
}
