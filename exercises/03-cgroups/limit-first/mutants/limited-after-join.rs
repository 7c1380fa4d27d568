let path = CString::new(program.as_os_str().as_bytes())?;
let mut group = Cgroup::create(layout, name, &Limits::default())?;
let (gate, opener) = ipc::pipe()?;
let directory = group.directory()?;
let child = clone3(CloneFlags::empty(), directory.as_ref().map(|fd| fd.as_fd()), || {
    let _ = ipc::read(&gate, &mut [0]);
    become_program(&path)
})?;
group.join_separate(child.pid)?;
group.update(limits)?;
ipc::write(&opener, b"x")?;
Ok(child.pid)
