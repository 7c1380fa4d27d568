//! Three engines that end the process which they remember. You attack them, and may not change them.

use mini_sys::pidfd;
use mini_sys::signal::{self, Signal};
use mini_sys::{Pid, procfs};

/// What an engine remembers of a process.
#[derive(Clone, Copy)]
pub struct Remembered {
    /// Its number.
    pub pid: u32,
    /// When it started. proc_pid_stat(5), field 22.
    pub start_time: u64,
}

impl Remembered {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        let start_time = procfs::start_time(Pid::from_raw(pid.cast_signed()))?;
        Some(Self { pid, start_time })
    }

    fn pid(self) -> Pid {
        Pid::from_raw(self.pid.cast_signed())
    }

    fn is_alive(self) -> bool {
        procfs::is_alive_since(self.pid(), self.start_time)
    }
}

/// Believes the number. `gap` is what happens meanwhile elsewhere on the machine; so it is below.
pub fn trusting(known: Remembered, gap: impl FnOnce()) {
    gap();
    let _ = signal::kill(known.pid(), Signal::SIGKILL);
}

/// Looks if it is the process that it remembers, and then sends the signal.
pub fn looking(known: Remembered, gap: impl FnOnce()) {
    if known.is_alive() {
        gap();
        let _ = signal::kill(known.pid(), Signal::SIGKILL);
    }
}

/// Takes hold of the process, looks whom it holds, and sends the signal to that one. As mini-docker does.
pub fn holding(known: Remembered, gap: impl FnOnce()) {
    let Ok(process) = pidfd::pidfd_open(known.pid()) else { return };
    if known.is_alive() {
        gap();
        let _ = pidfd::pidfd_send_signal(&process, Signal::SIGKILL);
    }
}
