//! The arguments of `system …` and `manifest …`.

use clap::{Args, Subcommand};

use crate::cli::{Events, Format, Late};

/// `system …`.
#[derive(Debug, Subcommand)]
pub(crate) enum System {
    /// Show disk usage
    Df(Late<Df>),
    /// Get real time events from the server
    Events(Late<Events>),
    /// Display system-wide information
    Info(Late<Format>),
    /// Start the containers that their policy says, after the machine has booted
    Restore,
    /// Print a unit for systemd that does so at every boot
    Unit,
    /// Remove unused data
    Prune(Late<SystemPrune>),
}

#[derive(Debug, Args)]
pub(crate) struct Df {
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Show detailed information on space usage
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SystemPrune {
    /// Remove all unused images not just dangling ones
    #[arg(short, long)]
    pub(crate) all: bool,
    // No doc comment: rustdoc would take the angle brackets for HTML.
    #[arg(long, help = r#"Provide filter values (e.g. "label=<key>=<value>")"#, value_name = "filter")]
    pub(crate) filter: Vec<String>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Prune anonymous volumes
    #[arg(long)]
    pub(crate) volumes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ContainerPrune {
    // No doc comment: rustdoc would take the angle brackets for HTML.
    #[arg(long, help = r#"Provide filter values (e.g. "until=<timestamp>")"#, value_name = "filter")]
    pub(crate) filter: Vec<String>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// `manifest …`.
#[derive(Debug, Subcommand)]
pub(crate) enum Manifest {
    /// Display an image manifest, or manifest list
    Inspect(Late<ManifestInspect>),
}

#[derive(Debug, Args)]
pub(crate) struct ManifestInspect {
    /// Allow communication with an insecure registry
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Output additional info including layers and platform
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// The image
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    pub(crate) name: String,
}
