//! `login`: proves a name and a password to a registry, and keeps them. docker-login(1).

use std::io::{self, Read as _};

use anyhow::{Context as _, bail};
use mini_images::registry::login::{self, LoginError};
use mini_images::registry::{Credentials, Settings};

use crate::cli;
use crate::commands::{print, warn};
use crate::settings;
use crate::terminal;

/// No password is longer, in bytes.
const LONGEST: u64 = 64 << 10;

pub(crate) fn run(args: &cli::Login) -> anyhow::Result<u8> {
    let registry = login::registry_of(args.server.as_deref())?;
    let given = given(args)?;
    let settings = settings::registries()?;
    // Nothing said: what is kept may still be good.
    if args.username.is_none()
        && given.is_none()
        && let Some(kept) = settings::credentials(&registry)?
    {
        let user = kept.user().map(|user| format!(" [Username: {user}]")).unwrap_or_default();
        warn(&format!("Authenticating with existing credentials...{user}\n"));
        match login::log_in(&settings, &registry, &kept) {
            Ok(_) => return print("Login Succeeded\n"),
            Err(error) if error.is_about_the_password() && terminal::is_terminal() => {
                warn(&format!("Login did not succeed, error: {}\n", crate::failure::line(&error.into())));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if (given.is_none() || args.username.is_none()) && !terminal::is_terminal() {
        return Err(crate::failure::Failure {
            message: "cannot perform an interactive login from a non TTY device".to_owned(),
            hint: Some("`login -u USER --password-stdin` reads the password from a pipe".to_owned()),
            status: 1,
        }
        .into());
    }
    let user = match &args.username {
        Some(user) => user.clone(),
        None => terminal::ask("Username: ", false)?.trim().to_owned(),
    };
    if user.is_empty() {
        bail!("username is empty");
    }
    let password = match given {
        Some(password) => password,
        None => terminal::ask("Password: ", true)?,
    };
    if password.is_empty() {
        bail!("password is empty");
    }
    enter(&settings, &registry, &user, password)
}

/// The password that the arguments give or point at.
fn given(args: &cli::Login) -> anyhow::Result<Option<String>> {
    if args.password.is_some() && args.password_stdin {
        bail!("conflicting options: cannot specify both --password and --password-stdin");
    }
    if args.password.is_some() {
        warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
        return Ok(args.password.clone());
    }
    if !args.password_stdin {
        return Ok(None);
    }
    if args.username.is_none() {
        bail!("the --password-stdin option requires --username to be set");
    }
    let mut text = String::new();
    io::stdin().take(LONGEST).read_to_string(&mut text).context("read the password from standard input")?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Tries the door, and keeps what opened it.
fn enter(settings: &Settings, registry: &str, user: &str, password: String) -> anyhow::Result<u8> {
    let file = settings::credentials_file()
        .context("neither HOME nor DOCKER_CONFIG is set: there is no place to keep the password")?;
    let tried = Credentials::Password { user: user.to_owned(), password };
    let kept: Result<Credentials, LoginError> = login::log_in(settings, registry, &tried);
    if kept?.keep(&file, registry, user).context("cannot keep the password")? {
        warn(&format!(
            "\nWARNING! Your credentials are stored unencrypted in '{}'.\n\
             Configure a credential helper to remove this warning. See\n\
             https://docs.docker.com/go/credential-store/\n\n",
            file.display()
        ));
    }
    print("Login Succeeded\n")
}
