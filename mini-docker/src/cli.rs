//! The arguments as typed. Names, letters and help are Docker's; a flag's value is read in [`crate::values`].

mod exec;
mod image;
mod life;
mod limits;
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

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use exec::{Exec, Top};
pub(crate) use image::{History, Image, Images, Import, Load, Prune, Pull, Rmi, Save, Tag, Tree};
pub(crate) use life::{Attach, Containers, Kill, Rename, Rm, Start, Stop, Update};
pub(crate) use limits::Limits;
pub(crate) use oci::{
    Oci, OciCommand, OciCreate, OciEvents, OciExec, OciList, OciPs, OciRun, OciSpec, OciUpdate,
};
pub(crate) use output::{Events, Logs, Stats};
pub(crate) use page::{Completion, Man};
pub(crate) use read::parse;
pub(crate) use registry::{Login, Logout, Push, Search};
pub(crate) use run::{Ask, Create, Explain, Make, Run};
pub(crate) use show::{Format, Inspect, Port, Ps};
pub(crate) use system::{ContainerPrune, Df, Manifest, ManifestInspect, System, SystemPrune};
pub(crate) use tree::{Commit, Cp, Diff, Export};

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
    #[command(flatten)]
    Verb(Verb),
    /// List containers
    #[command(visible_aliases = ["ls", "list"])]
    Ps(Ps),
    /// Get real time events from the server
    Events(Events),
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

/// What is done with containers, `run` as well as `container run`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create and run a new container from an image
    Run(Box<Run>),
    /// Create a new container
    Create(Box<Create>),
    /// Start one or more stopped containers
    Start(Start),
    /// Attach local standard input, output, and error streams to a running container
    Attach(Attach),
    /// Restart one or more containers
    Restart(Stop),
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
    /// List port mappings or a specific mapping for the container
    Port(Port),
}

/// `container …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Container {
    #[command(flatten)]
    Verb(Verb),
    /// List containers
    #[command(visible_aliases = ["ps", "list"])]
    Ls(Ps),
    /// Return low-level information on containers
    Inspect(Inspect),
    /// Remove all stopped containers
    Prune(ContainerPrune),
}
