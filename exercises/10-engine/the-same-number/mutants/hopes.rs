for _ in 0..100 {
    let mut child = Command::new("sleep").arg("1000").spawn()?;
    if child.id() == pid {
        return Ok(child);
    }
    child.kill()?;
    child.wait()?;
}
Err(io::ErrorKind::AlreadyExists.into())
