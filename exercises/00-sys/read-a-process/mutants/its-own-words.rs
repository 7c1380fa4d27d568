let command = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
Ok(command.split('\0').next().unwrap_or_default().into())
