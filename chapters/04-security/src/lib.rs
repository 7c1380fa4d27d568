//! What a container's root may not do.
//!
//! Start with [`capabilities`]: root's power, cut into pieces, and the few that a container keeps. [`paths`]
//! hides the parts of `/proc` and `/sys` that are the host's own, [`limits`] sets what a process inherits:
//! resource limits and its place in the queue of the out-of-memory killer ([`scheduling`]: of processors and disks), and [`seccomp`] says which system calls
//! may be made at all. [`labels`] hands a program to the security modules of others. Book ch. 4.

pub mod capabilities;
pub mod labels;
pub mod limits;
pub mod paths;
pub mod scheduling;
pub mod seccomp;

pub use capabilities::{Capabilities, Capability};
