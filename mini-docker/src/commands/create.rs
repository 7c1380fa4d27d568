//! `create`: a container that is not started. docker-create(1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mini_engine::config::{LogConfig, Restart};
use mini_engine::{Config, Create, Home, HostConfig, Record};
use mini_images::config::Healthcheck;
use mini_images::{Image, Images, Reference, StoreError};

use crate::cli::{self, Ask, Make};
use crate::commands::print;
use crate::failure::{Failure, OURS};
use crate::progress::To;
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
    let id_file = args.cidfile.as_deref().map(IdFile::claim).transpose()?;
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

/// The file that gets the id: it must not be there before, and goes again when there is no id to write.
struct IdFile {
    path: PathBuf,
    file: File,
    keep: bool,
}

impl IdFile {
    fn claim(path: &Path) -> anyhow::Result<Self> {
        match File::options().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let path = path.display();
                bail!("container ID file found, make sure the other container isn't running or delete {path}")
            }
            other => {
                let file = other
                    .with_context(|| format!("failed to create the container ID file {}", path.display()))?;
                Ok(Self { path: path.to_owned(), file, keep: false })
            }
        }
    }

    fn write(mut self, id: &str) -> anyhow::Result<()> {
        let written = self.file.write_all(id.as_bytes());
        written.with_context(|| format!("write the container ID to {}", self.path.display()))?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        if !self.keep {
            // What brought us here is what the user wants to know.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The arguments as the engine takes them.
fn request(home: &Home, args: &Make, stays: bool) -> anyhow::Result<Create> {
    let mut words = args.image_and_command.clone().into_iter();
    let image_name = words.next().unwrap_or_default();
    let command: Vec<String> = words.collect();
    check_network(&args.network)?;
    let config = check(args).and_then(|()| config(args, image_name.clone(), command, stays));
    let config = config.map_err(|error| crate::failure::with_status(&error, OURS))?;
    check_health(&config)?;
    let log_config = log_config(args)?;
    let image = find_image(home, args, &image_name)?;
    Ok(Create {
        name: args.name.clone(),
        image,
        config,
        host_config: HostConfig { log_config, ..host_config(args) },
    })
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
    if args.cpus.is_some() && (args.cpu_period > 0 || args.cpu_quota > 0) {
        bail!("conflicting options: Nano CPUs and CPU Period cannot both be set");
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

/// What the user says of its health; none where that is nothing. Docker's words for what makes no sense.
fn healthcheck(args: &Make) -> anyhow::Result<Option<Healthcheck>> {
    let times = [
        ("interval", args.health_interval),
        ("timeout", args.health_timeout),
        ("start-period", args.health_start_period),
        ("start-interval", args.health_start_interval),
    ];
    let says_something = args.health_cmd.is_some()
        || args.health_retries.is_some()
        || times.iter().any(|(_, time)| time.is_some());
    if args.no_healthcheck {
        if says_something {
            bail!("--no-healthcheck conflicts with --health-* options");
        }
        return Ok(Some(Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() }));
    }
    if !says_something {
        return Ok(None);
    }
    for (name, time) in times {
        if time.is_some_and(|time| time.0 < 0) {
            bail!("--health-{name} cannot be negative");
        }
    }
    if args.health_retries.is_some_and(|retries| retries < 0) {
        bail!("--health-retries cannot be negative");
    }
    let test = args.health_cmd.iter().flat_map(|command| ["CMD-SHELL".to_owned(), command.clone()]).collect();
    let nanoseconds = |time: Option<crate::values::Pause>| time.map_or(0, |time| time.0);
    Ok(Some(Healthcheck {
        test,
        interval: nanoseconds(args.health_interval),
        timeout: nanoseconds(args.health_timeout),
        start_period: nanoseconds(args.health_start_period),
        start_interval: nanoseconds(args.health_start_interval),
        retries: args.health_retries.unwrap_or(0),
    }))
}

/// Docker's words for pauses that nobody can keep.
fn check_health(config: &Config) -> anyhow::Result<()> {
    const SHORTEST: i64 = 1_000_000;
    let Some(check) = &config.healthcheck else { return Ok(()) };
    let times = [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
    ];
    for (name, time) in times {
        if time != 0 && time < SHORTEST {
            bail!("{name} in Healthcheck cannot be less than 1ms");
        }
    }
    Ok(())
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

/// The image: the reserved one is made from this machine's programs on first use, `hello-world` when nobody has brought
/// one, and any other that is not here is pulled.
fn find_image(home: &Home, args: &Make, name: &str) -> anyhow::Result<Image> {
    let images = home.images()?;
    if mini_images::host::is_host(name) {
        return Ok(images.host()?);
    }
    if mini_images::hello::is_hello(name) && args.pull != Ask::Always {
        return Ok(images.hello_world()?);
    }
    let missing = match args.pull {
        Ask::Always => None,
        Ask::Missing | Ask::Never => match find_here(&images, name)? {
            Ok(image) => return Ok(image),
            Err(missing) if args.pull == Ask::Missing => Some(missing),
            Err(missing) => return Err(missing.into()),
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

/// The image of this name, ready to run; or that there is none. One that somebody removes while it is looked at is half
/// there for a moment: only what is wrong with it again and again is wrong.
fn find_here(images: &Images, name: &str) -> anyhow::Result<Result<Image, StoreError>> {
    let mut looks = 0;
    loop {
        let error: anyhow::Error = match images.find(name) {
            Err(missing @ StoreError::NotFound { .. }) => return Ok(Err(missing)),
            Err(error) => error.into(),
            Ok(image) => match images.prepare(&image) {
                Ok(()) => return Ok(Ok(image)),
                Err(error) => error.into(),
            },
        };
        looks += 1;
        if looks == LOOKS {
            return Err(error);
        }
    }
}

/// How often an image that seems damaged is looked at.
const LOOKS: usize = 5;

fn config(args: &Make, image: String, command: Vec<String>, stays: bool) -> anyhow::Result<Config> {
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
        healthcheck: healthcheck(args)?,
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
        memory: args.memory.map_or(0, |bytes| bytes.0),
        memory_swap: args.memory_swap.map_or(0, |bytes| bytes.0),
        memory_reservation: args.memory_reservation.map_or(0, |bytes| bytes.0),
        nano_cpus: args.cpus.map_or(0, |cpus| cpus.0),
        cpu_shares: args.cpu_shares,
        cpu_period: args.cpu_period,
        cpu_quota: args.cpu_quota,
        cpuset_cpus: args.cpuset_cpus.clone(),
        cpuset_mems: args.cpuset_mems.clone(),
        blkio_weight: args.blkio_weight,
        pids_limit: args.pids_limit,
        tmpfs: args.tmpfs.iter().map(|tmpfs| (tmpfs.target.clone(), tmpfs.options.clone())).collect(),
        ulimits: args.ulimit.iter().map(|limit| limit.0.clone()).collect(),
        init: args.init,
        console_size: terminal::size().filter(|_| args.tty).map_or([0, 0], |size| [size.rows, size.columns]),
        ..HostConfig::default()
    }
}
