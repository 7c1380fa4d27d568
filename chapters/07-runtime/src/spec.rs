//! The OCI runtime `Spec` in the words of the earlier chapters. OCI runtime spec, "Linux Container Configuration".

use std::path::PathBuf;

use mini_cgroups::Layout;
use mini_chroot::Mount;
use mini_namespaces::{Kind, Namespaces, Offsets};
use mini_security::capabilities::UnknownCapability;
use mini_security::{Capabilities, Capability, limits};
use mini_sys::file::FileType;
use mini_sys::mount::MsFlags;
use mini_sys::tty::WindowSize;
use oci_spec::runtime::{
    Box as ConsoleSize, Capabilities as OciCapabilities, LinuxDevice, LinuxDeviceType, LinuxNamespaceType,
    Process, Spec,
};

use crate::furnish;

/// A part of a spec that means nothing.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// A capability that no kernel knows.
    #[error("cannot set capabilities")]
    Capability(#[source] UnknownCapability),
    /// A resource limit of a name that setrlimit(2) does not have.
    #[error("unknown resource limit `{0}`")]
    Rlimit(String),
}

/// Which namespaces it asks for.
pub(crate) fn namespaces(spec: &Spec) -> Namespaces {
    let mut all = Namespaces {
        hostname: spec.hostname().clone(),
        domainname: spec.domainname().clone(),
        ..Namespaces::default()
    };
    let wanted = spec.linux().as_ref().and_then(|linux| linux.namespaces().clone());
    for namespace in wanted.into_iter().flatten() {
        let kind = match namespace.typ() {
            LinuxNamespaceType::Mount => Kind::Mount,
            LinuxNamespaceType::Cgroup => Kind::Cgroup,
            LinuxNamespaceType::Uts => Kind::Uts,
            LinuxNamespaceType::Ipc => Kind::Ipc,
            LinuxNamespaceType::User => Kind::User,
            LinuxNamespaceType::Pid => Kind::Pid,
            LinuxNamespaceType::Network => Kind::Net,
            LinuxNamespaceType::Time => Kind::Time,
        };
        match namespace.path() {
            Some(path) if !path.as_os_str().is_empty() => all.join.push((kind, path.clone())),
            _ => all.create.push(kind),
        }
    }
    all.time_offsets = time_offsets(spec);
    all
}

/// How far its clocks are ahead.
fn time_offsets(spec: &Spec) -> Option<Offsets> {
    let offsets = spec.linux().as_ref()?.time_offsets().as_ref()?;
    let offset = |clock| {
        let offset = offsets.get(clock)?;
        Some((offset.secs().unwrap_or(0), offset.nanosecs().unwrap_or(0)))
    };
    let (monotonic, boottime) =
        (offset("monotonic").unwrap_or_default(), offset("boottime").unwrap_or_default());
    Some(Offsets { monotonic, boottime })
}

/// What it mounts. A mount of cgroups shows those that are `made` for it.
pub(crate) fn mounts(spec: &Spec, cgroups: Option<&Layout>, made: &[PathBuf]) -> Vec<Mount> {
    let mut all = Vec::new();
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().clone());
    for mut mount in spec.mounts().iter().flatten().map(convert) {
        // As runc: the kernel's own file systems have labels of their own.
        let own = ["proc", "sysfs", "mqueue", "cgroup", "cgroup2"].contains(&mount.fstype.as_str());
        if let Some(label) = label.as_ref().filter(|label| !label.is_empty() && !own && !mount.is_bind()) {
            // In quotes, because of the commas in it.
            mount.options.push(format!("context=\"{label}\""));
        }
        match cgroups.filter(|_| mount.fstype == "cgroup") {
            None => all.push(mount),
            Some(layout) if layout.hierarchies.is_empty() => {
                all.push(Mount { fstype: "cgroup2".to_owned(), ..mount });
            }
            Some(layout) => all.extend(separate(&mount, layout, made)),
        }
    }
    all
}

fn convert(mount: &oci_spec::runtime::Mount) -> Mount {
    let words = mount.options().clone().unwrap_or_default();
    let word = |word: String| match word.as_str() {
        // How it spreads is a step of its own.
        _ if propagation(&word).is_some() || IDLE_OPTIONS.contains(&word.as_str()) => None,
        // A copy of a tree is changed as a whole.
        _ if RECURSIVE_OPTIONS.contains(&word.as_str()) => Some(word[1..].to_owned()),
        _ => Some(word),
    };
    Mount {
        target: mount.destination().clone(),
        fstype: mount.typ().clone().unwrap_or_else(|| "bind".to_owned()),
        source: mount.source().clone().unwrap_or_default().to_string_lossy().into_owned(),
        options: words.into_iter().filter_map(word).collect(),
    }
}

/// Words that ask for what is so anyway, or that are about nothing that a mount does in a container.
const IDLE_OPTIONS: [&str; 36] = [
    "private",
    "rprivate",
    "unbindable",
    "runbindable",
    "norelatime",
    "nostrictatime",
    "loud",
    "silent",
    "nomand",
    "mand",
    "noiversion",
    "iversion",
    "diratime",
    "dirsync",
    "lazytime",
    "nolazytime",
    "symfollow",
    "acl",
    "noacl",
    "rrw",
    "rsuid",
    "rdev",
    "rexec",
    "ratime",
    "rdiratime",
    "rnodiratime",
    "rrelatime",
    "rnorelatime",
    "rstrictatime",
    "rnostrictatime",
    "rsymfollow",
    "auto",
    "noauto",
    "user",
    "nouser",
    "_netdev",
];

/// Words about a mount and all below it, each an `r` before the word about the mount alone.
const RECURSIVE_OPTIONS: [&str; 6] = ["rro", "rnosuid", "rnodev", "rnoexec", "rnoatime", "rnosymfollow"];

/// Whether a word is an option that every mount may have.
pub(crate) fn is_known_option(word: &str) -> bool {
    mini_chroot::mounts::is_flag(word)
        || propagation(word).is_some()
        || IDLE_OPTIONS.contains(&word)
        || RECURSIVE_OPTIONS.contains(&word)
}

/// With v1, a directory with the container's own cgroup of each tree in which it has one.
fn separate(mount: &Mount, layout: &Layout, made: &[PathBuf]) -> Vec<Mount> {
    let target = mount.target.to_string_lossy();
    let mut all = vec![Mount::new(&target, "tmpfs", "tmpfs", "nosuid,noexec,nodev,mode=755")];
    for tree in &layout.hierarchies {
        let own = made.iter().find(|own| own.starts_with(&tree.directory));
        let (Some(own), Some(name)) = (own, tree.directory.file_name()) else { continue };
        all.push(Mount {
            target: mount.target.join(name),
            fstype: "bind".to_owned(),
            source: own.to_string_lossy().into_owned(),
            options: std::iter::once("bind".to_owned()).chain(mount.options.iter().cloned()).collect(),
        });
    }
    all
}

/// The flags of a word about how mounts spread, if they do; private is what mounts are anyway.
pub(crate) fn propagation(word: &str) -> Option<MsFlags> {
    Some(match word {
        "shared" => MsFlags::MS_SHARED,
        "rshared" => MsFlags::MS_SHARED | MsFlags::MS_REC,
        "slave" => MsFlags::MS_SLAVE,
        "rslave" => MsFlags::MS_SLAVE | MsFlags::MS_REC,
        _ => return None,
    })
}

/// What the container gets beside its mounts. Who may make no device files is shown none but the usual ones.
pub(crate) fn furnishings(spec: &Spec, can_make: bool) -> Vec<furnish::Step> {
    let mut steps = Vec::new();
    for mount in spec.mounts().iter().flatten() {
        let flags = mount.options().iter().flatten().filter_map(|word| propagation(word)).next();
        steps.extend(flags.map(|flags| furnish::Step::Propagate(mount.destination().clone(), flags)));
    }
    let Some(linux) = spec.linux() else { return steps };
    if can_make {
        steps.extend(
            linux.devices().iter().flatten().map(|device| furnish::Step::Device(convert_device(device))),
        );
    }
    let mut sysctls: Vec<_> = linux.sysctl().iter().flatten().collect();
    sysctls.sort_unstable();
    steps.extend(sysctls.into_iter().map(|(name, value)| furnish::Step::Sysctl(name.clone(), value.clone())));
    steps
}

fn convert_device(device: &LinuxDevice) -> furnish::Device {
    let number = |number: i64| u32::try_from(number).unwrap_or_default();
    furnish::Device {
        path: device.path().clone(),
        kind: match device.typ() {
            LinuxDeviceType::B => FileType::BlockDevice,
            LinuxDeviceType::P => FileType::Fifo,
            LinuxDeviceType::A | LinuxDeviceType::C | LinuxDeviceType::U => FileType::CharacterDevice,
        },
        numbers: (number(device.major()), number(device.minor())),
        mode: device.file_mode().unwrap_or(0o666) & 0o7777,
        owner: (device.uid().unwrap_or(0), device.gid().unwrap_or(0)),
    }
}

/// How large its terminal is at first.
pub(crate) fn window_size(size: ConsoleSize) -> WindowSize {
    let cells = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
    WindowSize { columns: cells(size.width()), rows: cells(size.height()) }
}

/// The process's capabilities, in the kernel's order.
pub(crate) fn capability_sets(process: &Process) -> Result<Option<Capabilities>, SpecError> {
    let Some(sets) = process.capabilities() else { return Ok(None) };
    let list = |set: &Option<OciCapabilities>| {
        let mut list = set
            .iter()
            .flatten()
            .map(|capability| capability.to_string().parse())
            .collect::<Result<Vec<Capability>, _>>()
            .map_err(SpecError::Capability)?;
        // The library keeps sets without an order; ours is the kernel's.
        list.sort_unstable();
        Ok(list)
    };
    let mut all = Capabilities {
        bounding: list(sets.bounding())?,
        effective: list(sets.effective())?,
        permitted: list(sets.permitted())?,
        inheritable: list(sets.inheritable())?,
        ambient: list(sets.ambient())?,
    };
    // The kernel refuses to make others ambient, and `runc spec` asks for them: what cannot be is left out.
    all.ambient.retain(|one| all.permitted.contains(one) && all.inheritable.contains(one));
    Ok(Some(all))
}

/// What the program passes on to those it runs.
pub(crate) fn inherited(process: &Process) -> Result<Vec<limits::Step>, SpecError> {
    let mut steps = Vec::new();
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = limits::resource(&name).ok_or(SpecError::Rlimit(name))?;
        steps.push(limits::Step::Rlimit(resource, limit.soft(), limit.hard()));
    }
    steps.extend(process.oom_score_adj().map(|score| limits::Step::OomScoreAdj(score.into())));
    Ok(steps)
}
