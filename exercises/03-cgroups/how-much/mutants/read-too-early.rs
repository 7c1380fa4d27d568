let child = start_inside(group, command)?;
let stats = group.stats()?;
pidfd::wait(&child.pidfd)?;
let memory = stats.memory.and_then(|memory| memory.peak).ok_or("memory is not counted")?;
let cpu = stats.cpu.ok_or("processor time is not counted")?;
Ok(Needed { memory, cpu: Duration::from_nanos(cpu.total_ns) })
