let Some(directory) = self.directories().next() else { return Ok(()) };
let procs = directory.join("cgroup.procs");
let deadline = Instant::now() + PATIENCE;
while Instant::now() < deadline {
    self.freeze()?;
    let pids = read_text(&procs)?;
    for pid in pids.lines().filter_map(|line| line.parse().ok()) {
        // One that has ended already is what we want.
        let _ = kill(mini_sys::Pid::from_raw(pid), Signal::SIGKILL);
    }
    self.thaw()?;
    if pids.is_empty() {
        return Ok(());
    }
    sleep(Duration::from_millis(1));
}
Err(Error::new(format!("kill the processes of `{}`", self.name), Errno::ETIMEDOUT))
