//! What the check of an exercise is written with.
//!
//! A check is a program of its own, `src/bin/check.rs` of the exercise. It does not contain the student's code: it
//! starts the exercise's `driver`, which does, and then looks at what the *kernel* says about that process, in
//! [`kernel`]. Where something can only be seen from inside, it puts a program of ours there, the probe
//! ([`Check::jail`], [`Seen`]). What it finds becomes one [`Verdict`] a claim:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     course_check::main(|check| {
//!         let root = check.jail("root")?;
//!         check.proving(1); // what `?` ends from here on counts against invariant 1
//!         let mut program = check.start("driver", [&root])?;
//!         let seen = program.seen()?;
//!         let mounts = course_check::kernel::mounts(program.pid())?;
//!         check
//!             .invariant(1, "the container's root is the root of its mount namespace")
//!             .expected("a mount at `/`")
//!             .found(format!("{} mounts, `/` holds {}", mounts.len(), seen.root.join(" ")))
//!             .cause("chroot(2) moves a name; pivot_root(2) moves the mount")
//!             .holds(mounts.iter().any(|mount| mount.point == "/"));
//!         program.finish()?;
//!         Ok(())
//!     })
//! }
//! ```
//!
//! Checks run in the outer box, so `/tmp` is empty and theirs, and nothing they do reaches the machine. They
//! vary what they use by a seed, so that an answer cannot be written into a program.

mod chance;
mod check;
pub mod flood;
mod jail;
pub mod kernel;
mod probe;
mod program;
mod verdict;

pub use check::{Check, Invariant, main};
pub use jail::JailError;
pub use probe::{Answer, Seen, probe};
pub use program::{Ended, Program, ProgramError};
pub use verdict::Verdict;
