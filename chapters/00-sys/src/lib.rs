//! The system calls that containers are made of, typed.
//!
//! A wrapper here has the man page's name, borrowed arguments, one call, and an error that names the call
//! and its operands ([`Error`]). It retries a call that a signal interrupted and decides nothing else: what
//! to call, and in which order, is the subject of the other chapters. Most wrappers stand on `nix` or
//! `rustix`; where neither has a call, it is made here, and this crate is the only one of the workspace
//! with `unsafe` in it.
//!
//! File descriptors are [`std::os::fd::OwnedFd`] and close themselves; a process is a pidfd ([`clone::Child`]),
//! which cannot come to mean another process as a pid can.
//!
//! man pages: syscalls(2), clone(2), mount_setattr(2), pidfd_open(2); book ch. 0.

pub mod access;
pub mod bpf;
mod call;
pub mod capability;
pub mod clone;
pub mod fault;
pub mod file;
pub mod flags;
pub mod inode;
pub mod inotify;
pub mod ipc;
pub mod memory;
pub mod mount;
pub mod mount_api;
pub mod namespace;
pub mod net;
pub mod pidfd;
pub mod process;
pub mod procfs;
pub mod sched;
pub mod seccomp;
pub mod signal;
pub mod tty;
pub mod xattr;

pub use call::{Error, Result};
pub use nix::errno::Errno;
pub use nix::unistd::{Gid, Pid, Uid};
