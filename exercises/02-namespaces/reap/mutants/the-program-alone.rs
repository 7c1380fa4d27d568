loop {
    let mut both =
        [PollFd::new(signals.as_fd(), PollFlags::POLLIN), PollFd::new(child.pidfd.as_fd(), PollFlags::POLLIN)];
    ipc::poll(&mut both, None)?;
    while let Some(signal) = signal::next(signals)? {
        if signal != Signal::SIGCHLD as i32 {
            pass_on(child, signal)?;
        }
    }
    if both[1].any() == Some(true) {
        return pidfd::wait(&child.pidfd);
    }
}
