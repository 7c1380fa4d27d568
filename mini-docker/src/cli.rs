//! The arguments as typed. Names, letters and help are Docker's; they are read in
//! [`crate::arguments`], and a flag's value in [`crate::values`].

mod describe;
mod exec;
mod image;
mod life;
mod limits;
mod oci;
mod output;
mod page;
mod registry;
mod run;
mod show;
mod system;
mod tree;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use describe::{Late, as_docker_reads, as_shown};
pub(crate) use exec::{Exec, Top};
pub(crate) use image::{History, Image, Images, Import, Load, Prune, Pull, Rmi, Save, Tag, Tree};
pub(crate) use life::{Attach, Containers, Kill, Rename, Rm, Start, Stop, Update};
pub(crate) use limits::Limits;
pub(crate) use oci::{
    Oci, OciCommand, OciCreate, OciEvents, OciExec, OciList, OciPs, OciRun, OciSpec, OciUpdate,
};
pub(crate) use output::{Events, Logs, Stats};
pub(crate) use page::{Completion, Man};
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
    /// Whether that was typed, and does not come from the environment.
    #[arg(skip)]
    pub(crate) root_is_typed: bool,
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
    Ps(Late<Ps>),
    /// Get real time events from the server
    Events(Late<Events>),
    /// List images
    Images(Late<Images>),
    /// Download an image from a registry
    Pull(Late<Pull>),
    /// Upload an image to a registry
    Push(Late<Push>),
    /// Authenticate to a registry
    Login(Late<Login>),
    /// Log out from a registry
    Logout(Late<Logout>),
    /// Search a registry for images
    Search(Late<Search>),
    /// Remove one or more images
    Rmi(Late<Rmi>),
    /// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
    Tag(Late<Tag>),
    /// Show the history of an image
    History(Late<History>),
    /// Import the contents from a tarball to create a filesystem image
    Import(Late<Import>),
    /// Load an image from a tar archive or STDIN
    Load(Late<Load>),
    /// Save one or more images to a tar archive (streamed to STDOUT by default)
    Save(Late<Save>),
    /// Return low-level information on containers and images
    Inspect(Late<Inspect>),
    /// Show the version information
    Version(Late<Format>),
    /// Display system-wide information
    Info(Late<Format>),
    /// Tell what this machine can do for containers, and how to mend what it cannot
    Doctor,
    /// The runtime behind this engine, with the command line of runc, for other engines
    Oci(Late<Oci>),
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
    Completion(Late<Completion>),
    /// Print the man page, or write all of them to a directory
    Man(Late<Man>),
}

/// What is done with containers, `run` as well as `container run`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create and run a new container from an image
    Run(Late<Run>),
    /// Create a new container
    Create(Late<Create>),
    /// Start one or more stopped containers
    Start(Late<Start>),
    /// Attach local standard input, output, and error streams to a running container
    Attach(Late<Attach>),
    /// Restart one or more containers
    Restart(Late<Stop>),
    /// Pause all processes within one or more containers
    Pause(Late<Containers>),
    /// Unpause all processes within one or more containers
    Unpause(Late<Containers>),
    /// Block until one or more containers stop, then print their exit codes
    Wait(Late<Containers>),
    /// Rename a container
    Rename(Late<Rename>),
    /// Update configuration of one or more containers
    Update(Late<Update>),
    /// Execute a command in a running container
    Exec(Late<Exec>),
    /// Fetch the logs of a container
    Logs(Late<Logs>),
    /// Display a live stream of container(s) resource usage statistics
    Stats(Late<Stats>),
    /// Stop one or more running containers
    Stop(Late<Stop>),
    /// Kill one or more running containers
    Kill(Late<Kill>),
    /// Remove one or more containers
    Rm(Late<Rm>),
    /// Display the running processes of a container
    Top(Late<Top>),
    /// Export a container's filesystem as a tar archive
    Export(Late<Export>),
    /// Create a new image from a container's changes
    Commit(Late<Commit>),
    /// Copy files/folders between a container and the local filesystem
    Cp(Late<Cp>),
    /// Inspect changes to files or directories on a container's filesystem
    Diff(Late<Diff>),
    /// List port mappings or a specific mapping for the container
    Port(Late<Port>),
}

/// `container …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Container {
    #[command(flatten)]
    Verb(Verb),
    /// List containers
    #[command(visible_aliases = ["ps", "list"])]
    Ls(Late<Ps>),
    /// Return low-level information on containers
    Inspect(Late<Inspect>),
    /// Remove all stopped containers
    Prune(Late<ContainerPrune>),
}
