//! `oci exec`: one more program in a container.

use anyhow::{Context as _, bail};
use mini_runtime::oci::{self, Container, Store};
use mini_sys::pidfd;
use oci_spec::runtime::{Capabilities, Capability, Process, User};

use super::{check_passed, status_of};
use crate::cli::OciExec;
use crate::detach_keys::DetachKeys;
use crate::failure;
use crate::session::{End, Front};

pub(super) fn run(store: &Store, args: &OciExec) -> anyhow::Result<u8> {
    let (id, command) = args.id_and_command.split_first().context("a container is missing")?;
    let container = store.find(id)?;
    let process = process(&container, args, command)?;
    check_passed(args.preserve_fds)?;
    let terminal = process.terminal().unwrap_or(false);
    if terminal && args.detach && args.console_socket.is_none() {
        return Err(oci::OciError::NoConsole.into());
    }
    let attended = terminal && args.console_socket.is_none();
    // Before the start: after it, no helper can be made on the host any more.
    let front = if attended { Some(Front::take(true, DetachKeys::default())?) } else { None };
    let request = oci::Exec {
        process,
        console_socket: args.console_socket.clone(),
        pid_file: args.pid_file.clone(),
        passed: args.preserve_fds,
    };
    let started = match oci::exec(&container, &request) {
        Ok(started) => started,
        Err(error) => {
            drop(front);
            let status = status_of(&error);
            let error = anyhow::Error::from(error).context("exec failed");
            return Err(failure::with_status(&error, status));
        }
    };
    if args.detach {
        return Ok(0);
    }
    match front {
        None => Ok(pidfd::wait(&started.child.pidfd)?.shell_code() as u8),
        Some(front) => match front.stay(started)? {
            End::Exited(status) => Ok(status as u8),
            End::Detached => bail!("read escape sequence"),
        },
    }
}

/// The program: a file's, or the container's own with what the flags say instead.
fn process(container: &Container, args: &OciExec, command: &[String]) -> anyhow::Result<Process> {
    if let Some(path) = &args.process {
        let name = || format!("read {}", path.display());
        let text = std::fs::read_to_string(path).with_context(name)?;
        return serde_json::from_str(&text).with_context(name);
    }
    if command.is_empty() {
        bail!("process args cannot be empty");
    }
    let mut process =
        container.saved.spec.process().clone().context("the container's spec has no process")?;
    process.set_args(Some(command.to_vec())).set_terminal(Some(args.tty));
    if let Some(cwd) = &args.cwd {
        process.set_cwd(cwd.clone());
    }
    let mut env = process.env().clone().unwrap_or_default();
    env.extend(args.env.iter().cloned());
    process.set_env(Some(env));
    if args.no_new_privs {
        process.set_no_new_privileges(Some(true));
    }
    if let Some(text) = &args.user {
        process.set_user(user(text)?);
    }
    if !args.additional_gids.is_empty() {
        let mut user = process.user().clone();
        user.set_additional_gids(Some(args.additional_gids.clone()));
        process.set_user(user);
    }
    add_capabilities(&mut process, &args.cap)?;
    Ok(process)
}

fn user(text: &str) -> anyhow::Result<User> {
    let (uid, gid) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| text.parse().with_context(|| format!("`{text}` is not a user's number"));
    let mut user = User::default();
    user.set_uid(number(uid)?).set_gid(number(gid)?);
    Ok(user)
}

fn add_capabilities(process: &mut Process, names: &[String]) -> anyhow::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let mut sets = process.capabilities().clone().unwrap_or_default();
    for name in names {
        let short = name.strip_prefix("CAP_").unwrap_or(name);
        let capability: Capability =
            short.parse().map_err(|_| anyhow::anyhow!("unknown capability `{name}`"))?;
        let with = |set: &Option<Capabilities>| {
            let mut set = set.clone().unwrap_or_default();
            set.insert(capability);
            Some(set)
        };
        let (bounding, effective) = (with(sets.bounding()), with(sets.effective()));
        let (permitted, ambient) = (with(sets.permitted()), with(sets.ambient()));
        let inheritable = with(sets.inheritable());
        sets.set_bounding(bounding).set_effective(effective).set_permitted(permitted);
        sets.set_inheritable(inheritable).set_ambient(ambient);
    }
    process.set_capabilities(Some(sets));
    Ok(())
}
