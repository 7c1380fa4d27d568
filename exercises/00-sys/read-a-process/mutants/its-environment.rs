let environment = fs::read_to_string(format!("/proc/{pid}/environ"))?;
let directory = environment.split('\0').find_map(|variable| variable.strip_prefix("PWD="));
Ok(directory.unwrap_or_default().into())
