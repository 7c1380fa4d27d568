//! `logout`: forgets a name and a password. docker-logout(1).

use anyhow::Context as _;
use mini_images::registry::{Credentials, login};

use crate::cli;
use crate::commands::print;
use crate::settings;

pub(crate) fn run(args: &cli::Logout) -> anyhow::Result<u8> {
    let registry = login::registry_of(args.server.as_deref())?;
    let shown = login::shown(&registry);
    print(&format!("Removing login credentials for {shown}\n"))?;
    if let Some(file) = settings::credentials_file() {
        Credentials::erase(&file, &registry)
            .with_context(|| format!("cannot remove the credentials of `{shown}`"))?;
    }
    Ok(0)
}
