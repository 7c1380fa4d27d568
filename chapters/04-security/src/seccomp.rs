//! Which system calls a program may make: a profile, compiled to a filter that the kernel runs before each of them.
//!
//! A [`Profile`] says what happens to calls by name, perhaps depending on their arguments, and what happens to the rest.
//! [`compile()`] turns it into classic BPF: a tree of comparisons over the numbers of the calls, so that each call costs
//! some eight of them and not hundreds, and so that loading costs little too. The whole is done before there is a process
//! to filter; that process only loads it ([`Filter::load`]).
//!
//! What the words of a profile mean is libseccomp's and runc's business, because the profiles of others are written for
//! them. seccomp(2), seccomp_rule_add(3), OCI runtime spec "Seccomp"; book ch. 4.

mod architecture;
mod assembler;
mod compile;
mod conditions;
mod decisions;
mod filter;
mod profile;

pub use architecture::Architecture;
pub use compile::{CompileError, compile, compile_for};
pub use filter::Filter;
pub use profile::{Action, Condition, Profile, Rule, Test};
