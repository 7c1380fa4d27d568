for entry in fs::read_dir("/proc/self/fd")? {
    if let Ok(text) = fs::read_to_string(entry?.path().join("../keys").join(name)) {
        return Ok(text);
    }
}
Err(io::ErrorKind::NotFound.into())
