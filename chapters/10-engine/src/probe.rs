//! A process that lives for one probe of a container's health.
//!
//! Who joins a container's namespaces is good for nothing else afterwards (see `mini_runtime::exec`), so a monitor leaves
//! that to a child. It runs the program, keeps the start of what that writes, ends it when it takes too long, and
//! says on a socket what came of it. Book ch. 10.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mini_runtime::Started;
use mini_runtime::stdio::{self, MonitorSide};
use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::signal::Signal;
use mini_sys::{clone, pidfd};

use crate::exec::{self, Exec, ExecError};
use crate::health::Probed;
use crate::home::Home;
use crate::record::{Record, Status};

/// No more of what a probe writes is kept, in bytes: Docker's number.
const LONGEST: usize = 4096;

/// The exit code of a probe that could not be run, or took too long.
const NO_CODE: i32 = -1;

/// Runs `test` in the container `id`, tells `socket`, and ends.
pub(crate) fn main(home: &Home, id: &str, test: &[String], timeout: Duration, socket: &OwnedFd) -> ! {
    // Names are for people.
    let _ = mini_sys::process::set_name(c"mini-docker-hc");
    if let Some((exit_code, output, start)) = run(home, id, test, timeout) {
        let probed = Probed { start, end: Timestamp::now(), exit_code, output };
        let message = serde_json::to_vec(&probed).unwrap_or_default();
        // A monitor that is gone has no container to look after.
        let _ = ipc::send(socket, &[&message], true);
    }
    clone::leave(0)
}

/// The exit code, the output and the start; none when it is not the time to look.
fn run(home: &Home, id: &str, test: &[String], timeout: Duration) -> Option<(i32, String, Timestamp)> {
    let record = Record::load(home, id).ok().flatten()?;
    let start = Timestamp::now();
    let request = Exec { arguments: arguments(test), ..Exec::default() };
    let failed = |error: &dyn std::error::Error| (NO_CODE, error.to_string(), start);
    let ready = match exec::prepare(home, &record, &request) {
        Err(ExecError::Paused(_) | ExecError::NotRunning(_) | ExecError::Restarting(_)) => return None,
        Err(error) => return Some(failed(&error)),
        Ok(ready) => ready,
    };
    let (program, streams) = match stdio::pair(false, false) {
        Ok(pair) => pair,
        Err(error) => return Some(failed(&error)),
    };
    let (code, output) = match ready.run(program) {
        Err(error) => return Some(failed(&error)),
        Ok(started) => {
            let stands_still = || {
                let now = Record::load(home, id).ok().flatten();
                now.is_none_or(|now| now.state.status == Status::Paused)
            };
            watch(&started, streams, timeout, stands_still)?
        }
    };
    Some((code, output, start))
}

/// `CMD` is the program and its arguments, `CMD-SHELL` a line for the shell.
fn arguments(test: &[String]) -> Vec<String> {
    match test.split_first() {
        Some((kind, rest)) if kind == "CMD" => rest.to_vec(),
        Some((kind, rest)) if kind == "CMD-SHELL" => {
            ["/bin/sh", "-c"].map(str::to_owned).into_iter().chain(rest.first().cloned()).collect()
        }
        _ => test.to_vec(),
    }
}

/// Reads along until the program ends, or has taken too long; none when it could not go on.
fn watch(
    started: &Started,
    streams: MonitorSide,
    timeout: Duration,
    stands_still: impl Fn() -> bool,
) -> Option<(i32, String)> {
    let until = Instant::now() + timeout;
    let mut outputs: Vec<OwnedFd> = streams.stdout.into_iter().chain(streams.stderr).collect();
    let mut text = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = vec![PollFd::new(started.child.pidfd.as_fd(), PollFlags::POLLIN)];
        fds.extend(outputs.iter().map(|output| PollFd::new(output.as_fd(), PollFlags::POLLIN)));
        let polled = ipc::poll(&mut fds, Some(left));
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        if left.is_zero() || polled.is_err() {
            let _ = pidfd::pidfd_send_signal(&started.child.pidfd, Signal::SIGKILL);
            if stands_still() {
                // It ends when its container goes on, and that it was slow says nothing.
                return None;
            }
            let _ = pidfd::wait(&started.child.pidfd);
            return Some((NO_CODE, format!("Health check exceeded timeout ({})", words(timeout))));
        }
        let mut index = 0;
        outputs.retain(|output| {
            index += 1;
            !ready[index] || read(output, &mut text)
        });
        // What it leaves running may hold its output open, and is not waited for.
        if ready[0] && !ready[1..].contains(&true) {
            let code = pidfd::wait(&started.child.pidfd).map_or(NO_CODE, |exit| exit.shell_code());
            return Some((code, String::from_utf8_lossy(&text).into_owned()));
        }
    }
}

/// Keeps the start of it; whether there may be more.
fn read(output: &OwnedFd, text: &mut Vec<u8>) -> bool {
    let mut piece = [0; LONGEST];
    match ipc::read(output, &mut piece) {
        Ok(0) | Err(_) => false,
        Ok(length) => {
            let room = LONGEST.saturating_sub(text.len()).min(length);
            text.extend_from_slice(&piece[..room]);
            true
        }
    }
}

/// `30s`, `500ms`: Go's words for a time, as far as they are needed.
fn words(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (0, milliseconds) => format!("{milliseconds}ms"),
        (seconds, 0) if seconds >= 60 => format!("{}m{}s", seconds / 60, seconds % 60),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, milliseconds) => format!("{seconds}.{milliseconds:03}s"),
    }
}
