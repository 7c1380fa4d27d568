//! A filter, ready to be loaded.

use mini_sys::Result;
use mini_sys::seccomp::{self, FilterFlags, Instruction};

/// A compiled profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    instructions: Vec<Instruction>,
    flags: FilterFlags,
}

impl Filter {
    pub(super) fn new(instructions: Vec<Instruction>, flags: FilterFlags) -> Self {
        Self { instructions, flags }
    }

    /// The program.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        let flags = match self.flags.is_empty() {
            true => "0".to_owned(),
            false => mini_sys::flags::names(&self.flags),
        };
        format!("seccomp(SECCOMP_SET_MODE_FILTER, {flags}, {} instructions)", self.instructions.len())
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        "from here on the kernel asks the filter first; nobody can take it away again"
    }

    /// Loads it, for this process and all that it makes.
    ///
    /// # Errors
    /// `EACCES` for who may still gain rights and has no `CAP_SYS_ADMIN`. seccomp(2).
    pub fn load(&self) -> Result<()> {
        seccomp::set_mode_filter(&self.instructions, self.flags)
    }
}
