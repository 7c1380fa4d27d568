for process in fs::read_dir("/proc")?.flatten() {
    let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
    for entry in open.flatten() {
        if let Ok(text) = fs::read_to_string(entry.path().join("../keys").join(name)) {
            return Ok(text);
        }
    }
}
Err(io::ErrorKind::NotFound.into())
