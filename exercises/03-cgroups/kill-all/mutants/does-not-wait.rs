if let Some(directory) = &self.unified
    && write_existing(&directory.join("cgroup.kill"), "1").is_ok()
{
    return Ok(());
}
for pid in self.pids()? {
    // One that has ended already is what we want.
    let _ = kill(pid, Signal::SIGKILL);
}
Ok(())
