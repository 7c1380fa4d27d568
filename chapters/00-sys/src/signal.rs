//! Signals as events: sigprocmask(2), signalfd(2), and a clean slate before execve(2).

use nix::errno::Errno;
use nix::libc;
pub use nix::sys::signal::Signal;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow};
use nix::sys::signalfd::SfdFlags;
pub use nix::sys::signalfd::SignalFd;

use crate::call::{Error, Result, call};

/// Blocks the signals of these numbers and returns a descriptor that becomes readable when one arrives.
///
/// # Errors
/// `EMFILE`; `EINVAL` for a number that is no signal. signalfd(2).
pub fn signalfd(signals: &[i32]) -> Result<SignalFd> {
    let set = set_of(signals)?;
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
pub fn next(fd: &SignalFd) -> Result<Option<i32>> {
    let info = call(|| "read(signalfd)".to_owned(), || fd.read_signal())?;
    Ok(info.map(|info| info.ssi_signo as i32))
}

/// A set of signals by number, which the real-time signals have no names beside.
fn set_of(signals: &[i32]) -> Result<SigSet> {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: sigemptyset writes a whole sigset_t to the pointer.
    let mut set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    for &number in signals {
        // SAFETY: `set` is a valid sigset_t; a number out of range is refused.
        Errno::result(unsafe { libc::sigaddset(&raw mut set, number) })
            .map_err(|errno| Error::new(format!("sigaddset({number})"), errno))?;
    }
    // SAFETY: `set` was made by sigemptyset and sigaddset.
    Ok(unsafe { SigSet::from_sigset_t_unchecked(set) })
}

/// The numbers of the real-time signals that programs may use. signal(7).
pub fn real_time_numbers() -> std::ops::RangeInclusive<i32> {
    libc::SIGRTMIN()..=libc::SIGRTMAX()
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
    unblock_all()
}

/// Unblocks every signal; what is ignored or caught stays so.
///
/// # Errors
/// None in practice.
pub fn unblock_all() -> Result<()> {
    let set = || nix::sys::signal::sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
    call(|| "sigprocmask(SIG_SETMASK)".to_owned(), set)
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
