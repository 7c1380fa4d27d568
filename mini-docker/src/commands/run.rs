//! `run`: create a container, start it, and stay with it until it ends. docker-run(1).

use anyhow::{Context as _, bail};
use mini_engine::config::LogConfig;
use mini_engine::{Config, Create, Home, HostConfig, Record};
use mini_images::{Image, Reference, StoreError};
use mini_runtime::explain::Format;
use mini_sys::signal::Signal;

use crate::cli::{Ask, Explain, Run};
use crate::commands::print;
use crate::failure::{Failure, OURS, plain};
use crate::progress::To;
use crate::terminal::{self, Ending};
use crate::values::variable;

pub(crate) fn run(home: &Home, args: &Run) -> anyhow::Result<u8> {
    start(home, args).map_err(ours)
}

/// Whatever goes wrong before the program runs is 125, except what has a status of its own.
fn ours(error: anyhow::Error) -> anyhow::Error {
    if error.is::<Failure>() { error } else { crate::failure::with_status(&error, OURS) }
}

fn start(home: &Home, args: &Run) -> anyhow::Result<u8> {
    let (detach, explain) = (args.detach, args.explain.map(format));
    let request = request(home, args)?;
    let (tty, interactive) = (request.config.tty, request.config.attach_stdin);
    if tty && interactive && !terminal::is_terminal() {
        bail!("the input device is not a TTY: leave out -t to read from a pipe or a file");
    }
    let record = mini_engine::create(home, request)?;
    let (id, name) = (record.id.clone(), record.name.clone());
    let taken = if detach { None } else { Some(terminal::take(tty, interactive)?) };
    let attachment = match mini_engine::start(home, record.clone(), explain) {
        Ok(attachment) => attachment,
        Err(error) => {
            discard(home, &record);
            return Err(error).context(format!("cannot start `{name}`"));
        }
    };
    let ending = match taken {
        None => terminal::await_start(&attachment.socket)?,
        Some(taken) => terminal::attend(&attachment.socket, taken, tty, interactive)?,
    };
    match ending {
        Ending::Started => {
            super::repair(home);
            print(&format!("{id}\n"))
        }
        Ending::Exited(status) => Ok(status as u8),
        Ending::Failed { message, hint, status } => Err(Failure {
            message: format!("cannot start `{name}`: {}", plain(&message)),
            hint,
            status: status as u8,
        }
        .into()),
        // As any program in a pipe whose reader has gone; the container goes on, as after any other end of this
        // command.
        Ending::Unread => Ok(128 + Signal::SIGPIPE as u8),
        Ending::Lost => {
            super::repair(home);
            bail!("the monitor of `{name}` has ended, and its container with it")
        }
    }
}

/// A container whose start could not even be tried is of no use to anybody.
fn discard(home: &Home, record: &Record) {
    let _ = mini_engine::remove::remove(home, record, true);
}

fn format(explain: Explain) -> Format {
    match explain {
        Explain::Text => Format::Text,
        Explain::Json => Format::Json,
    }
}

/// The arguments as the engine takes them.
fn request(home: &Home, args: &Run) -> anyhow::Result<Create> {
    let mut words = args.image_and_command.clone().into_iter();
    let image_name = words.next().unwrap_or_default();
    let command: Vec<String> = words.collect();
    check_network(&args.network)?;
    if let Some(signal) = &args.stop_signal
        && mini_sys::signal::parse(signal).is_none()
    {
        bail!("invalid signal: {signal}");
    }
    let log_config = log_config(args)?;
    let image = find_image(home, args, &image_name)?;
    Ok(Create {
        name: args.name.clone(),
        image,
        config: config(args, image_name, command)?,
        host_config: HostConfig { log_config, ..host_config(args) },
    })
}

/// Where its output goes. What is wrong with it is told before an image is pulled.
fn log_config(args: &Run) -> anyhow::Result<LogConfig> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text.clone(), String::new()),
    };
    let config =
        LogConfig { r#type: args.log_driver.clone(), config: args.log_opt.iter().map(pair).collect() };
    mini_engine::log_options::check(&config)?;
    Ok(config)
}

fn check_network(network: &str) -> anyhow::Result<()> {
    match network {
        "none" | "host" => Ok(()),
        other => bail!("network `{other}` not found: this version has `none` and `host`"),
    }
}

/// The image: the reserved one is made from this machine's programs on first use, `hello-world` when nobody has brought
/// one, and any other that is not here is pulled.
fn find_image(home: &Home, args: &Run, name: &str) -> anyhow::Result<Image> {
    let images = home.images()?;
    if mini_images::host::is_host(name) {
        return Ok(images.host()?);
    }
    if mini_images::hello::is_hello(name) && args.pull != Ask::Always {
        return Ok(images.hello_world()?);
    }
    let missing = match args.pull {
        Ask::Always => None,
        Ask::Missing | Ask::Never => match images.find(name) {
            Err(missing @ StoreError::NotFound { .. }) if args.pull == Ask::Missing => Some(missing),
            found => {
                let image = found?;
                images.prepare(&image)?;
                return Ok(image);
            }
        },
    };
    // What looks like an id and is none here is a name to a registry.
    let reference: Reference = name.parse()?;
    let to = if args.quiet { To::Nobody } else { To::Error };
    if missing.is_some() {
        to.line(&format!("Unable to find image '{}' locally", reference.familiar()));
    }
    // The monitor is forked from this process, and would keep the heaps of the threads that unpack for its whole life.
    mini_sys::memory::share_one_heap();
    let pulled = super::pull::pull(home, &reference, args.platform.as_ref(), to);
    match missing {
        // Two ways to have it, and why neither is one.
        Some(missing) => pulled.map_err(|error| error.context(missing)),
        None => pulled,
    }
    .map(|pulled| pulled.image)
}

fn config(args: &Run, image: String, command: Vec<String>) -> anyhow::Result<Config> {
    let mut env = Vec::new();
    for file in &args.env_file {
        env.extend(file.read()?);
    }
    for text in &args.env {
        if text.is_empty() || text.starts_with('=') {
            bail!("invalid environment variable: {text}");
        }
        env.extend(variable(text));
    }
    let attach = !args.detach;
    Ok(Config {
        hostname: args.hostname.clone().unwrap_or_default(),
        domainname: String::new(),
        user: args.user.clone().unwrap_or_default(),
        attach_stdin: args.interactive && attach,
        attach_stdout: attach,
        attach_stderr: attach,
        tty: args.tty,
        open_stdin: args.interactive,
        stdin_once: args.interactive && attach,
        env,
        cmd: Some(command).filter(|command| !command.is_empty()),
        image,
        volumes: None,
        working_dir: args.workdir.clone().unwrap_or_default(),
        entrypoint: args.entrypoint.clone().map(|entrypoint| vec![entrypoint]),
        labels: Default::default(),
        stop_signal: args.stop_signal.clone(),
        ..Config::default()
    })
}

fn host_config(args: &Run) -> HostConfig {
    HostConfig {
        network_mode: args.network.clone(),
        auto_remove: args.rm,
        readonly_rootfs: args.read_only,
        memory: args.memory.map_or(0, |bytes| bytes.0),
        memory_swap: args.memory_swap.map_or(0, |bytes| bytes.0),
        nano_cpus: args.cpus.map_or(0, |cpus| cpus.0),
        cpu_shares: args.cpu_shares,
        cpuset_cpus: args.cpuset_cpus.clone(),
        pids_limit: args.pids_limit,
        tmpfs: args.tmpfs.iter().map(|tmpfs| (tmpfs.target.clone(), tmpfs.options.clone())).collect(),
        ulimits: args.ulimit.iter().map(|limit| limit.0.clone()).collect(),
        init: args.init,
        console_size: terminal::size().filter(|_| args.tty).map_or([0, 0], |size| [size.rows, size.columns]),
        ..HostConfig::default()
    }
}
