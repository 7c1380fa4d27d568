let write = || {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    Ok(())
};
call(|| format!("replace {}", path.display()), || -> std::io::Result<()> { write() })
