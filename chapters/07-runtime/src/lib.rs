//! From an OCI runtime spec to a running process.
//!
//! Start with [`mod@plan`]: everything that starting a container takes, as a list. [`mod@start`] performs it with one
//! clone3(2), [`relay`] then carries the program's input and output, and [`explain`] prints the list as it is
//! performed. [`mod@exec`] is the shorter list that joins a container which runs, and [`oci`] the same life in separate
//! commands, for other engines. Book ch. 7.

mod attributes;
mod channel;
mod client;
mod console;
pub mod exec;
pub mod explain;
pub mod filter;
pub mod furnish;
pub mod hooks;
mod last_metres;
pub mod log;
pub mod oci;
pub mod plan;
pub mod program;
pub mod relay;
mod resources;
mod spec;
pub mod start;
pub mod stdio;
pub mod step;
pub mod wire;

pub use plan::{Plan, PlanError, Setting, plan};
pub use program::ExecError;
pub use resources::limits;
pub use start::{StartError, Started, start};
pub use step::Step;
