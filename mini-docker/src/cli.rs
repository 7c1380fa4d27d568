//! The arguments as typed. Names, letters and help are Docker's; a flag's value is read in [`crate::values`].

mod exec;
mod image;
mod life;
mod oci;
mod output;
mod page;
mod read;
mod registry;
mod run;
mod show;
mod system;
mod tree;

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::failure::{Failure, OURS};
pub(crate) use exec::{Exec, Top};
pub(crate) use image::{History, Image, Images, Import, Load, Prune, Pull, Rmi, Save, Tag, Tree};
pub(crate) use life::{Attach, Containers, Kill, Rename, Restart, Rm, Start, Stop, Update};
pub(crate) use oci::{
    Oci, OciCommand, OciCreate, OciEvents, OciExec, OciList, OciPs, OciRun, OciSpec, OciUpdate,
};
pub(crate) use output::{Events, Logs, Stats};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use mini_images::platform::Platform;
pub(crate) use page::{Completion, Man};
pub(crate) use read::parse;
pub(crate) use registry::{Login, Logout, Push, Search};
pub(crate) use run::{Ask, Create, Explain, Make, Run};
use crate::help;
pub(crate) use show::{Format, Inspect, Port, Ps};
pub(crate) use system::{ContainerPrune, Df, Manifest, ManifestInspect, System, SystemPrune};
pub(crate) use tree::{Commit, Cp, Diff, Export};

use crate::values::whole;

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
    /// Create a new container
    Create(Box<Create>),
    /// Start one or more stopped containers
    Start(Start),
    /// Attach local standard input, output, and error streams to a running container
    Attach(Attach),
    /// Restart one or more containers
    Restart(Restart),
    /// Pause all processes within one or more containers
    Pause(Containers),
    /// Unpause all processes within one or more containers
    Unpause(Containers),
    /// Block until one or more containers stop, then print their exit codes
    Wait(Containers),
    /// Rename a container
    Rename(Rename),
    /// Update configuration of one or more containers
    Update(Box<Update>),
    /// Execute a command in a running container
    Exec(Box<Exec>),
    /// List containers
    #[command(visible_aliases = ["ls", "list"])]
    Ps(Ps),
    /// Fetch the logs of a container
    Logs(Logs),
    /// Get real time events from the server
    Events(Events),
    /// Display a live stream of container(s) resource usage statistics
    Stats(Stats),
    /// Stop one or more running containers
    Stop(Stop),
    /// Kill one or more running containers
    Kill(Kill),
    /// Remove one or more containers
    Rm(Rm),
    /// Display the running processes of a container
    Top(Top),
    /// Export a container's filesystem as a tar archive
    Export(Export),
    /// Create a new image from a container's changes
    Commit(Commit),
    /// Copy files/folders between a container and the local filesystem
    Cp(Cp),
    /// Inspect changes to files or directories on a container's filesystem
    Diff(Diff),
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
    /// List port mappings or a specific mapping for the container
    Port(Port),
    /// Show the version information
    Version(Format),
    /// Display system-wide information
    Info(Format),
    /// Tell what this machine can do for containers, and how to mend what it cannot
    Doctor,
    /// The runtime behind this engine, with the command line of runc, for other engines
    Oci(Box<Oci>),
    /// List mounts, processes, cgroups and files that belong to no container
    Leaks,
    /// Take away what `leaks` lists
    Restore,
    /// Manage image manifests and manifest lists
    #[command(subcommand)]
    Manifest(Manifest),
    /// Manage the engine
    #[command(subcommand)]
    System(System),
    /// Manage containers
    #[command(subcommand)]
    Container(Container),
    /// Manage images
    #[command(subcommand)]
    Image(Image),
    /// Print the lines that make a shell complete commands, flags and names
    Completion(Completion),
    /// Print the man page, or write all of them to a directory
    Man(Man),
}

/// `container …`: the same commands by their longer names.
#[derive(Debug, Subcommand)]
pub(crate) enum Container {
    /// Create and run a new container from an image
    Run(Box<Run>),
    /// Create a new container
    Create(Box<Create>),
    /// Start one or more stopped containers
    Start(Start),
    /// Attach local standard input, output, and error streams to a running container
    Attach(Attach),
    /// Restart one or more containers
    Restart(Restart),
    /// Pause all processes within one or more containers
    Pause(Containers),
    /// Unpause all processes within one or more containers
    Unpause(Containers),
    /// Block until one or more containers stop, then print their exit codes
    Wait(Containers),
    /// Rename a container
    Rename(Rename),
    /// Update configuration of one or more containers
    Update(Box<Update>),
    /// Execute a command in a running container
    Exec(Box<Exec>),
    /// List containers
    #[command(visible_aliases = ["ps", "list"])]
    Ls(Ps),
    /// Fetch the logs of a container
    Logs(Logs),
    /// Display a live stream of container(s) resource usage statistics
    Stats(Stats),
    /// Stop one or more running containers
    Stop(Stop),
    /// Kill one or more running containers
    Kill(Kill),
    /// Remove one or more containers
    Rm(Rm),
    /// Display the running processes of a container
    Top(Top),
    /// Export a container's filesystem as a tar archive
    Export(Export),
    /// Create a new image from a container's changes
    Commit(Commit),
    /// Copy files/folders between a container and the local filesystem
    Cp(Cp),
    /// Inspect changes to files or directories on a container's filesystem
    Diff(Diff),
    /// Return low-level information on containers
    Inspect(Inspect),
    /// List port mappings or a specific mapping for the container
    Port(Port),
    /// Remove all stopped containers
    Prune(ContainerPrune),
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
pub(crate) struct Inspect {
    /// Format output: 'json' or a Go template
    #[arg(short, long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Show what the kernel says about a running container: namespaces, mounts, cgroups, capabilities
    #[arg(long)]
    pub(crate) kernel: bool,
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
pub(crate) struct Stop {
    /// Signal to send to the container
    pub(crate) signal: Option<String>,
    /// Seconds to wait before killing the container; -1 waits for ever
    #[arg(short, long, visible_alias = "time", value_name = "int", value_parser = whole, allow_hyphen_values = true, default_value = "10")]
    pub(crate) timeout: i64,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
pub(crate) struct Kill {
    /// Signal to send to the container
    #[arg(short, long, value_name = "string", default_value = "KILL")]
    pub(crate) signal: String,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
pub(crate) struct Rm {
    /// Force the removal of a running container (uses SIGKILL)
    pub(crate) force: bool,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    pub(crate) containers: Vec<String>,
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
            help::show(&arguments).exit()
        }
        Err(error) => Err(usage(&error)),
    }
}

/// The last of a repeated flag counts, a switch may be given a value (`--rm=false`), and what follows a flag that wants
/// a value is one, whatever it begins with.
fn as_docker_reads(command: clap::Command) -> clap::Command {
    let switch = |arg: clap::Arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_parser(clap::value_parser!(bool)),
        action if action.takes_values() && !arg.is_positional() => arg.allow_hyphen_values(true),
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
