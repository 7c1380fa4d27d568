//! `create`: a container that is not started. docker-create(1).

mod health;
mod id_file;
mod image;

use std::collections::BTreeMap;

use anyhow::bail;
use mini_engine::config::{LogConfig, Restart};
use mini_engine::{Config, Create, Home, HostConfig, Record};

use crate::cli::{self, Make};
use crate::commands::print;
use crate::failure::{Failure, OURS};
use crate::terminal;
use crate::values::{Annotation, AttachTo, variable};

pub(crate) fn run(home: &Home, args: &cli::Create) -> anyhow::Result<u8> {
    let made = make(home, &args.make, true).and_then(|record| {
        mini_engine::create::leave(home, &record)?;
        Ok(record)
    });
    // What is wrong with the command line is 125, as with `run`.
    let record =
        made.map_err(
            |error| {
                if error.is::<Failure>() { error } else { crate::failure::with_status(&error, 1) }
            },
        )?;
    print(&format!("{}\n", record.id))
}

/// Makes the container; `stays` says that whoever makes it stays with it.
pub(crate) fn make(home: &Home, args: &Make, stays: bool) -> anyhow::Result<Record> {
    let id_file = args.cidfile.as_deref().map(id_file::IdFile::claim).transpose()?;
    let record = mini_engine::create(home, request(home, args, stays)?)?;
    if let Some(file) = id_file
        && let Err(error) = file.write(&record.id)
    {
        // Who asked for the id that way has no other to remove it by.
        let _ = mini_engine::remove::remove(home, &record, true);
        return Err(error);
    }
    Ok(record)
}

/// The arguments as the engine takes them.
fn request(home: &Home, args: &Make, stays: bool) -> anyhow::Result<Create> {
    let mut words = args.image_and_command.clone().into_iter();
    let image_name = words.next().unwrap_or_default();
    let command: Vec<String> = words.collect();
    check_network(&args.network)?;
    let config = check(args).and_then(|()| config(args, image_name.clone(), command, stays));
    let config = config.map_err(|error| crate::failure::with_status(&error, OURS))?;
    health::check_health(&config)?;
    let log_config = log_config(args)?;
    let host_config = HostConfig { log_config, ..host_config(args) };
    let host_config = mini_engine::update::changed(&host_config, &super::update::limits(&args.limits))?;
    let image = image::find_image(home, args, &image_name)?;
    Ok(Create { name: args.name.clone(), image, config, host_config })
}

/// What can be found wrong without an image.
fn check(args: &Make) -> anyhow::Result<()> {
    if let Some(signal) = &args.stop_signal
        && mini_sys::signal::parse(signal).is_none()
    {
        bail!("invalid signal: {signal}");
    }
    if args.rm && args.restart.as_ref().is_some_and(|policy| policy.name != Restart::No) {
        bail!("conflicting options: cannot specify both --restart and --rm");
    }
    Ok(())
}

/// The standard streams that who made the container stays with: those it names, or else output, error and, if it is
/// kept open, input.
pub(crate) fn attached(args: &Make, stays: bool) -> [bool; 3] {
    if !stays {
        return [false; 3];
    }
    if args.attach.is_empty() {
        return [args.interactive, true, true];
    }
    [AttachTo::Stdin, AttachTo::Stdout, AttachTo::Stderr].map(|stream| args.attach.contains(&stream))
}

fn labels(args: &Make) -> anyhow::Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut texts = Vec::new();
    for file in &args.label_file {
        texts.extend(file.read()?);
    }
    for text in texts.iter().chain(&args.label) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if name.is_empty() {
            bail!("invalid label '{text}': empty name");
        }
        labels.insert(name.to_owned(), value.to_owned());
    }
    Ok(labels)
}

/// Where its output goes. What is wrong with it is told before an image is pulled.
fn log_config(args: &Make) -> anyhow::Result<LogConfig> {
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

fn config(args: &Make, image: String, command: Vec<String>, stays: bool) -> anyhow::Result<Config> {
    let mut env = Vec::new();
    for file in &args.env_file {
        env.extend(file.read()?);
    }
    env.extend(args.env.iter().filter_map(|given| variable(&given.0)));
    let [stdin, stdout, stderr] = attached(args, stays);
    Ok(Config {
        hostname: args.hostname.clone().unwrap_or_default(),
        domainname: args.domainname.clone().unwrap_or_default(),
        user: args.user.clone().unwrap_or_default(),
        attach_stdin: stdin,
        attach_stdout: stdout,
        attach_stderr: stderr,
        tty: args.tty,
        open_stdin: args.interactive,
        stdin_once: stdin,
        env,
        cmd: Some(command).filter(|command| !command.is_empty()),
        image,
        volumes: None,
        working_dir: args.workdir.clone().unwrap_or_default(),
        entrypoint: args.entrypoint.clone().map(|entrypoint| vec![entrypoint]),
        labels: labels(args)?,
        stop_signal: args.stop_signal.clone(),
        stop_timeout: args.stop_timeout,
        healthcheck: health::healthcheck(args)?,
    })
}

fn host_config(args: &Make) -> HostConfig {
    HostConfig {
        network_mode: args.network.clone(),
        restart_policy: args.restart.clone().unwrap_or_default(),
        annotations: args
            .annotation
            .iter()
            .map(|Annotation(name, value)| (name.clone(), value.clone()))
            .collect(),
        auto_remove: args.rm,
        readonly_rootfs: args.read_only,
        tmpfs: args.tmpfs.iter().map(|tmpfs| (tmpfs.target.clone(), tmpfs.options.clone())).collect(),
        ulimits: args.ulimit.iter().map(|limit| limit.0.clone()).collect(),
        init: args.init,
        console_size: terminal::size().filter(|_| args.tty).map_or([0, 0], |size| [size.rows, size.columns]),
        ..HostConfig::default()
    }
}
