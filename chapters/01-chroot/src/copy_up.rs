//! What a directory holds, copied into the tmpfs that is mounted over it: the option `tmpcopyup`.
//!
//! Both ends are open directories, and every name is looked up in one of them without following links: a link in the
//! image leads nowhere here. Owners, permissions and kinds come along; times and attributes do not.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use mini_sys::file::{self, FileType, Mode, OFlags, ResolveFlags};
use mini_sys::{Error, Result, inode};

/// Copies all that is below `from` to `to`, which is empty.
pub(crate) fn copy_up(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    for name in inode::names(from)? {
        let name = Path::new(&name);
        let stat = file::statat(from, name)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
        match kind {
            FileType::Directory => {
                file::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
                copy_up(&directory(from, name)?, &directory(to, name)?)?;
            }
            FileType::RegularFile => {
                let how = OFlags::RDONLY | OFlags::NOFOLLOW;
                let mut source = File::from(open(from, name, how)?);
                let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let mut copy = File::from(open(to, name, how)?);
                std::io::copy(&mut source, &mut copy)
                    .map_err(|error| Error::from_io(format!("copy {}", name.display()), &error))?;
            }
            FileType::Symlink => file::symlinkat(&file::readlinkat(from, name)?, to, name)?,
            // Nobody listens at the copy of a socket.
            FileType::Socket => continue,
            _ => file::mknodat(to, name, kind, mode, file::device_numbers(stat.st_rdev))?,
        }
        inode::lchownat(to, name, stat.st_uid, stat.st_gid)?;
        if kind != FileType::Symlink {
            // After the owner, whose change takes set-user-id bits away.
            inode::fchmodat(to, name, mode)?;
        }
    }
    Ok(())
}

fn directory(above: impl AsFd, name: &Path) -> Result<OwnedFd> {
    open(above, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW)
}

fn open(above: impl AsFd, name: &Path, how: OFlags) -> Result<OwnedFd> {
    let mode = if how.contains(OFlags::CREATE) { Mode::from_raw_mode(0o600) } else { Mode::empty() };
    file::openat2(above, name, how, mode, ResolveFlags::empty())
}
