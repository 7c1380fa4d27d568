Some(Self { pid: pid.as_raw(), start_time: procfs::start_time(pid)?, boot: String::new() })
