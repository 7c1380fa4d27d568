//! The arguments of `completion` and `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A shell whose words can be completed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Fish,
    Zsh,
}

impl Shell {
    /// What the shell is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Fish => "fish",
            Self::Zsh => "zsh",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell
    #[arg(value_name = "bash|zsh|fish", value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where the pages go; without it, the page about all commands is printed
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
