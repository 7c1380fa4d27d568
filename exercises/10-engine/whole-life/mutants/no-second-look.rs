let fd = pidfd::pidfd_open(self.pid()).ok()?;
Some(fd)
