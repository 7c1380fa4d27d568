fs::read_to_string(Path::new("/proc/1/root").join(secret.strip_prefix("/").ok()?)).ok()
