let room = |pid: u32, kind: &str| -> io::Result<(u64, u64)> {
    let namespace = fs::symlink_metadata(format!("/proc/{pid}/ns/{kind}"))?;
    Ok((namespace.dev(), namespace.ino()))
};
let mut found = Vec::new();
for kind in KINDS {
    if room(one, kind)? == room(other, kind)? {
        found.push(kind);
    }
}
Ok(found)
