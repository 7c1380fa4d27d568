//! Root's power, cut into pieces, and which of them a container keeps.
//!
//! The kernel never asks "is this root?" but "has this process `CAP_…`?". A container's root has uid 0 and
//! few capabilities: it owns its files and may bind port 80, but cannot mount, load a module or set the clock.
//! The bounding set goes first, because it is what no program run later can climb over; the process's own
//! sets go after the change of user, which would clear them. capabilities(7), prctl(2); book ch. 4.

use std::fmt;
use std::str::FromStr;

use mini_sys::capability::{self, CapabilitySet, CapabilitySets};
use mini_sys::{Errno, Result};

/// One capability, by its number in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

/// The names, at the index that is their number. capabilities(7); the last is of Linux 5.9.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What Docker leaves a container: enough for package managers and servers, not enough to touch the host.
pub const DEFAULT: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// A text that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability `{0}`")]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> std::result::Result<Self, UnknownCapability> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let number = NAMES.iter().position(|known| *known == name);
        number.map(|number| Self(number as u8)).ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CAP_{}", NAMES[usize::from(self.0)])
    }
}

/// The names of the capabilities in a mask, as `/proc/<pid>/status` shows one; those that are newer than this list by
/// their number. proc_pid_status(5).
pub fn names(mask: u64) -> Vec<String> {
    let name = |number: u8| match NAMES.get(usize::from(number)) {
        Some(name) => format!("CAP_{name}"),
        None => format!("CAP_{number}"),
    };
    (0..64).filter(|number| mask & (1 << number) != 0).map(name).collect()
}

/// The five sets of a process, as the OCI runtime spec lists them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// What any program run later can have at most.
    pub bounding: Vec<Capability>,
    /// What counts when the kernel asks.
    pub effective: Vec<Capability>,
    /// What the process may make effective.
    pub permitted: Vec<Capability>,
    /// What a program may take along when its file says so.
    pub inheritable: Vec<Capability>,
    /// What a program run by a user who is not root takes along.
    pub ambient: Vec<Capability>,
}

/// One thing to do about capabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Takes all others out of the bounding set.
    Bound(Vec<Capability>),
    /// Keeps the permitted set over the change of user.
    Keep,
    /// Sets the process's own sets, and the ambient one.
    Set(Capabilities),
    /// Forbids that a program run from here gains rights.
    NoNewPrivileges,
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::Bound(keep) => {
                format!("prctl(PR_CAPBSET_DROP, {} of {})", NAMES.len() - keep.len(), NAMES.len())
            }
            Self::Keep => "prctl(PR_SET_KEEPCAPS, 1)".to_owned(),
            Self::Set(sets) => format!("capset({})", list(&sets.effective)),
            Self::NoNewPrivileges => "prctl(PR_SET_NO_NEW_PRIVS, 1)".to_owned(),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Bound(_) => "no program run later gets these back",
            Self::Keep => "the change of user would clear them",
            Self::Set(_) => "root, with few of root's powers",
            Self::NoNewPrivileges => "set-user-id programs give nothing",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// `EPERM` for a capability that this process does not have itself.
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::Bound(keep) => bound(keep),
            Self::Keep => mini_sys::process::keep_capabilities(),
            Self::Set(sets) => set(sets),
            Self::NoNewPrivileges => mini_sys::process::set_no_new_privs(),
        }
    }
}

/// All that this process may make effective: the most that it can give to another.
///
/// # Errors
/// None in practice.
pub fn permitted() -> Result<Vec<Capability>> {
    let own = capability::capget()?.permitted.bits();
    Ok(all().into_iter().filter(|capability| own & (1 << capability.0) != 0).collect())
}

/// All that we know by name.
pub fn all() -> Vec<Capability> {
    (0..NAMES.len() as u8).map(Capability).collect()
}

fn bound(keep: &[Capability]) -> Result<()> {
    // A newer kernel has capabilities whose names we do not know: those go too.
    for number in 0..64u8 {
        if keep.contains(&Capability(number)) {
            continue;
        }
        match capability::drop_bounding(number.into()) {
            Err(error) if error.errno() == Errno::EINVAL => break,
            other => other?,
        }
    }
    Ok(())
}

fn set(sets: &Capabilities) -> Result<()> {
    capability::capset(CapabilitySets {
        effective: bits(&sets.effective),
        permitted: bits(&sets.permitted),
        inheritable: bits(&sets.inheritable),
    })?;
    capability::clear_ambient()?;
    sets.ambient.iter().try_for_each(|capability| capability::raise_ambient(capability.0.into()))
}

fn bits(list: &[Capability]) -> CapabilitySet {
    CapabilitySet::from_bits_retain(list.iter().fold(0, |bits, capability| bits | 1 << capability.0))
}

fn list(capabilities: &[Capability]) -> String {
    if capabilities.is_empty() {
        return "none".to_owned();
    }
    capabilities.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_with_and_without_prefix_in_any_case() {
        let number = |text: &str| text.parse::<Capability>().map(|capability| capability.0);
        assert_eq!((number("CAP_CHOWN"), number("sys_admin"), number("Cap_Bpf")), (Ok(0), Ok(21), Ok(39)));
        assert_eq!(number("SYS_FOO"), Err(UnknownCapability("SYS_FOO".to_owned())));
    }

    #[test]
    fn the_default_set_is_dockers() {
        let set: Vec<Capability> = DEFAULT.iter().filter_map(|name| name.parse().ok()).collect();
        assert_eq!(bits(&set).bits(), 0xa804_25fb);
    }
}
