//! Why a bundle is refused. Where runc has words for it they are runc's.

use std::path::PathBuf;

use oci_spec::runtime::LinuxNamespaceType;

/// A bundle that asks for what cannot be had, or what would be the host's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedError {
    /// It would be changed for all.
    #[error("unable to {what} without a private {kind} namespace")]
    Shared {
        /// What was to be done.
        what: &'static str,
        /// Whose it would be.
        kind: &'static str,
    },
    /// Something about a namespace that there is not.
    #[error("{what} specified, but {kind} namespace isn't enabled in the config")]
    Unused {
        /// What.
        what: &'static str,
        /// The namespace.
        kind: &'static str,
    },
    /// A mount namespace that others stand in.
    #[error(
        "joining a mount namespace by its path is not supported: its root would be changed for all in it"
    )]
    JoinsMounts,
    /// A kind of namespace that is listed twice.
    #[error("malformed spec file: duplicated ns {0}")]
    Twice(LinuxNamespaceType),
    /// A user namespace in which nobody has a number.
    #[error("user namespaces enabled, but no {0} mappings found")]
    NoIds(&'static str),
    /// A parameter of the whole machine.
    #[error("sysctl \"{0}\" is not in a separate kernel namespace")]
    Sysctl(String),
    /// A parameter of a namespace that is shared with the host.
    #[error("sysctl \"{name}\" not allowed in host {kind} namespace")]
    HostSysctl {
        /// Which.
        name: String,
        /// The namespace.
        kind: &'static str,
    },
    /// A parameter for which there is another property.
    #[error("sysctl \"{0}\" is not allowed as it conflicts with the OCI \"hostname\" field")]
    HostnameSysctl(String),
    /// A mount option that would have no effect.
    #[error("mount {}: a bind mount cannot have the option `{option}`", target.display())]
    BindOption {
        /// Where.
        target: PathBuf,
        /// Which.
        option: String,
    },
    /// How mounts are to spread, in an unknown word.
    #[error("rootfsPropagation={0} is not supported")]
    Propagation(String),
    /// A rule about devices that means nothing.
    #[error("invalid rule about devices: {0}")]
    Device(String),
    /// A label of a security module that is not there.
    #[error("selinux label is specified in config, but selinux is disabled or not supported")]
    Selinux,
    /// A profile of a security module that is not there.
    #[error("apparmor: config provided but apparmor not supported")]
    AppArmor,
    /// A path that depends on where it is read.
    #[error("{0} must be an absolute path")]
    Relative(&'static str),
    /// What is not carried out.
    #[error("`{0}` is not supported")]
    Unsupported(&'static str),
}
