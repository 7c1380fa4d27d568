let (here, there) = ipc::pipe()?;
let child = fork(|| {
    let Failure { step, errno } = perform(order);
    let [a, b, c, d] = (errno as i32).to_le_bytes();
    let _ = ipc::write(&there, &[step, a, b, c, d]);
    leave(ABANDONED)
})?;
let mut word = [0; 5];
if ipc::read(&here, &mut word)? == 0 {
    return Ok(Ok(child));
}
pidfd::wait(&child.pidfd)?;
let [step, a, b, c, d] = word;
Ok(Err(Failure { step, errno: Errno::from_raw(i32::from_le_bytes([a, b, c, d])) }))
