//! Containers as other engines order them: the life cycle of the OCI runtime specification, in separate commands.
//!
//! `create` makes everything up to the program and leaves its process waiting at a fifo; `start` says the word. Nobody
//! of ours stays: what is known of a container is a file, and its process is whoever's child its creator's parent
//! is. Words and behaviour are runc's, because engines read them. OCI runtime spec, "Runtime and Lifecycle";
//! runc(8); book ch. 7.

mod bundle;
mod check;
mod create;
mod exec;
mod lifecycle;
mod refused;
mod store;
mod sysctl;

pub use bundle::{Bundle, BundleError};
pub use create::{Create, Created, create};
pub use exec::{Exec, exec};
pub use lifecycle::{Delete, delete, kill, pause, resume, start, update};
pub use refused::RefusedError;
pub use store::{Container, OciError, Saved, Status, Store};
