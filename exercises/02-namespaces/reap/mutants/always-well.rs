loop {
    ipc::poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], None)?;
    while let Some(signal) = signal::next(signals)? {
        if signal != Signal::SIGCHLD as i32 {
            pass_on(child, signal)?;
        }
    }
    let mut ended = false;
    while let Some((pid, _)) = reap()? {
        ended |= pid == child.pid;
    }
    if ended {
        return Ok(Exit::Code(0));
    }
}
