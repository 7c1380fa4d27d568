let begun = std::time::Instant::now();
let child = start_inside(group, command)?;
pidfd::wait(&child.pidfd)?;
let stats = group.stats()?;
let memory = stats.memory.and_then(|memory| memory.peak).ok_or("memory is not counted")?;
Ok(Needed { memory, cpu: begun.elapsed() })
