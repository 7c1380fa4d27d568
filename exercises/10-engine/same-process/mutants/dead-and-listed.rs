procfs::boot_id() == self.boot && procfs::start_time(Pid::from_raw(self.pid)) == Some(self.start_time)
