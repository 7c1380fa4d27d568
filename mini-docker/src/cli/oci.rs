//! `oci …`: the OCI runtime command line, with runc's flags. runc(8).

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::values::whole;

#[derive(Debug, Args)]
pub(crate) struct Oci {
    /// Enable debug logging
    #[arg(long)]
    pub(crate) debug: bool,
    /// Write errors to this file too
    #[arg(long, value_name = "file")]
    pub(crate) log: Option<PathBuf>,
    /// How they are written there: text or json
    #[arg(long, value_name = "format", default_value = "text")]
    pub(crate) log_format: String,
    /// Take cgroupsPath as "slice:prefix:name"; it is recognized without this flag too
    #[arg(long)]
    pub(crate) systemd_cgroup: bool,
    /// Accepted and not needed: what an ordinary user may do is found out
    #[arg(long, value_name = "auto")]
    pub(crate) rootless: Option<String>,
    /// Accepted and not used: there is no checkpoint
    #[arg(long, value_name = "path", hide = true)]
    pub(crate) criu: Option<String>,
    /// Print the version
    #[arg(short = 'v', long = "version")]
    pub(crate) version: bool,
    #[command(subcommand)]
    pub(crate) command: Option<OciCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OciCommand {
    /// Create a container
    Create(OciCreate),
    /// Delete what is left of a container
    Delete(OciDelete),
    /// Show what a container uses
    Events(OciEvents),
    /// Run one more program in a container
    Exec(Box<OciExec>),
    /// Show what this runtime can do
    Features,
    /// Send a signal to a container
    Kill(OciKill),
    /// List containers
    List(OciList),
    /// Stop all processes of a container
    Pause(OciId),
    /// List the processes of a container
    Ps(OciPs),
    /// Let the processes of a paused container go on
    Resume(OciId),
    /// Create and start a container, and wait for its end
    Run(OciRun),
    /// Write a config.json to begin with
    Spec(OciSpec),
    /// Start the program of a created container
    Start(OciId),
    /// Show the state of a container
    State(OciId),
    /// Change the limits of a container
    Update(OciUpdate),
}

#[derive(Debug, Args)]
pub(crate) struct OciId {
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct OciCreate {
    /// The bundle's directory
    #[arg(short, long, value_name = "path", default_value = ".")]
    pub(crate) bundle: PathBuf,
    /// Send the far side of the terminal to whoever listens at this socket
    #[arg(long, value_name = "path")]
    pub(crate) console_socket: Option<PathBuf>,
    /// Write the process id to this file
    #[arg(long, value_name = "path")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Move the root instead of pivoting to it, which a ramdisk needs; a program that may mount could leave it
    #[arg(long)]
    pub(crate) no_pivot: bool,
    /// Accepted and not needed: no session key ring is made
    #[arg(long)]
    pub(crate) no_new_keyring: bool,
    /// Pass this many additional file descriptors to the program
    #[arg(long, value_name = "number", default_value = "0")]
    pub(crate) preserve_fds: u32,
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct OciRun {
    /// Do not wait for the end
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Do not delete the container at its end
    #[arg(long)]
    pub(crate) keep: bool,
    /// Accepted and not needed: orphans are init's
    #[arg(long)]
    pub(crate) no_subreaper: bool,
    #[command(flatten)]
    pub(crate) create: OciCreate,
}

#[derive(Debug, Args)]
pub(crate) struct OciDelete {
    /// Kill it first, if it runs; that there is none is fine
    #[arg(short, long)]
    pub(crate) force: bool,
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct OciKill {
    /// Send it to all processes
    #[arg(short, long)]
    pub(crate) all: bool,
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// A name or a number
    #[arg(value_name = "SIGNAL", default_value = "SIGTERM")]
    pub(crate) signal: String,
}

#[derive(Debug, Args)]
pub(crate) struct OciList {
    /// table or json
    #[arg(short, long, value_name = "format", default_value = "table")]
    pub(crate) format: String,
    /// Only names
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OciPs {
    /// table or json
    #[arg(short, long, value_name = "format", default_value = "table")]
    pub(crate) format: String,
    /// The container, and options of ps(1)
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true, value_names = ["ID", "OPTION"])]
    pub(crate) id_and_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OciEvents {
    /// Show it once
    #[arg(long)]
    pub(crate) stats: bool,
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct OciSpec {
    /// The bundle's directory
    #[arg(short, long, value_name = "path", default_value = ".")]
    pub(crate) bundle: PathBuf,
    /// For an ordinary user
    #[arg(long)]
    pub(crate) rootless: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OciExec {
    /// Send the far side of the terminal to whoever listens at this socket
    #[arg(long, value_name = "path")]
    pub(crate) console_socket: Option<PathBuf>,
    /// The working directory
    #[arg(long, value_name = "path")]
    pub(crate) cwd: Option<PathBuf>,
    /// Set a variable
    #[arg(short, long, value_name = "NAME=value")]
    pub(crate) env: Vec<String>,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// The user: a number, and a group's number
    #[arg(short, long, value_name = "uid[:gid]")]
    pub(crate) user: Option<String>,
    /// Additional group
    #[arg(short = 'g', long, value_name = "gid")]
    pub(crate) additional_gids: Vec<u32>,
    /// The program as a spec describes it, in a file
    #[arg(short, long, value_name = "path")]
    pub(crate) process: Option<PathBuf>,
    /// Do not wait for the end
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Write the process id to this file
    #[arg(long, value_name = "path")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Set-user-id programs give nothing
    #[arg(long)]
    pub(crate) no_new_privs: bool,
    /// Add a capability
    #[arg(short, long, value_name = "name")]
    pub(crate) cap: Vec<String>,
    /// Pass this many additional file descriptors to the program
    #[arg(long, value_name = "number", default_value = "0")]
    pub(crate) preserve_fds: u32,
    /// The container, and the command
    #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true, value_names = ["ID", "COMMAND"])]
    pub(crate) id_and_command: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OciUpdate {
    /// Read the limits from this file, or from standard input (-)
    #[arg(short, long, value_name = "path")]
    pub(crate) resources: Option<PathBuf>,
    /// Weight of disk traffic
    #[arg(long, value_name = "int")]
    pub(crate) blkio_weight: Option<u16>,
    /// Length of a period of processor time, in microseconds
    #[arg(long, value_name = "int")]
    pub(crate) cpu_period: Option<u64>,
    /// Processor time in a period, in microseconds
    #[arg(long, value_name = "int", value_parser = whole)]
    pub(crate) cpu_quota: Option<i64>,
    /// Relative weight of processor time
    #[arg(long, value_name = "int")]
    pub(crate) cpu_share: Option<u64>,
    /// CPUs to use
    #[arg(long, value_name = "list")]
    pub(crate) cpuset_cpus: Option<String>,
    /// Memory nodes to use
    #[arg(long, value_name = "list")]
    pub(crate) cpuset_mems: Option<String>,
    /// Memory limit, in bytes
    #[arg(long, value_name = "bytes", value_parser = whole)]
    pub(crate) memory: Option<i64>,
    /// Memory that is pressed back to, in bytes
    #[arg(long, value_name = "bytes", value_parser = whole)]
    pub(crate) memory_reservation: Option<i64>,
    /// Memory and swap, in bytes
    #[arg(long, value_name = "bytes", value_parser = whole)]
    pub(crate) memory_swap: Option<i64>,
    /// Processes at most
    #[arg(long, value_name = "int", value_parser = whole)]
    pub(crate) pids_limit: Option<i64>,
    /// The container
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}
