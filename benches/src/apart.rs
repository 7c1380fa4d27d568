//! Measures in a process that ends with the measurement.
//!
//! The process has a mount namespace of its own whose ties to the host's are cut, so that nothing it mounts
//! is seen outside, and everything it mounted goes with it. It times itself, because its start and end are
//! not what is to be measured, and sends the result through a pipe. Criterion has no threads while it
//! measures, so it may be cloned. clone(2), mount_namespaces(7).

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mini_chroot::root;
use mini_sys::clone::{self, CloneFlags};
use mini_sys::{ipc, pidfd};

/// Runs `work` in such a process and returns the time that it gives. Takes root.
///
/// # Panics
/// When `work` fails: a benchmark of something that does not work says nothing.
pub fn apart(work: impl FnOnce() -> Result<Duration>) -> Duration {
    measure(work).expect("measure in a process of its own")
}

/// As [`apart`], with a new process for each of `times` measurements: for what a process can do only once.
/// Returns the sum.
///
/// # Panics
/// As [`apart`].
pub fn each_apart(times: u64, work: impl Fn() -> Result<()>) -> Duration {
    let once = || {
        let begun = Instant::now();
        work().map(|()| begun.elapsed())
    };
    (0..times).map(|_| apart(once)).sum()
}

fn measure(work: impl FnOnce() -> Result<Duration>) -> Result<Duration> {
    let (reader, writer) = ipc::pipe()?;
    let child = clone::clone3(CloneFlags::CLONE_NEWNS, None, || tell(File::from(writer), work))?;
    // The child's copy of the other end stays open until it ends; ours has gone with the closure.
    let mut answer = String::new();
    File::from(reader).read_to_string(&mut answer).context("read the measurement")?;
    pidfd::wait(&child.pidfd)?;
    match answer.split_once(' ') {
        Some(("took", nanoseconds)) => Ok(Duration::from_nanos(nanoseconds.parse()?)),
        _ => {
            ensure!(!answer.is_empty(), "the process ended without an answer");
            anyhow::bail!("{answer}")
        }
    }
}

fn tell(mut answer: File, work: impl FnOnce() -> Result<Duration>) -> Infallible {
    let text = match root::keep_mounts_private().map_err(anyhow::Error::from).and_then(|()| work()) {
        Ok(took) => format!("took {}", took.as_nanos()),
        Err(error) => format!("{error:#}"),
    };
    // Without an answer the parent knows that something went wrong.
    let _ = answer.write_all(text.as_bytes());
    clone::leave(0)
}
