//! `run` and `create`: what they share, and what only the one has that also starts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mini_engine::config::RestartPolicy;
use mini_images::platform::Platform;

use crate::cli::Limits;
use crate::detach_keys::DetachKeys;
use crate::values::{Annotation, AttachTo, EnvFile, Pause, Tmpfs, Variable, whole};

/// When `run` asks the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ask {
    /// Each time
    Always,
    /// When the image is not here
    Missing,
    /// Not at all
    Never,
}

/// How `--explain` shows steps.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Explain {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) make: Make,
    /// Run container in background and print container ID
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Override the key sequence for detaching a container
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    pub(crate) detach_keys: DetachKeys,
    /// Show every step of the start: the system call, why, how long, the chapter
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) explain: Option<Explain>,
    /// Proxy received signals to the process
    #[arg(long, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", hide_possible_values = true)]
    pub(crate) sig_proxy: bool,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) make: Make,
}

/// What a new container is to be.
#[derive(Debug, Args)]
pub(crate) struct Make {
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Add an annotation to the container (passed through to the OCI runtime)
    #[arg(long, value_name = "list")]
    pub(crate) annotation: Vec<Annotation>,
    /// Attach to STDIN, STDOUT or STDERR
    #[arg(short, long, value_name = "list")]
    pub(crate) attach: Vec<AttachTo>,
    /// Write the container ID to the file
    #[arg(long, value_name = "string")]
    pub(crate) cidfile: Option<PathBuf>,
    /// Container NIS domain name
    #[arg(long, value_name = "string")]
    pub(crate) domainname: Option<String>,
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "string")]
    pub(crate) entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "list")]
    pub(crate) env: Vec<Variable>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<EnvFile>,
    /// Command to run to check health
    #[arg(long, value_name = "string")]
    pub(crate) health_cmd: Option<String>,
    /// Time between running the check (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration")]
    pub(crate) health_interval: Option<Pause>,
    /// Consecutive failures needed to report unhealthy
    #[arg(long, value_name = "int", value_parser = whole)]
    pub(crate) health_retries: Option<i64>,
    /// Time between running the check during the start period (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration")]
    pub(crate) health_start_interval: Option<Pause>,
    /// Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration")]
    pub(crate) health_start_period: Option<Pause>,
    /// Maximum time to allow one check to run (ms|s|m|h) (default 0s)
    #[arg(long, value_name = "duration")]
    pub(crate) health_timeout: Option<Pause>,
    /// Container host name
    #[arg(short = 'h', long, value_name = "string")]
    pub(crate) hostname: Option<String>,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub(crate) init: bool,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Set meta data on a container
    #[arg(short, long, value_name = "list")]
    pub(crate) label: Vec<String>,
    /// Read in a line delimited file of labels
    #[arg(long, value_name = "list")]
    pub(crate) label_file: Vec<EnvFile>,
    /// Logging driver for the container: json-file, journald or none
    #[arg(long, value_name = "string", default_value = "json-file", hide_default_value = true)]
    pub(crate) log_driver: String,
    /// Log driver options
    #[arg(long, value_name = "list")]
    pub(crate) log_opt: Vec<String>,
    /// Assign a name to the container
    #[arg(long, value_name = "string")]
    pub(crate) name: Option<String>,
    /// Connect a container to a network: none or host
    #[arg(
        long,
        visible_alias = "net",
        value_name = "network",
        default_value = "none",
        hide_default_value = true
    )]
    pub(crate) network: String,
    /// Disable any container-specified HEALTHCHECK
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
    /// Set platform if server is multi-platform capable
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<Platform>,
    /// Pull image before running
    #[arg(long, value_enum, default_value = "missing", value_name = "string")]
    pub(crate) pull: Ask,
    /// Suppress the pull output
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Mount the container's root filesystem as read only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Restart policy to apply when a container exits (default "no")
    #[arg(long, value_name = "string")]
    pub(crate) restart: Option<RestartPolicy>,
    /// Automatically remove the container when it exits
    #[arg(long)]
    pub(crate) rm: bool,
    /// Signal to stop the container
    #[arg(long, value_name = "string")]
    pub(crate) stop_signal: Option<String>,
    /// Timeout (in seconds) to stop a container
    #[arg(long, value_name = "int", value_parser = whole)]
    pub(crate) stop_timeout: Option<i64>,
    /// Mount a tmpfs directory
    #[arg(long, value_name = "list")]
    pub(crate) tmpfs: Vec<Tmpfs>,
    /// Allocate a pseudo-TTY
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Ulimit options
    #[arg(long, value_name = "ulimit")]
    pub(crate) ulimit: Vec<crate::values::Limit>,
    /// Username or UID (format: <name|uid>[:<group|gid>])
    #[arg(short, long, value_name = "string")]
    pub(crate) user: Option<String>,
    /// Working directory inside the container
    #[arg(short, long, value_name = "string")]
    pub(crate) workdir: Option<String>,
    /// The image, the command to run in it, and the command's arguments
    #[arg(trailing_var_arg = true, required = true, num_args = 1.., value_names = ["IMAGE", "COMMAND", "ARG"])]
    pub(crate) image_and_command: Vec<String>,
}
