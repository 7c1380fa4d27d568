let child = fork(|| {
    let Failure { step, errno } = perform(order);
    leave(if errno == Errno::ENOENT { 124 + i32::from(step) } else { 126 })
})?;
// Time enough to fail.
let ended = ipc::poll(
    &mut [ipc::PollFd::new(std::os::fd::AsFd::as_fd(&child.pidfd), ipc::PollFlags::POLLIN)],
    Some(std::time::Duration::from_millis(300)),
)?;
if ended == 0 {
    return Ok(Ok(child));
}
match pidfd::wait(&child.pidfd)? {
    pidfd::Exit::Code(127) => Ok(Err(Failure { step: 3, errno: Errno::ENOENT })),
    pidfd::Exit::Code(126) => Ok(Err(Failure { step: 3, errno: Errno::EACCES })),
    _ => Ok(Err(Failure { step: 1, errno: Errno::ENOENT })),
}
