let begun = Instant::now();
while begun.elapsed() < Duration::from_secs(5) {
    for process in fs::read_dir("/proc")?.flatten() {
        if let Ok(text) = fs::read_to_string(process.path().join("root/../keys").join(name)) {
            return Ok(text);
        }
    }
    sleep(Duration::from_millis(5));
}
Err(io::ErrorKind::NotFound.into())
