fs::write("/proc/sys/kernel/ns_last_pid", pid.to_string())?;
Command::new("sleep").arg("1000").spawn()
