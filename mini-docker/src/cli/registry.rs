//! The arguments of the commands that talk to a registry, but for `pull`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Push all tags of an image to the repository
    #[arg(short, long)]
    pub(crate) all_tags: bool,
    /// Suppress verbose output
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// The image
    #[arg(value_name = "NAME[:TAG]")]
    pub(crate) image: String,
}

#[derive(Args)]
pub(crate) struct Login {
    /// Password or personal access token
    #[arg(short, long, value_name = "string")]
    pub(crate) password: Option<String>,
    /// Take the password or personal access token from stdin
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Username
    #[arg(short, long, value_name = "string")]
    pub(crate) username: Option<String>,
    /// The registry; Docker Hub when it is left out
    #[arg(value_name = "SERVER")]
    pub(crate) server: Option<String>,
}

impl std::fmt::Debug for Login {
    // A password is not for a message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// The registry; Docker Hub when it is left out
    #[arg(value_name = "SERVER")]
    pub(crate) server: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Filter output based on conditions provided: is-official=BOOLEAN, stars=NUMBER
    #[arg(short, long, value_name = "filter")]
    pub(crate) filter: Vec<String>,
    /// Format output: 'table', 'table TEMPLATE', 'json' or a Go template
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Max number of search results
    #[arg(
        long,
        value_name = "int",
        default_value = "0",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub(crate) limit: i64,
    /// Don't truncate output
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// What to look for; `REGISTRY/TERM` looks in another registry than Docker Hub
    #[arg(value_name = "TERM")]
    pub(crate) term: String,
}
