//! The arguments as typed. Names, letters and help are Docker's; a flag's value is read in [`crate::values`].

mod exec;
mod image;
mod output;
mod registry;
mod system;
mod tree;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use mini_images::platform::Platform;

use crate::failure::{Failure, OURS};
pub(crate) use exec::Exec;
pub(crate) use image::{History, Image, Images, Import, Load, Prune, Pull, Rmi, Save, Tag, Tree};
pub(crate) use output::{Events, Logs};
pub(crate) use registry::{Login, Logout, Push, Search};
pub(crate) use system::{Df, Manifest, ManifestInspect, System};
pub(crate) use tree::{Commit, Export};

use crate::values::{Bytes, Cpus, EnvFile, Tmpfs, natural, whole};

/// A container engine to learn from, with Docker's command line.
#[derive(Debug, Parser)]
#[command(
    name = "mini-docker",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    subcommand_required = false
)]
pub(crate) struct Cli {
    /// Keep everything in this directory
    #[arg(long, global = true, value_name = "DIR", env = "MINI_DOCKER_ROOT")]
    pub(crate) root: Option<PathBuf>,
    /// Print version information and quit
    #[arg(short = 'v', long)]
    pub(crate) version: bool,
    /// Print usage
    #[arg(long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create and run a new container from an image
    Run(Box<Run>),
    /// Execute a command in a running container
    Exec(Box<Exec>),
    /// List containers
    #[command(visible_aliases = ["ls", "list"])]
    Ps(Ps),
    /// Fetch the logs of a container
    Logs(Logs),
    /// Get real time events from the server
    Events(Events),
    /// Stop one or more running containers
    Stop(Stop),
    /// Kill one or more running containers
    Kill(Kill),
    /// Remove one or more containers
    Rm(Rm),
    /// Export a container's filesystem as a tar archive
    Export(Export),
    /// Create a new image from a container's changes
    Commit(Commit),
    /// List images
    Images(Images),
    /// Download an image from a registry
    Pull(Pull),
    /// Upload an image to a registry
    Push(Push),
    /// Authenticate to a registry
    Login(Login),
    /// Log out from a registry
    Logout(Logout),
    /// Search a registry for images
    Search(Search),
    /// Remove one or more images
    Rmi(Rmi),
    /// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
    Tag(Tag),
    /// Show the history of an image
    History(History),
    /// Import the contents from a tarball to create a filesystem image
    Import(Import),
    /// Load an image from a tar archive or STDIN
    Load(Load),
    /// Save one or more images to a tar archive (streamed to STDOUT by default)
    Save(Save),
    /// Return low-level information on containers and images
    Inspect(Inspect),
    /// Show the version information
    Version(Format),
    /// Display system-wide information
    Info(Format),
    /// Tell what this machine can do for containers, and how to mend what it cannot
    Doctor,
    /// Look at manifests in registries
    #[command(subcommand)]
    Manifest(Manifest),
    /// Commands about the engine as a whole
    #[command(subcommand)]
    System(System),
    /// Commands about containers
    #[command(subcommand, hide = true)]
    Container(Container),
    /// Commands about images
    #[command(subcommand, hide = true)]
    Image(Image),
}

/// `container …`: the same commands by their longer names.
#[derive(Debug, Subcommand)]
pub(crate) enum Container {
    /// Create and run a new container from an image
    Run(Box<Run>),
    /// Execute a command in a running container
    Exec(Box<Exec>),
    /// List containers
    #[command(visible_aliases = ["ps", "list"])]
    Ls(Ps),
    /// Fetch the logs of a container
    Logs(Logs),
    /// Stop one or more running containers
    Stop(Stop),
    /// Kill one or more running containers
    Kill(Kill),
    /// Remove one or more containers
    Rm(Rm),
    /// Export a container's filesystem as a tar archive
    Export(Export),
    /// Create a new image from a container's changes
    Commit(Commit),
    /// Return low-level information on containers
    Inspect(Inspect),
}

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
    /// Number of CPUs
    #[arg(long, value_name = "decimal")]
    pub(crate) cpus: Option<Cpus>,
    /// CPU shares (relative weight)
    #[arg(short = 'c', long, value_name = "int", allow_hyphen_values = true, value_parser = natural, default_value = "0", hide_default_value = true)]
    pub(crate) cpu_shares: u64,
    /// CPUs in which to allow execution (0-3, 0,1)
    #[arg(long, value_name = "string", default_value = "", hide_default_value = true)]
    pub(crate) cpuset_cpus: String,
    /// Run container in background and print container ID
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Overwrite the default ENTRYPOINT of the image
    #[arg(long, value_name = "string")]
    pub(crate) entrypoint: Option<String>,
    /// Set environment variables
    #[arg(short, long, value_name = "list")]
    pub(crate) env: Vec<String>,
    /// Read in a file of environment variables
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<EnvFile>,
    /// Show every step of the start: the system call, why, how long, the chapter
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) explain: Option<Explain>,
    /// Container host name
    #[arg(short = 'h', long, value_name = "string")]
    pub(crate) hostname: Option<String>,
    /// Run an init inside the container that forwards signals and reaps processes
    #[arg(long)]
    pub(crate) init: bool,
    /// Keep STDIN open even if not attached
    #[arg(short, long)]
    pub(crate) interactive: bool,
    /// Logging driver for the container: json-file, journald or none
    #[arg(long, value_name = "string", default_value = "json-file", hide_default_value = true)]
    pub(crate) log_driver: String,
    /// Log driver options
    #[arg(long, value_name = "list")]
    pub(crate) log_opt: Vec<String>,
    /// Memory limit
    #[arg(short, long, value_name = "bytes")]
    pub(crate) memory: Option<Bytes>,
    /// Swap limit equal to memory plus swap: '-1' to enable unlimited swap
    #[arg(long, value_name = "bytes", allow_hyphen_values = true)]
    pub(crate) memory_swap: Option<Bytes>,
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
    /// Tune container pids limit (set -1 for unlimited)
    #[arg(long, value_name = "int", value_parser = whole, allow_hyphen_values = true, default_value = "0", hide_default_value = true)]
    pub(crate) pids_limit: i64,
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
    /// Automatically remove the container when it exits
    #[arg(long)]
    pub(crate) rm: bool,
    /// Signal to stop the container
    #[arg(long, value_name = "string")]
    pub(crate) stop_signal: Option<String>,
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

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter")]
    pub(crate) filter: Vec<String>,
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, value_name = "int", value_parser = whole, allow_hyphen_values = true, default_value = "-1")]
    pub(crate) last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    pub(crate) latest: bool,
    /// Don't truncate output
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    pub(crate) size: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string")]
    pub(crate) signal: Option<String>,
    /// Seconds to wait before killing the container; -1 waits for ever
    #[arg(short, long, visible_alias = "time", value_name = "int", value_parser = whole, allow_hyphen_values = true, default_value = "10")]
    pub(crate) timeout: i64,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string", default_value = "KILL")]
    pub(crate) signal: String,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rm {
    /// Force the removal of a running container (uses SIGKILL)
    #[arg(short, long)]
    pub(crate) force: bool,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Format output: 'json' or a Go template
    #[arg(short, long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Display total file sizes if the type is container
    #[arg(short, long)]
    pub(crate) size: bool,
    /// Only inspect objects of the given type: container or image
    #[arg(long, value_name = "string")]
    pub(crate) r#type: Option<String>,
    /// Names or ids of containers or images
    #[arg(required = true, value_name = "NAME|ID")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Format {
    /// Format output: 'json' or a Go template
    #[arg(short, long, value_name = "string")]
    pub(crate) format: Option<String>,
}

/// Reads the arguments. `--help` prints and ends here.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Cli, Failure> {
    let arguments: Vec<OsString> = arguments.collect();
    let matches = as_docker_reads(Cli::command()).try_get_matches_from(&arguments);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(cli),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            ) =>
        {
            // Without the values that switches may have, as in Docker's help.
            Cli::try_parse_from(&arguments).err().unwrap_or(error).exit()
        }
        Err(error) => Err(usage(&error)),
    }
}

/// The last of a repeated flag counts, and a switch may be given a value: `--rm=false`.
fn as_docker_reads(command: clap::Command) -> clap::Command {
    let switch = |arg: clap::Arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool)),
        _ => arg,
    };
    command.args_override_self(true).mut_args(switch).mut_subcommands(as_docker_reads)
}

/// Docker's words for arguments that cannot be read, on one line.
fn usage(error: &clap::Error) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(ContextValue::StyledStrs(texts)) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    // What follows is how the value is called in the help.
    let flag = text(ContextKind::InvalidArg).split([' ', '[', '=']).next().unwrap_or_default().to_owned();
    let value = text(ContextKind::InvalidValue);
    let message = match error.kind() {
        ErrorKind::UnknownArgument if !flag.starts_with('-') => format!("unexpected argument: {flag}"),
        ErrorKind::UnknownArgument => format!("unknown flag: {flag}"),
        ErrorKind::InvalidSubcommand => {
            format!("'{}' is not a mini-docker command", text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("flag needs an argument: {flag}"),
        ErrorKind::InvalidValue => format!("invalid argument \"{value}\" for \"{flag}\" flag"),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("invalid argument \"{value}\" for \"{flag}\" flag: {why}")
        }
        ErrorKind::MissingRequiredArgument => {
            format!("a required argument is missing: {}", text(ContextKind::InvalidArg))
        }
        ErrorKind::ArgumentConflict => format!("{flag} was given twice, or beside what excludes it"),
        _ => first_line(&error.to_string()),
    };
    let suggestion =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .map(text)
            .into_iter()
            .find(|text| !text.is_empty());
    let hint = match suggestion {
        Some(word) => format!(
            "did you mean `{word}`? `mini-docker --help` lists commands, `mini-docker COMMAND --help` flags"
        ),
        None => "`mini-docker --help` lists commands, `mini-docker COMMAND --help` flags".to_owned(),
    };
    // Docker keeps 125 for flags; a command that does not exist or lacks an operand is 1.
    let status = match error.kind() {
        ErrorKind::InvalidSubcommand | ErrorKind::MissingRequiredArgument => 1,
        ErrorKind::UnknownArgument if !flag.starts_with('-') => 1,
        _ => OURS,
    };
    Failure { message, hint: Some(hint), status }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
