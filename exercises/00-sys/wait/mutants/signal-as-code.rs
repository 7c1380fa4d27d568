let wait = || {
    // SAFETY: all of siginfo_t's fields are numbers or pointers that nobody follows; zero is a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let id = pidfd.as_fd().as_raw_fd() as libc::id_t;
    // SAFETY: `info` is valid for writes of a siginfo_t during the call.
    Errno::result(unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, libc::WEXITED) })?;
    // SAFETY: after a successful wait with WEXITED the union holds a child's status.
    Ok::<_, Errno>(Exit::Code(unsafe { info.si_status() }))
};
call(|| "waitid(P_PIDFD)".to_owned(), wait)
