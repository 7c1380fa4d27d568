let mut steps = Vec::new();
let sets = spec::capability_sets(process)?;
if let Some(sets) = &sets {
    steps.push(Step::Capability(capabilities::Step::Bound(sets.bounding.clone())));
    steps.push(Step::Capability(capabilities::Step::Keep));
}
let user = process.user();
steps.extend(user.umask().map(|mask| Step::Furnish(furnish::Step::Umask(mask))));
steps.push(Step::WorkingDirectory { path: process.cwd().clone(), make });
steps.push(Step::User { uid: user.uid(), gid: user.gid(), groups: None });
steps.extend(sets.map(|sets| Step::Capability(capabilities::Step::Set(sets))));
if process.no_new_privileges().unwrap_or(false) {
    steps.push(Step::Capability(capabilities::Step::NoNewPrivileges));
}
Ok(steps)
