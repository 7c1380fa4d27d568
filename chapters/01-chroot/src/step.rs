//! From a list of mounts to the order in which they can be made safely, and the loop's single steps.
//!
//! Three phases, and the order is the safety. **Make**: file systems and copies of host directories are made
//! while the host is still in sight, but attached nowhere. **Enter**: the root is swapped and the old one
//! detached. **Attach**: every target is resolved when nothing outside exists any more, so a symbolic link
//! in the image (`/proc -> /../../etc`) cannot aim a mount, or a directory made for one, at the host:
//! the class of CVE-2021-30465 has no place to happen. mount_setattr(2), open_tree(2); book ch. 1.

use std::path::{Path, PathBuf};

use mini_sys::file::{self, CWD, FileType, Mode, OFlags, ResolveFlags};
use mini_sys::mount::{self, MsFlags};
use mini_sys::{Errno, Result};

use crate::copy_up::copy_up;
use crate::detached::{self, Detached};
use crate::mounts::{DEVICE_LINKS, DEVICES, Mount};
use crate::{move_root, root};

/// How a container gets its device files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// Makes them, which takes `CAP_MKNOD` on the host.
    Make,
    /// Shows the host's, which is all that a user namespace may do.
    Bind,
}

/// One thing to do on the way into a new root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Cuts propagation between this mount namespace and the host's.
    KeepPrivate,
    /// Turns the new root into a mount point.
    BindRoot(PathBuf),
    /// Makes a file system that is attached nowhere yet.
    Make(Mount),
    /// Copies a mount of the host, attached nowhere yet.
    Copy(Mount),
    /// Makes this directory the root.
    Pivot(PathBuf),
    /// Moves this directory over the root, where that cannot be put away.
    MoveRoot(PathBuf),
    /// Lets go of the host's file system.
    DetachOldRoot,
    /// Attaches what was made or copied, in that order.
    Attach(Mount),
    /// Makes and attaches a file system that needs nothing of the host.
    Mount(Mount),
    /// Makes a device file in `/dev`.
    Device(&'static str, u32, u32),
    /// Makes a link in `/dev`.
    Link(&'static str, &'static str),
    /// Makes the root itself read-only; what is mounted in it stays as it is.
    ReadOnlyRoot,
}

/// The steps that take a process, alone in a new mount namespace, into `root` with `mounts` in place.
/// `root` must be a mount point: see [`Step::BindRoot`].
pub fn plan(root: &Path, mounts: &[Mount], devices: Devices) -> Vec<Step> {
    // ANCHOR: phases
    let mut make = Vec::new();
    let mut attach = Vec::new();
    for mount in mounts {
        if mount.is_bind() {
            make.push(Step::Copy(mount.clone()));
            attach.push(Step::Attach(mount.clone()));
        } else if needs_host_in_sight(&mount.fstype) {
            make.push(Step::Make(mount.clone()));
            attach.push(Step::Attach(mount.clone()));
        } else {
            attach.push(Step::Mount(mount.clone()));
        }
        if mount.target == Path::new("/dev") {
            fill_dev(devices, &mut make, &mut attach);
        }
    }
    make.extend([Step::Pivot(root.to_owned()), Step::DetachOldRoot]);
    make.append(&mut attach);
    make
    // ANCHOR_END: phases
}

/// In a user namespace the kernel makes these only for who can see one already, unobscured: after the old
/// root is gone nobody can. user_namespaces(7), "mount_too_revealing" in the kernel's fs/namespace.c.
fn needs_host_in_sight(fstype: &str) -> bool {
    matches!(fstype, "proc" | "sysfs" | "cgroup" | "cgroup2")
}

fn fill_dev(devices: Devices, make: &mut Vec<Step>, attach: &mut Vec<Step>) {
    for (name, major, minor) in DEVICES {
        match devices {
            Devices::Make => attach.push(Step::Device(name, major, minor)),
            Devices::Bind => {
                let path = format!("/dev/{name}");
                let bind = Mount::new(&path, "bind", &path, "bind,nosuid,noexec");
                make.push(Step::Copy(bind.clone()));
                attach.push(Step::Attach(bind));
            }
        }
    }
    attach.extend(DEVICE_LINKS.map(|(name, to)| Step::Link(name, to)));
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::KeepPrivate => {
                mount::describe("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")
            }
            Self::BindRoot(path) => {
                mount::describe(&path.to_string_lossy(), path, "", MsFlags::MS_BIND | MsFlags::MS_REC, "")
            }
            Self::Make(mount) => {
                let (flags, data) = mount.flags_and_data();
                let attributes = mini_sys::flags::names(&detached::attributes(flags));
                format!("fsmount(fsopen(\"{}\"), \"{data}\", {attributes})", mount.fstype)
            }
            Self::Copy(mount) => format!(
                "open_tree(\"{}\", {})",
                mount.source,
                mini_sys::flags::names(&detached::copy_flags(mount))
            ),
            Self::MoveRoot(path) => {
                format!("chdir(\"{}\"); mount(\".\", \"/\", MS_MOVE); chroot(\".\")", path.display())
            }
            Self::Pivot(path) => format!("chdir(\"{}\"); pivot_root(\".\", \".\")", path.display()),
            Self::DetachOldRoot => "umount2(\".\", MNT_DETACH); chdir(\"/\")".to_owned(),
            Self::Attach(mount) => format!("move_mount({}, \"{}\")", mount.fstype, mount.target.display()),
            Self::Mount(mount) => {
                let (flags, data) = mount.flags_and_data();
                mount::describe(&mount.source, &mount.target, &mount.fstype, flags, &data)
            }
            Self::Device(name, major, minor) => {
                format!("mknod(\"/dev/{name}\", S_IFCHR|0666, makedev({major}, {minor}))")
            }
            Self::Link(name, to) => format!("symlink(\"{to}\", \"/dev/{name}\")"),
            Self::ReadOnlyRoot => mount::describe("", Path::new("/"), "", read_only_root(), ""),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::KeepPrivate => "no mount made from here on is seen by the host",
            Self::BindRoot(_) => "pivot_root wants a mount point",
            Self::Make(_) => "made while the host is in sight, attached later",
            Self::Copy(_) => "taken from the host while it is in sight, attached later",
            Self::Pivot(_) => "the container's files become /",
            Self::MoveRoot(_) => "a ramdisk's root cannot be put away: the container's files go over it",
            Self::DetachOldRoot => "the host's files leave this world: no name leads to them",
            Self::Attach(_) => "what was made outside gets its place inside",
            Self::Mount(_) => "a file system of the container's own",
            Self::Device(..) => "a device that is safe to share",
            Self::Link(..) => "a name that programs expect in /dev",
            Self::ReadOnlyRoot => "the image's files cannot be changed",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// The first system call that fails, with its operands.
    pub fn perform(&self, detached: &mut Detached) -> Result<()> {
        match self {
            Self::KeepPrivate => root::keep_mounts_private(),
            Self::BindRoot(path) => root::bind_on_itself(path),
            Self::Make(mount) => detached.make(mount),
            Self::Copy(mount) => detached.copy(mount),
            Self::Pivot(path) => root::pivot(path),
            Self::MoveRoot(path) => move_root::move_root(path),
            Self::DetachOldRoot => root::detach_old_root(),
            Self::Attach(mount) => detached.attach(mount),
            Self::Mount(mount) if mount.copies_up() => mount_full(mount),
            Self::Mount(mount) => {
                let (flags, data) = mount.flags_and_data();
                detached::make_directory(&mount.target)?;
                mount::mount(&mount.source, &mount.target, &mount.fstype, flags, &data)
            }
            Self::Device(name, major, minor) => device(&Path::new("/dev").join(name), *major, *minor),
            Self::Link(name, to) => file::symlinkat(Path::new(to), CWD, &Path::new("/dev").join(name)),
            Self::ReadOnlyRoot => mount::mount("", Path::new("/"), "", read_only_root(), ""),
        }
    }
}

/// Mounts a tmpfs, and copies into it what it covers.
fn mount_full(mount: &Mount) -> Result<()> {
    let (flags, data) = mount.flags_and_data();
    detached::make_directory(&mount.target)?;
    let open = || {
        let how = OFlags::RDONLY | OFlags::DIRECTORY;
        file::openat2(CWD, &mount.target, how, Mode::empty(), ResolveFlags::empty())
    };
    let below = open()?;
    let writable = flags.difference(MsFlags::MS_RDONLY);
    mount::mount(&mount.source, &mount.target, &mount.fstype, writable, &data)?;
    copy_up(&below, &open()?)?;
    match flags == writable {
        true => Ok(()),
        false => mount::mount("", &mount.target, "", flags | MsFlags::MS_REMOUNT | MsFlags::MS_BIND, ""),
    }
}

/// `MS_BIND` makes it a change of this mount only: without it the whole file system would be remounted.
fn read_only_root() -> MsFlags {
    MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY
}

fn device(path: &Path, major: u32, minor: u32) -> Result<()> {
    let before = mini_sys::process::umask(0);
    let made =
        file::mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), (major, minor));
    mini_sys::process::umask(before);
    match made {
        Err(error) if error.errno() == Errno::EEXIST => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounts;

    /// Invariant 5 of the book's chapter 1.
    #[test]
    fn nothing_is_attached_before_the_old_root_is_gone() {
        let mut mounts = mounts::standard();
        mounts.push(Mount::new("/data", "bind", "/srv/data", "rbind,ro"));
        let plan = plan(Path::new("/merged"), &mounts, Devices::Make);
        let gone = plan.iter().position(|step| *step == Step::DetachOldRoot);
        let first = plan.iter().position(|step| matches!(step, Step::Attach(_) | Step::Mount(_)));
        assert!(gone.is_some() && gone < first);
        let last_from_host = plan.iter().rposition(|step| matches!(step, Step::Make(_) | Step::Copy(_)));
        assert!(last_from_host < gone);
    }

    #[test]
    fn the_plan_of_a_default_container_reads_like_a_story() {
        let plan = plan(Path::new("/merged"), &mounts::standard(), Devices::Make);
        let lines: Vec<String> =
            plan.iter().map(|step| format!("{}  # {}", step.call(), step.why())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
