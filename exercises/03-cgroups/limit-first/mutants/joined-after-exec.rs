let group = Cgroup::create(layout, name, limits)?;
let child = Command::new(program).spawn()?;
let pid = Pid::from_raw(child.id() as i32);
group.join(pid)?;
Ok(pid)
