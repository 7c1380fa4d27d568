for pid in self.pids()? {
    match kill(pid, Signal::SIGKILL) {
        Err(error) if error.errno() != Errno::ESRCH => return Err(error),
        _ => {}
    }
}
Ok(())
