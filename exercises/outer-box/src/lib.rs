//! Runs a program where a mistake of it cannot harm the machine, and says what it left behind.
//!
//! The box is made of what the chapters teach: a process in new namespaces, a mount tree that is read-only but
//! for fresh `/tmp` and `/run`, a cgroup with limits. Inside, a program may mount, pivot, clone and make cgroups
//! as on a machine of its own. Process 1 of the box is ours: it looks around before and after, and what is
//! there after that was not there before (a mount, a cgroup, a process …) is a [`Leak`]. With process 1 ends
//! everything in the box.
//!
//! Start with [`mod@run`]. The box keeps mistakes in, not an attacker: as root, a program that sets out to break
//! it will. namespaces(7), cgroups(7), mount_setattr(2).

mod cgroup;
mod leak;
mod message;
mod mounts;
mod program;
mod relay;
mod request;
pub mod run;
mod seal;
mod snapshot;
mod supervisor;

pub use cgroup::{BoxCgroupError, restore};
pub use leak::{Allowed, Leak, LeakKind};
pub use request::{Limits, Request};
pub use run::{BoxError, End, Outcome, run};
