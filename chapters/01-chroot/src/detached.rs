//! Mounts that are attached nowhere: made or copied in one phase, attached in a later one.

use std::collections::VecDeque;
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use mini_sys::file::{self, FileType};
use mini_sys::mount::MsFlags;
use mini_sys::mount_api::{self, FsContext, MountAttr, MountAttrFlags, OpenTreeFlags};
use mini_sys::{Errno, Error, Result};

use crate::mounts::{Mount, NOSYMFOLLOW};

/// What has been made and not yet attached, in the order of making, which is also the order of attaching.
#[derive(Debug, Default)]
pub struct Detached(VecDeque<OwnedFd>);

impl Detached {
    /// Makes a file system.
    // ANCHOR: make
    pub(crate) fn make(&mut self, mount: &Mount) -> Result<()> {
        let (flags, data) = mount.flags_and_data();
        let context = FsContext::fsopen(&mount.fstype)?;
        context.set_string("source", &mount.source)?;
        for option in data.split(',').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some((key, value)) => context.set_string(key, value)?,
                None => context.set_flag(option)?,
            }
        }
        self.0.push_back(context.fsmount(attributes(flags))?);
        Ok(())
    }
    // ANCHOR_END: make

    /// Copies what the host shows at the mount's source, and makes the copy as read-only as asked.
    pub(crate) fn copy(&mut self, mount: &Mount) -> Result<()> {
        let copy = mount_api::open_tree(Path::new(&mount.source), copy_flags(mount))?;
        let (flags, _) = mount.flags_and_data();
        let set = u64::from(attributes(flags).bits());
        if set != 0 {
            let recursive = flags.contains(MsFlags::MS_REC);
            mount_api::mount_setattr(&copy, MountAttr { set, recursive, ..MountAttr::default() })?;
        }
        self.0.push_back(copy);
        Ok(())
    }

    /// Attaches the next one on the mount's target, which is made when it is missing.
    pub(crate) fn attach(&mut self, mount: &Mount) -> Result<()> {
        let none =
            || Error::new(format!("move_mount(nothing, \"{}\")", mount.target.display()), Errno::EBADF);
        let next = self.0.pop_front().ok_or_else(none)?;
        let kind = FileType::from_raw_mode(file::statat(&next, Path::new(""))?.st_mode);
        if kind == FileType::Directory {
            make_directory(&mount.target)?;
        } else {
            make_file(&mount.target)?;
        }
        mount_api::move_mount(next.as_fd(), &mount.target)
    }
}

/// A mount of a directory brings what is mounted below it only when asked (`rbind`).
pub(crate) fn copy_flags(mount: &Mount) -> OpenTreeFlags {
    let (flags, _) = mount.flags_and_data();
    if flags.contains(MsFlags::MS_REC) {
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE
    } else {
        OpenTreeFlags::OPEN_TREE_CLONE
    }
}

/// The flags of mount(2) that fsmount(2) and mount_setattr(2) know by other names.
pub(crate) fn attributes(flags: MsFlags) -> MountAttrFlags {
    let pairs = [
        (MsFlags::MS_RDONLY, MountAttrFlags::MOUNT_ATTR_RDONLY),
        (MsFlags::MS_NOSUID, MountAttrFlags::MOUNT_ATTR_NOSUID),
        (MsFlags::MS_NODEV, MountAttrFlags::MOUNT_ATTR_NODEV),
        (MsFlags::MS_NOEXEC, MountAttrFlags::MOUNT_ATTR_NOEXEC),
        (MsFlags::MS_NOATIME, MountAttrFlags::MOUNT_ATTR_NOATIME),
        (MsFlags::MS_NODIRATIME, MountAttrFlags::MOUNT_ATTR_NODIRATIME),
        (MsFlags::from_bits_retain(NOSYMFOLLOW), MountAttrFlags::MOUNT_ATTR_NOSYMFOLLOW),
    ];
    pairs.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, attribute)| *attribute).collect()
}

/// Makes the directory and those above it. Inside the new root a link cannot lead out, so links are followed.
pub(crate) fn make_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed("mkdir", path, &error))
}

fn make_file(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
    }
    fs::File::create(path).map(drop).map_err(|error| failed("creat", path, &error))
}

fn failed(call: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::from_io(format!("{call}(\"{}\")", path.display()), error)
}
