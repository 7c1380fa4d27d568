procfs::is_alive_since(Pid::from_raw(self.pid), self.start_time)
