let pid = known.id();
let other = take(pid)?;
known.kill()?;
known.wait()?;
Ok(other)
