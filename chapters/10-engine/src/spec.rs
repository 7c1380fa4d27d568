//! From a container's record to the OCI runtime `Spec` that chapter 7 carries out. Pure: no file is read.
//!
//! What Docker's users take for granted is written here: which namespaces, which mounts, which powers.
//! OCI runtime spec; docker-run(1); book ch. 10.

use std::path::{Path, PathBuf};

use mini_cgroups::Access;
use mini_chroot::{Mount, mounts};
use mini_security::{capabilities, paths};
use oci_spec::runtime::{
    BoxBuilder, Capabilities, Linux, LinuxBlockIo, LinuxCapabilities, LinuxCpu, LinuxDeviceCgroup,
    LinuxDeviceType, LinuxMemory, LinuxNamespace, LinuxNamespaceType, LinuxPids, LinuxResources,
    Mount as OciMount, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process, Root, Spec,
    User as OciUser,
};

use crate::config::{Config, HostConfig, Ulimit};
use crate::home::Home;
use crate::record::Record;
use crate::user::User;

/// The length of the period that `--cpus` is measured in, in microseconds: Docker's.
const PERIOD: u64 = 100_000;

/// What of the machine a spec depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine {
    /// We are not root: the container gets a user namespace.
    pub rootless: bool,
    /// Cgroups are v2 alone, so the container can be shown its own.
    pub unified: bool,
}

/// A resource limit of a name that the kernel does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid ulimit type: {0}")]
pub struct UnknownUlimit(pub String);

/// The spec of the container `record`, run by `user`.
///
/// # Errors
/// A resource limit of an unknown name.
pub fn spec(home: &Home, record: &Record, user: &User, machine: Machine) -> Result<Spec, UnknownUlimit> {
    let host = &record.host_config;
    let directory = home.container(&record.id);
    let mut root = Root::default();
    root.set_path(directory.join("merged")).set_readonly(Some(host.readonly_rootfs));
    let mut spec = Spec::default();
    spec.set_version("1.1.0".to_owned())
        .set_root(Some(root))
        .set_hostname(Some(record.config.hostname.clone()))
        .set_domainname(Some(record.config.domainname.clone()).filter(|name| !name.is_empty()))
        .set_mounts(Some(all_mounts(&directory, host, machine).iter().map(oci_mount).collect()))
        .set_process(Some(process(record, user)?))
        .set_annotations(Some(host.annotations.clone().into_iter().collect()))
        .set_linux(Some(linux(record, machine)));
    Ok(spec)
}

fn process(record: &Record, user: &User) -> Result<Process, UnknownUlimit> {
    let config = &record.config;
    let mut who = OciUser::default();
    who.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(user.groups.clone()));
    let cwd = if config.working_dir.is_empty() { "/" } else { &config.working_dir };
    let limits: Result<Vec<PosixRlimit>, _> = record.host_config.ulimits.iter().map(rlimit).collect();
    let [rows, columns] = record.host_config.console_size.map(u64::from);
    let size = BoxBuilder::default().height(rows).width(columns).build().ok();
    let mut process = Process::default();
    process
        .set_terminal(Some(config.tty))
        .set_console_size(size.filter(|_| config.tty && rows > 0))
        .set_user(who)
        .set_args(Some(record.arguments.clone()))
        .set_env(Some(environment(config, &user.home)))
        .set_cwd(PathBuf::from(cwd))
        .set_capabilities(Some(default_capabilities()))
        .set_rlimits(Some(limits?))
        .set_no_new_privileges(Some(false));
    Ok(process)
}

/// Docker's order: what every program needs, what image and user say, and a home directory if they do not.
pub(crate) fn environment(config: &Config, home: &str) -> Vec<String> {
    let mut environment = vec![
        format!("PATH={}", mini_runtime::program::DEFAULT_PATH),
        format!("HOSTNAME={}", config.hostname),
    ];
    if config.tty {
        environment.push("TERM=xterm".to_owned());
    }
    for variable in &config.env {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        mini_images::change::set_env(&mut environment, name, value);
    }
    if !environment.iter().any(|variable| variable.starts_with("HOME=")) {
        environment.push(format!("HOME={home}"));
    }
    environment
}

fn default_capabilities() -> LinuxCapabilities {
    let set: Capabilities = capabilities::DEFAULT.iter().filter_map(|name| name.parse().ok()).collect();
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(set.clone()))
        .set_effective(Some(set.clone()))
        .set_permitted(Some(set))
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

fn rlimit(ulimit: &Ulimit) -> Result<PosixRlimit, UnknownUlimit> {
    let name = format!("RLIMIT_{}", ulimit.name.to_ascii_uppercase());
    let kind = name.parse::<PosixRlimitType>().map_err(|_| UnknownUlimit(ulimit.name.clone()))?;
    // -1 and the kernel's RLIM_INFINITY are the same bits.
    let limit =
        PosixRlimitBuilder::default().typ(kind).hard(ulimit.hard as u64).soft(ulimit.soft as u64).build();
    limit.map_err(|_| UnknownUlimit(ulimit.name.clone()))
}

fn linux(record: &Record, machine: Machine) -> Linux {
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces(&record.host_config, machine)))
        .set_cgroups_path(Some(PathBuf::from("/").join(Home::cgroup(&record.id))))
        .set_resources(Some(resources(&record.host_config)))
        .set_masked_paths(Some(paths::MASKED.map(str::to_owned).to_vec()))
        .set_readonly_paths(Some(paths::READ_ONLY.map(str::to_owned).to_vec()));
    linux
}

fn namespaces(host: &HostConfig, machine: Machine) -> Vec<LinuxNamespace> {
    let mut kinds = vec![
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Cgroup,
    ];
    if host.network_mode != "host" {
        kinds.push(LinuxNamespaceType::Network);
    }
    if machine.rootless {
        kinds.push(LinuxNamespaceType::User);
    }
    let namespace = |kind| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind);
        namespace
    };
    kinds.into_iter().map(namespace).collect()
}

pub(crate) fn resources(host: &HostConfig) -> LinuxResources {
    let some = |number: i64| (number != 0).then_some(number);
    let mut memory = LinuxMemory::default();
    memory
        .set_limit(some(host.memory))
        .set_swap(some(host.memory_swap))
        .set_reservation(some(host.memory_reservation));
    let mut cpu = LinuxCpu::default();
    cpu.set_shares((host.cpu_shares != 0).then_some(host.cpu_shares))
        .set_period((host.cpu_period != 0).then_some(host.cpu_period))
        .set_quota(some(host.cpu_quota))
        .set_cpus(Some(host.cpuset_cpus.clone()).filter(|cpus| !cpus.is_empty()))
        .set_mems(Some(host.cpuset_mems.clone()).filter(|mems| !mems.is_empty()));
    if host.nano_cpus > 0 {
        let quota = host.nano_cpus as u128 * u128::from(PERIOD) / 1_000_000_000;
        cpu.set_period(Some(PERIOD)).set_quota(Some(i64::try_from(quota).unwrap_or(i64::MAX)));
    }
    let mut pids = LinuxPids::default();
    pids.set_limit(host.pids_limit);
    let mut block_io = LinuxBlockIo::default();
    block_io.set_weight(Some(host.blkio_weight));
    let mut resources = LinuxResources::default();
    resources
        .set_block_io((host.blkio_weight != 0).then_some(block_io))
        .set_memory(Some(memory))
        .set_cpu(Some(cpu))
        .set_pids(some(host.pids_limit).map(|_| pids))
        .set_devices(Some(mini_cgroups::default_devices().iter().map(device).collect()));
    resources
}

fn device(rule: &mini_cgroups::DeviceRule) -> LinuxDeviceCgroup {
    let kind = match rule.kind {
        mini_cgroups::DeviceKind::All => LinuxDeviceType::A,
        mini_cgroups::DeviceKind::Block => LinuxDeviceType::B,
        mini_cgroups::DeviceKind::Char => LinuxDeviceType::C,
    };
    let letters = [(Access::READ, 'r'), (Access::WRITE, 'w'), (Access::MKNOD, 'm')];
    let access =
        letters.iter().filter(|(bit, _)| rule.access.contains(*bit)).map(|(_, letter)| *letter).collect();
    let mut device = LinuxDeviceCgroup::default();
    device
        .set_allow(rule.allow)
        .set_typ(Some(kind))
        .set_major(rule.major.map(i64::from))
        .set_minor(rule.minor.map(i64::from))
        .set_access(Some(access));
    device
}

fn all_mounts(directory: &Path, host: &HostConfig, machine: Machine) -> Vec<Mount> {
    let mut all = mounts::standard();
    if machine.rootless {
        adapt_to_user_namespace(&mut all, host);
    }
    if machine.unified {
        all.push(Mount::new("/sys/fs/cgroup", "cgroup2", "cgroup", "nosuid,noexec,nodev,ro"));
    }
    for name in ["resolv.conf", "hostname", "hosts"] {
        let source = directory.join(name).to_string_lossy().into_owned();
        all.push(Mount::new(&format!("/etc/{name}"), "bind", &source, "bind"));
    }
    for (target, options) in &host.tmpfs {
        all.push(Mount::new(target, "tmpfs", "tmpfs", &tmpfs_options(options)));
    }
    all
}

/// Ids that the user namespace does not map cannot own anything, and who shares the host's network may not
/// mount a sysfs that shows it: the host's own is shown instead.
fn adapt_to_user_namespace(all: &mut [Mount], host: &HostConfig) {
    for mount in all {
        mount.options.retain(|option| option != "gid=5");
        if mount.fstype == "sysfs" && host.network_mode == "host" {
            *mount = Mount::new("/sys", "bind", "/sys", "rbind,nosuid,noexec,nodev,ro");
        }
    }
}

/// Docker's defaults first, so that the user's come later and win.
fn tmpfs_options(options: &str) -> String {
    let mut all = "nosuid,nodev,noexec".to_owned();
    if !options.is_empty() {
        all = format!("{all},{options}");
    }
    all
}

fn oci_mount(mount: &Mount) -> OciMount {
    let mut oci = OciMount::default();
    oci.set_destination(mount.target.clone())
        .set_typ(Some(mount.fstype.clone()))
        .set_source(Some(PathBuf::from(&mount.source)))
        .set_options(Some(mount.options.clone()));
    oci
}
