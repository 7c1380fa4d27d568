pub(crate) fn is_broken(record: &Record) -> bool {
    let dead = |process: &Option<ProcessId>| !process.as_ref().is_some_and(ProcessId::is_alive);
    match record.state.status {
        Status::Created | Status::Exited => false,
        Status::Running | Status::Paused | Status::Restarting => dead(&record.state.monitor),
    }
}
