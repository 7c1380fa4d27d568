let beside = path.with_extension(format!("{}.new", std::process::id()));
let write = || {
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    std::fs::rename(&beside, path)
};
call(|| format!("replace {}", path.display()), write)
