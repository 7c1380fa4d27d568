pub(crate) fn is_broken(record: &Record) -> bool {
    let dead = |process: &Option<ProcessId>| !process.as_ref().is_some_and(ProcessId::is_alive);
    if !record.state.status.is_active() && record.state.starter.is_some() {
        return dead(&record.state.starter);
    }
    match record.state.status {
        Status::Created => record.maker.is_some() && dead(&record.maker),
        Status::Running | Status::Paused | Status::Restarting => dead(&record.state.process),
        Status::Exited => {
            record.host_config.auto_remove && dead(&record.state.monitor) && dead(&record.maker)
        }
    }
}
