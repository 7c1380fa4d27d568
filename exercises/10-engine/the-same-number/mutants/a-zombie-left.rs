let pid = known.id();
known.kill()?;
take(pid)
