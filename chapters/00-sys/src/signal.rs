//! Signals as events: sigprocmask(2), signalfd(2), and a clean slate before execve(2).

use nix::libc;
pub use nix::sys::signal::Signal;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow};
use nix::sys::signalfd::SfdFlags;
pub use nix::sys::signalfd::SignalFd;

use crate::call::{Result, call};

/// Blocks `signals` and returns a descriptor that becomes readable when one arrives.
///
/// # Errors
/// `EMFILE`. signalfd(2).
pub fn signalfd(signals: &[Signal]) -> Result<SignalFd> {
    let set = signals.iter().copied().collect::<SigSet>();
    call(|| "sigprocmask(SIG_BLOCK)".to_owned(), || set.thread_block())?;
    call(
        || "signalfd()".to_owned(),
        || SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK),
    )
}

/// The next signal that waits at `fd`, if any.
///
/// # Errors
/// None in practice.
pub fn next(fd: &SignalFd) -> Result<Option<Signal>> {
    let info = call(|| "read(signalfd)".to_owned(), || fd.read_signal())?;
    Ok(info.and_then(|info| Signal::try_from(info.ssi_signo as i32).ok()))
}

/// Unblocks every signal and gives each its default action: what a program expects to start with, and what
/// execve(2) does not do by itself (Rust's runtime ignores SIGPIPE, a parent may have blocked others).
///
/// # Errors
/// None in practice.
pub fn reset_all() -> Result<()> {
    for signal in Signal::iterator() {
        if matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            continue;
        }
        call(
            || format!("signal({signal}, SIG_DFL)"),
            // SAFETY: SIG_DFL installs no function of ours.
            || unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) },
        )?;
    }
    call(
        || "sigprocmask(SIG_SETMASK)".to_owned(),
        || nix::sys::signal::sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None),
    )
}

/// Sends `signal` to the process `pid`; 0 and negative numbers mean process groups. kill(2).
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn kill(pid: nix::unistd::Pid, signal: Signal) -> Result<()> {
    call(|| format!("kill({pid}, {signal})"), || nix::sys::signal::kill(pid, signal))
}

/// The number of a signal from its name with or without `SIG`, or from its number, as docker takes it:
/// `TERM`, `SIGTERM`, `15`, `RTMIN+3`. None for what is no signal.
pub fn parse(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=libc::SIGRTMAX()).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(offset) = name.strip_prefix("RTMIN") {
        return real_time(libc::SIGRTMIN(), offset);
    }
    if let Some(offset) = name.strip_prefix("RTMAX") {
        return real_time(libc::SIGRTMAX(), offset);
    }
    format!("SIG{name}").parse::<Signal>().ok().map(|signal| signal as i32)
}

fn real_time(base: i32, offset: &str) -> Option<i32> {
    let offset: i32 = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    let number = base.checked_add(offset)?;
    (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn signals_are_known_by_name_and_number() {
        assert_eq!((parse("TERM"), parse("sigkill"), parse("15")), (Some(15), Some(9), Some(15)));
        assert_eq!((parse("RTMIN+3"), parse("RTMAX")), (Some(37), Some(64)));
        assert_eq!((parse("0"), parse("65"), parse("NOPE"), parse("RTMAX+1")), (None, None, None, None));
    }
}
