//! The OCI runtime `Spec` in the words of the earlier chapters. OCI runtime spec, "Linux Container Configuration".

use mini_chroot::Mount;
use mini_namespaces::{Kind, Namespaces};
use mini_security::{Capabilities, Capability, limits};
use mini_sys::tty::WindowSize;
use oci_spec::runtime::{
    Box as ConsoleSize, Capabilities as OciCapabilities, LinuxNamespaceType, Process, Spec,
};

use crate::plan::PlanError;

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
            Some(path) => all.join.push((kind, path.clone())),
            None => all.create.push(kind),
        }
    }
    all
}

/// What it mounts.
pub(crate) fn mounts(spec: &Spec) -> Vec<Mount> {
    let convert = |mount: &oci_spec::runtime::Mount| Mount {
        target: mount.destination().clone(),
        fstype: mount.typ().clone().unwrap_or_else(|| "bind".to_owned()),
        source: mount.source().clone().unwrap_or_default().to_string_lossy().into_owned(),
        options: mount.options().clone().unwrap_or_default(),
    };
    spec.mounts().iter().flatten().map(convert).collect()
}

/// How large its terminal is at first.
pub(crate) fn window_size(size: ConsoleSize) -> WindowSize {
    let cells = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
    WindowSize { columns: cells(size.width()), rows: cells(size.height()) }
}

/// The process's capabilities, in the kernel's order.
pub(crate) fn capability_sets(process: &Process) -> Result<Option<Capabilities>, PlanError> {
    let Some(sets) = process.capabilities() else { return Ok(None) };
    let list = |set: &Option<OciCapabilities>| {
        let mut list = set
            .iter()
            .flatten()
            .map(|capability| capability.to_string().parse())
            .collect::<Result<Vec<Capability>, _>>()
            .map_err(PlanError::Capability)?;
        // The library keeps sets without an order; ours is the kernel's.
        list.sort_unstable();
        Ok(list)
    };
    Ok(Some(Capabilities {
        bounding: list(sets.bounding())?,
        effective: list(sets.effective())?,
        permitted: list(sets.permitted())?,
        inheritable: list(sets.inheritable())?,
        ambient: list(sets.ambient())?,
    }))
}

/// What the program passes on to those it runs.
pub(crate) fn inherited(process: &Process) -> Result<Vec<limits::Step>, PlanError> {
    let mut steps = Vec::new();
    for limit in process.rlimits().iter().flatten() {
        let name = limit.typ().to_string();
        let resource = limits::resource(&name).ok_or(PlanError::Rlimit(name))?;
        steps.push(limits::Step::Rlimit(resource, limit.soft(), limit.hard()));
    }
    steps.extend(process.oom_score_adj().map(|score| limits::Step::OomScoreAdj(score.into())));
    Ok(steps)
}
