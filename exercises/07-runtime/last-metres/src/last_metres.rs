//! The last metres of a process before it becomes a program, the same for the first one and for one that joins.

use mini_security::capabilities;
use oci_spec::runtime::Process;

use crate::furnish;
use crate::spec::{self, SpecError};
use crate::step::Step;

/// From root in the container to the program's user, with its powers and in its directory, which a first process
/// may have made (`make`). Each step here would be refused one step later, or would undo the one before.
pub(crate) fn plan(process: &Process, keep_groups: bool, make: bool) -> Result<Vec<Step>, SpecError> {
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
}
