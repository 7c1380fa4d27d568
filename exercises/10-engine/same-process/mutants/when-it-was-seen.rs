procfs::start_time(pid)?;
let uptime = fs::read_to_string("/proc/uptime").ok()?;
let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
Some(Self { pid: pid.as_raw(), start_time: (seconds * 100.0) as u64, boot: procfs::boot_id() })
