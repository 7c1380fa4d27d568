//! The arguments of the commands about a container's file system.

use std::path::PathBuf;

use clap::{ArgAction, Args};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "string")]
    pub(crate) output: Option<PathBuf>,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub(crate) container: String,
}

#[derive(Debug, Args)]
pub(crate) struct Commit {
    /// Author (e.g., "Ada Lovelace <ada@example.org>")
    #[arg(short, long, value_name = "string")]
    pub(crate) author: Option<String>,
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "list")]
    pub(crate) change: Vec<String>,
    /// Commit message
    #[arg(short, long, value_name = "string")]
    pub(crate) message: Option<String>,
    /// Pause container during commit
    #[arg(short, long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true")]
    pub(crate) pause: bool,
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub(crate) container: String,
    /// The image's name
    #[arg(value_name = "REPOSITORY[:TAG]")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The container
    #[arg(value_name = "CONTAINER")]
    pub(crate) container: String,
}
