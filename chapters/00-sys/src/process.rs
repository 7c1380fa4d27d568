//! What a process is before it becomes a program: credentials, limits, name, and execve(2).

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::path::Path;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
pub use nix::sys::resource::Resource;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};

use crate::call::{Result, call};

/// Becomes the program at `path`. Returns only when that fails.
///
/// # Errors
/// `ENOENT` also when the program's interpreter is missing, `EACCES`, `ENOEXEC`, `E2BIG`. execve(2).
pub fn execve(path: &CStr, arguments: &[CString], environment: &[CString]) -> Result<Infallible> {
    call(|| format!("execve({path:?})"), || nix::unistd::execve(path, arguments, environment))
}

/// Becomes user `uid` and group `gid`, real, effective and saved, with `groups` as supplementary groups.
///
/// Groups go first: once the uid is given up, the right to change them is gone.
///
/// # Errors
/// `EPERM` without the capabilities, or in a user namespace whose `setgroups` is denied; `EINVAL` for an id
/// that the user namespace does not map. setgroups(2), setresuid(2).
pub fn set_credentials(uid: Uid, gid: Gid, groups: &[Gid]) -> Result<()> {
    call(|| format!("setgroups({groups:?})"), || nix::unistd::setgroups(groups))?;
    set_ids(uid, gid)
}

/// As [`set_credentials`], and leaves the supplementary groups as they are: where a user namespace denies
/// setgroups(2), nothing else is possible.
///
/// # Errors
/// As [`set_credentials`].
pub fn set_ids(uid: Uid, gid: Gid) -> Result<()> {
    call(|| format!("setresgid({gid})"), || nix::unistd::setresgid(gid, gid, gid))?;
    call(|| format!("setresuid({uid})"), || nix::unistd::setresuid(uid, uid, uid))
}

/// Keeps capabilities over the next change of uid away from 0. prctl(2), `PR_SET_KEEPCAPS`.
///
/// # Errors
/// `EPERM` when the secure bits lock it.
pub fn keep_capabilities() -> Result<()> {
    call(|| "prctl(PR_SET_KEEPCAPS)".to_owned(), || prctl::set_keepcaps(true))
}

/// No program run from here on gains rights from set-user-id bits or file capabilities.
/// prctl(2), `PR_SET_NO_NEW_PRIVS`.
///
/// # Errors
/// None in practice.
pub fn set_no_new_privs() -> Result<()> {
    call(|| "prctl(PR_SET_NO_NEW_PRIVS)".to_owned(), prctl::set_no_new_privs)
}

/// Asks the kernel to send `signal` to this process when its parent ends. prctl(2), `PR_SET_PDEATHSIG`.
/// A change of credentials clears it, so it goes after those.
///
/// # Errors
/// None in practice.
pub fn set_pdeathsig(signal: Signal) -> Result<()> {
    call(|| format!("prctl(PR_SET_PDEATHSIG, {signal})"), || prctl::set_pdeathsig(signal))
}

/// The name that `ps` shows for this process, cut to 15 bytes. prctl(2), `PR_SET_NAME`.
///
/// # Errors
/// None in practice.
pub fn set_name(name: &CStr) -> Result<()> {
    call(|| format!("prctl(PR_SET_NAME, {name:?})"), || prctl::set_name(name))
}

/// Marks this process as the one that orphans below it fall to. prctl(2), `PR_SET_CHILD_SUBREAPER`.
///
/// # Errors
/// None in practice.
pub fn set_child_subreaper() -> Result<()> {
    call(|| "prctl(PR_SET_CHILD_SUBREAPER)".to_owned(), || prctl::set_child_subreaper(true))
}

/// The host name of this uts namespace. sethostname(2), uts_namespaces(7).
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` when longer than 64 bytes.
pub fn sethostname(name: &str) -> Result<()> {
    call(|| format!("sethostname(\"{name}\")"), || nix::unistd::sethostname(name))
}

/// The NIS domain name of this uts namespace. setdomainname(2).
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`, `EINVAL` when longer than 64 bytes.
pub fn setdomainname(name: &str) -> Result<()> {
    call(
        || format!("setdomainname(\"{name}\")"),
        || {
            // SAFETY: `name` is valid for reads of `name.len()` bytes; no terminating NUL is needed.
            Errno::result(unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) }).map(drop)
        },
    )
}

/// Sets the soft and hard limit of `resource` for this process. setrlimit(2).
///
/// # Errors
/// `EPERM` to raise a hard limit without `CAP_SYS_RESOURCE`, `EINVAL` when soft is above hard.
pub fn setrlimit(resource: Resource, soft: u64, hard: u64) -> Result<()> {
    call(
        || format!("setrlimit({resource:?}, {soft}, {hard})"),
        || nix::sys::resource::setrlimit(resource, soft, hard),
    )
}

/// Changes the working directory. chdir(2).
///
/// # Errors
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn chdir(path: &Path) -> Result<()> {
    call(|| format!("chdir(\"{}\")", path.display()), || nix::unistd::chdir(path))
}

/// Makes this process the leader of a process group of its own. setpgid(2).
///
/// # Errors
/// `EPERM` when it leads a session.
pub fn lead_group() -> Result<()> {
    let own = nix::unistd::Pid::from_raw(0);
    call(|| "setpgid(0, 0)".to_owned(), || nix::unistd::setpgid(own, own))
}

/// Starts a session without a terminal, with this process as its leader. setsid(2).
///
/// # Errors
/// `EPERM` when this process already leads a process group.
pub fn setsid() -> Result<()> {
    call(|| "setsid()".to_owned(), nix::unistd::setsid).map(drop)
}

/// Sets which permission bits a new file does not get, and returns the former mask. umask(2).
pub fn umask(mask: u32) -> u32 {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask)).bits()
}

/// Hides what `/proc/<pid>` tells of this process, and its program file, from processes that are not allowed
/// to trace it: without this a container's root could open the engine's own binary through `/proc/1/exe`
/// (CVE-2019-5736). prctl(2), `PR_SET_DUMPABLE`.
///
/// # Errors
/// None in practice.
pub fn set_undumpable() -> Result<()> {
    call(|| "prctl(PR_SET_DUMPABLE, 0)".to_owned(), || prctl::set_dumpable(false))
}

/// Whether this process's effective user is root of its user namespace. geteuid(2).
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
