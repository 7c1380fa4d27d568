loop {
    ipc::poll(&mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)], None)?;
    while signal::next(signals)?.is_some() {}
    let mut program = None;
    while let Some((pid, exit)) = reap()? {
        if pid == child.pid {
            program = Some(exit);
        }
    }
    if let Some(exit) = program {
        return Ok(exit);
    }
}
