let wait = || {
    // SAFETY: all of siginfo_t's fields are numbers or pointers that nobody follows; zero is a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: `info` is valid for writes of a siginfo_t during the call.
    Errno::result(unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED) })?;
    // SAFETY: after a successful wait with WEXITED the union holds a child's status.
    let status = unsafe { info.si_status() };
    Ok::<_, Errno>(if info.si_code == libc::CLD_EXITED { Exit::Code(status) } else { Exit::Signal(status) })
};
call(|| "waitid(P_ALL)".to_owned(), wait)
