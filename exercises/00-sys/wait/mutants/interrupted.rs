// SAFETY: all of siginfo_t's fields are numbers or pointers that nobody follows; zero is a value.
let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
let id = pidfd.as_fd().as_raw_fd() as libc::id_t;
// SAFETY: `info` is valid for writes of a siginfo_t during the call.
let result = unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, libc::WEXITED) };
if result == -1 {
    return Err(crate::Error::new("waitid(P_PIDFD)", Errno::last()));
}
// SAFETY: after a successful wait with WEXITED the union holds a child's status.
let status = unsafe { info.si_status() };
Ok(if info.si_code == libc::CLD_EXITED { Exit::Code(status) } else { Exit::Signal(status) })
