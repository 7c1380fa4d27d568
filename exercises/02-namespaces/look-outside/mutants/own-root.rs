fs::read_to_string(Path::new("/proc/self/root").join(secret.strip_prefix("/").ok()?)).ok()
