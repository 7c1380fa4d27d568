//! The last metres of a process before it becomes a program, the same for the first one and for one that joins.

use mini_security::capabilities;
use oci_spec::runtime::Process;

use crate::furnish;
use crate::spec::{self, SpecError};
use crate::step::Step;

/// From root in the container to the program's user, with its powers and in its directory, which a first process
/// may have made (`make`). Each step here would be refused one step later, or would undo the one before.
pub(crate) fn plan(process: &Process, keep_groups: bool, make: bool) -> Result<Vec<Step>, SpecError> {
    todo!("last-metres: six steps, in an order that works")
}
