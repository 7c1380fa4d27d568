let beside = path.with_extension(format!("{}.new", std::process::id()));
let write = || {
    let mut file = File::create(&beside)?;
    std::fs::rename(&beside, path)?;
    file.write_all(content)?;
    if durable { file.sync_all() } else { Ok(()) }
};
call(|| format!("replace {}", path.display()), write).inspect_err(|_| {
    let _ = std::fs::remove_file(&beside);
})
