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

/// `-` reads a tar archive from standard input and extracts it to a directory of a container, or writes one of what a
/// container has to standard output.
#[derive(Debug, Args)]
pub(crate) struct Cp {
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    pub(crate) archive: bool,
    /// Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    pub(crate) follow_link: bool,
    /// Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "bool")]
    pub(crate) quiet: Option<bool>,
    /// What to copy: CONTAINER:PATH, a path, or -
    #[arg(value_name = "SRC_PATH")]
    pub(crate) source: String,
    /// Where to: a path, CONTAINER:PATH, or -
    #[arg(value_name = "DEST_PATH")]
    pub(crate) target: String,
}
