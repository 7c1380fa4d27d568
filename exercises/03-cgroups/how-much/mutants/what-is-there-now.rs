let child = start_inside(group, command)?;
pidfd::wait(&child.pidfd)?;
let stats = group.stats()?;
let memory = stats.memory.ok_or("memory is not counted")?.charged;
let cpu = stats.cpu.ok_or("processor time is not counted")?;
Ok(Needed { memory, cpu: Duration::from_nanos(cpu.total_ns) })
