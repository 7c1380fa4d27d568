loop {
    ipc::poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], None)?;
    while let Some(signal) = signal::next(signals)? {
        if signal != Signal::SIGCHLD as i32 {
            pass_on(child, signal)?;
        } else if let Some((pid, exit)) = reap()?
            && pid == child.pid
        {
            return Ok(exit);
        }
    }
}
