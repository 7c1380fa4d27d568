let mut steps = Vec::new();
let sets = spec::capability_sets(process)?;
let user = process.user();
let groups = if keep_groups { None } else { Some(user.additional_gids().clone().unwrap_or_default()) };
steps.push(Step::User { uid: user.uid(), gid: user.gid(), groups });
steps.push(Step::WorkingDirectory { path: process.cwd().clone(), make });
steps.extend(user.umask().map(|mask| Step::Furnish(furnish::Step::Umask(mask))));
if process.no_new_privileges().unwrap_or(false) {
    steps.push(Step::Capability(capabilities::Step::NoNewPrivileges));
}
if let Some(sets) = sets {
    steps.push(Step::Capability(capabilities::Step::Set(sets.clone())));
    steps.push(Step::Capability(capabilities::Step::Keep));
    steps.push(Step::Capability(capabilities::Step::Bound(sets.bounding)));
}
Ok(steps)
