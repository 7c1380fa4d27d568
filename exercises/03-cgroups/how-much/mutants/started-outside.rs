let words: Vec<&str> = command.iter().map(|word| word.to_str()).collect::<Result<_, _>>()?;
std::process::Command::new(words[0]).args(&words[1..]).status()?;
let stats = group.stats()?;
let memory = stats.memory.and_then(|memory| memory.peak).ok_or("memory is not counted")?;
let cpu = stats.cpu.ok_or("processor time is not counted")?;
Ok(Needed { memory, cpu: Duration::from_nanos(cpu.total_ns) })
