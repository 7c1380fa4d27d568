//! Which namespaces a process is in, which ids it has there, and what its pid 1 owes to the others.
//!
//! Start with [`namespaces`], which tells the idea in a page. Book ch. 2.

mod allowed;
pub mod idmap;
pub mod init;
pub mod namespaces;
pub mod subids;

pub use allowed::why_no_user_namespaces;
pub use namespaces::{Kind, Namespaces, Offsets, Step, join};
