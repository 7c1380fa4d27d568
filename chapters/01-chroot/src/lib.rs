//! Assembles a root filesystem from this machine's own programs, enters it, and leaves the old one behind.
//!
//! Start with [`root`], which tells the idea in a page: what chroot(2) changes, why it is no wall, and how
//! pivot_root(2) makes one. [`mounts`] lists what a container finds mounted, and [`step`] puts that into the
//! order in which it is safe. Book ch. 1.

pub mod assemble;
mod busybox;
mod copy_up;
mod detached;
pub mod elf;
pub mod host;
pub mod host_image;
pub mod ld_cache;
pub mod libraries;
pub mod machine;
pub mod mounts;
mod move_root;
pub mod root;
pub mod search;
pub mod step;
pub mod tree;

pub use detached::Detached;
pub use mounts::Mount;
pub use step::{Devices, Step, plan};
