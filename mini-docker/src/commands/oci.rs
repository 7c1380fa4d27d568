//! `oci …`: this engine's runtime, for other engines: containerd, dockerd, podman. runc(8).

mod exec;
mod run;
mod show;
mod spec;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use mini_runtime::oci::{self, Delete, OciError, Store};
use oci_spec::runtime::LinuxResources;
use serde_json::json;

use crate::cli::{Oci, OciCommand, OciCreate, OciUpdate};
use crate::commands::print;
use crate::failure;

/// `root` is `--root`: where the states are kept.
pub(crate) fn run(root: Option<PathBuf>, args: &Oci) -> anyhow::Result<u8> {
    if args.version {
        let version = env!("CARGO_PKG_VERSION");
        return print(&format!("mini-docker version {version}\nspec: {}\n", show::SPEC_VERSION));
    }
    let command = args.command.as_ref().context("a command is missing")?;
    if matches!(command, OciCommand::Create(_) | OciCommand::Exec(_) | OciCommand::Run(_)) {
        crate::sealed::ensure()?;
    }
    let result = match root {
        Some(root) => dispatch(&Store::new(root), command),
        None => default_root().and_then(|root| {
            let result = dispatch(&Store::new(&root), command);
            // It goes with the last container; one that has any stays. A directory that was named is its owner's.
            let _ = std::fs::remove_dir(&root);
            result
        }),
    };
    if let (Err(error), Some(path)) = (&result, &args.log) {
        log(path, &args.log_format, &failure::line(error));
    }
    result
}

fn default_root() -> anyhow::Result<PathBuf> {
    if mini_sys::process::is_root() {
        return Ok(PathBuf::from("/run/mini-docker-oci"));
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty());
    let runtime = runtime.context("XDG_RUNTIME_DIR is not set: use `--root DIR`")?;
    Ok(PathBuf::from(runtime).join("mini-docker-oci"))
}

fn dispatch(store: &Store, command: &OciCommand) -> anyhow::Result<u8> {
    match command {
        OciCommand::Create(args) => {
            oci::create(store, &args.id, &create_request(args, false)?)?;
        }
        OciCommand::Start(args) => oci::start(&store.find(&args.id)?)?,
        OciCommand::Kill(args) => {
            let number = mini_sys::signal::parse(&args.signal);
            let number = number.with_context(|| format!("unknown signal {:?}", args.signal))?;
            oci::kill(&store.find(&args.id)?, number, args.all)?;
        }
        OciCommand::Delete(args) => {
            oci::delete(store, &args.id, if args.force { Delete::Forced } else { Delete::Stopped })?;
        }
        OciCommand::Pause(args) => oci::pause(&store.find(&args.id)?)?,
        OciCommand::Resume(args) => oci::resume(&store.find(&args.id)?)?,
        OciCommand::Update(args) => oci::update(&store.find(&args.id)?, &resources(args)?)?,
        OciCommand::State(args) => return show::state(&store.find(&args.id)?),
        OciCommand::List(args) => return show::list(store, args),
        OciCommand::Ps(args) => return show::processes(store, args),
        OciCommand::Events(args) => return show::events(store, args),
        OciCommand::Features => return show::features(),
        OciCommand::Spec(args) => return spec::run(args),
        OciCommand::Exec(args) => return exec::run(store, args),
        OciCommand::Run(args) => return run::run(store, args),
    }
    Ok(0)
}

/// `attended`: this command stays, and holds the terminal itself.
fn create_request(args: &OciCreate, attended: bool) -> anyhow::Result<oci::Create> {
    check_passed(args.preserve_fds)?;
    Ok(oci::Create {
        bundle: args.bundle.clone(),
        console_socket: args.console_socket.clone(),
        pid_file: args.pid_file.clone(),
        passed: args.preserve_fds,
        attended,
        no_pivot: args.no_pivot,
        path: std::env::var_os("PATH").unwrap_or_default(),
    })
}

/// A number that is not open would come to mean a file of ours.
fn check_passed(count: u32) -> anyhow::Result<()> {
    match (3..3 + count).find(|number| !Path::new(&format!("/proc/self/fd/{number}")).exists()) {
        Some(number) => bail!("file descriptor {number} is to be passed on, and is not open"),
        None => Ok(()),
    }
}

fn resources(args: &OciUpdate) -> anyhow::Result<LinuxResources> {
    if let Some(path) = &args.resources {
        let name = || format!("read {}", path.display());
        let text = if path == Path::new("-") {
            std::io::read_to_string(std::io::stdin()).with_context(name)?
        } else {
            std::fs::read_to_string(path).with_context(name)?
        };
        return serde_json::from_str(&text).with_context(name);
    }
    let limits = json!({
        "memory": {
            "limit": args.memory, "reservation": args.memory_reservation, "swap": args.memory_swap
        },
        "cpu": {
            "shares": args.cpu_share, "quota": args.cpu_quota, "period": args.cpu_period,
            "cpus": args.cpuset_cpus, "mems": args.cpuset_mems
        },
        "pids": args.pids_limit.map(|limit| json!({ "limit": limit })),
        "blockIO": { "weight": args.blkio_weight }
    });
    Ok(serde_json::from_value(limits)?)
}

/// Writes an error where the engine looks for it. That this fails is no reason to tell another error than the first.
fn log(path: &Path, format: &str, message: &str) {
    let time = Timestamp::now();
    let line = match format {
        "json" => json!({ "level": "error", "msg": message, "time": time }).to_string(),
        _ => format!("time=\"{time}\" level=error msg={message:?}"),
    };
    let file = File::options().create(true).append(true).open(path);
    let _ = file.and_then(|mut file| writeln!(file, "{line}"));
}

/// The words in which a program that cannot be run is told, and the exit status.
fn status_of(error: &OciError) -> u8 {
    match error {
        OciError::Start(mini_runtime::StartError::Exec(error)) => error.exit_code() as u8,
        _ => 1,
    }
}
