//! What a container's root may not do.
//!
//! Start with [`capabilities`]: root's power, cut into pieces, and the few that a container keeps. [`paths`]
//! hides the parts of `/proc` and `/sys` that are the host's own, and [`limits`] sets what a process inherits:
//! resource limits and its place in the queue of the out-of-memory killer. Book ch. 4.

pub mod capabilities;
pub mod limits;
pub mod paths;

pub use capabilities::{Capabilities, Capability};
