//! Files and directories by descriptor: openat2(2) and the `*at` family.
//!
//! A name is always taken relative to an open directory. With [`ResolveFlags::IN_ROOT`] that directory is a
//! root: `..` stops there and an absolute symbolic link starts there, so a hostile tree leads nowhere else.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::libc;
use rustix::fs::RenameFlags;
pub use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps};

use crate::call::{Error, Result, call};
use crate::flags;

/// Opens `path`, resolved below `directory` as `resolve` says. The descriptor is closed on exec.
///
/// # Errors
/// `ELOOP` and `EXDEV` for a path that `resolve` forbids, and those of open(2). openat2(2), Linux 5.6.
pub fn openat2(
    directory: impl AsFd,
    path: &Path,
    how: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> Result<OwnedFd> {
    loop {
        let opened = call(
            || format!("openat2(\"{}\", {}, {})", path.display(), flags::names(&how), flags::names(&resolve)),
            || rustix::fs::openat2(directory.as_fd(), path, how | OFlags::CLOEXEC, mode, resolve),
        );
        match opened {
            // Somebody renamed something on the way while the kernel looked: it asks to try again.
            Err(error) if error.errno() == Errno::EAGAIN => {}
            other => return other,
        }
    }
}

/// Opens the directory `path` for the `*at` calls. open(2), `O_PATH|O_DIRECTORY`.
///
/// # Errors
/// `ENOENT`, `ENOTDIR`, `EACCES`.
pub fn open_directory(path: &Path) -> Result<OwnedFd> {
    call(
        || format!("open(\"{}\", O_PATH|O_DIRECTORY)", path.display()),
        || rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()),
    )
}

/// Makes a directory. mkdirat(2).
///
/// # Errors
/// `EEXIST`, `ENOENT`, `ENOSPC`, `EROFS`.
pub fn mkdirat(directory: impl AsFd, path: &Path, mode: Mode) -> Result<()> {
    call(
        || format!("mkdirat(\"{}\", {:#o})", path.display(), mode.bits()),
        || rustix::fs::mkdirat(directory.as_fd(), path, mode),
    )
}

/// Makes a device node, a fifo, a socket or an empty file. mknodat(2).
///
/// # Errors
/// `EPERM` for a device without `CAP_MKNOD` or in a user namespace, `EEXIST`.
pub fn mknodat(
    directory: impl AsFd,
    path: &Path,
    kind: FileType,
    mode: Mode,
    device: (u32, u32),
) -> Result<()> {
    let number = rustix::fs::makedev(device.0, device.1);
    call(
        || {
            format!(
                "mknodat(\"{}\", {kind:?}, {:#o}, {}:{})",
                path.display(),
                mode.bits(),
                device.0,
                device.1
            )
        },
        || rustix::fs::mknodat(directory.as_fd(), path, kind, mode, number),
    )
}

/// The major and minor number of a device, as a file's `st_rdev` or `st_dev` holds them. makedev(3).
pub fn device_numbers(device: u64) -> (u32, u32) {
    (rustix::fs::major(device), rustix::fs::minor(device))
}

/// Makes a symbolic link at `path` that says `text`. symlinkat(2).
///
/// # Errors
/// `EEXIST`, `ENOENT`.
pub fn symlinkat(text: &Path, directory: impl AsFd, path: &Path) -> Result<()> {
    call(
        || format!("symlinkat(\"{}\", \"{}\")", text.display(), path.display()),
        || rustix::fs::symlinkat(text, directory.as_fd(), path),
    )
}

/// What the symbolic link at `path` says. readlinkat(2).
///
/// # Errors
/// `EINVAL` when it is no link, `ENOENT`.
pub fn readlinkat(directory: impl AsFd, path: &Path) -> Result<std::path::PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let text = call(
        || format!("readlinkat(\"{}\")", path.display()),
        || rustix::fs::readlinkat(directory.as_fd(), path, Vec::new()),
    )?;
    Ok(std::ffi::OsString::from_vec(text.into_bytes()).into())
}

/// Gives the file `old` a second name, without following a link that `old` may be. linkat(2).
///
/// # Errors
/// `EEXIST`, `EXDEV`, `EPERM` for a directory, `EMLINK`.
pub fn linkat(old_directory: impl AsFd, old: &Path, directory: impl AsFd, path: &Path) -> Result<()> {
    call(
        || format!("linkat(\"{}\", \"{}\")", old.display(), path.display()),
        || rustix::fs::linkat(old_directory.as_fd(), old, directory.as_fd(), path, AtFlags::empty()),
    )
}

/// Gives an open file a name, one that was made without (`O_TMPFILE`) too. linkat(2), `AT_SYMLINK_FOLLOW`.
///
/// # Errors
/// `EEXIST`, `EXDEV`; `ENOENT` for a file that has lost its last name.
pub fn link_open(file: impl AsFd, path: &Path) -> Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    call(
        || format!("linkat({open}, \"{}\")", path.display()),
        || rustix::fs::linkat(CWD, open.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW),
    )
}

/// Removes a name; a directory's (which must be empty) with `AtFlags::REMOVEDIR`. unlinkat(2).
///
/// # Errors
/// `ENOENT`, `ENOTEMPTY`, `EISDIR`, `ENOTDIR`.
pub fn unlinkat(directory: impl AsFd, path: &Path, how: AtFlags) -> Result<()> {
    call(
        || format!("unlinkat(\"{}\")", path.display()),
        || rustix::fs::unlinkat(directory.as_fd(), path, how),
    )
}

/// Renames without replacing: `EEXIST` when `to` is taken. renameat2(2), `RENAME_NOREPLACE`.
///
/// # Errors
/// `EEXIST`, `EXDEV`, `ENOENT`.
pub fn rename_new(from: &Path, to: &Path) -> Result<()> {
    call(
        || format!("renameat2(\"{}\", \"{}\", RENAME_NOREPLACE)", from.display(), to.display()),
        || rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, RenameFlags::NOREPLACE),
    )
}

/// What a file is, without following a link at the end of `path`; of the descriptor itself when `path` is
/// empty. fstatat(2).
///
/// # Errors
/// `ENOENT`, `ENOTDIR`.
pub fn statat(directory: impl AsFd, path: &Path) -> Result<Stat> {
    call(
        || format!("fstatat(\"{}\")", path.display()),
        || rustix::fs::statat(directory.as_fd(), path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH),
    )
}

/// Of which kind the file system is that `fd` is open on: its number in the kernel's `linux/magic.h`. fstatfs(2).
///
/// # Errors
/// `EIO`.
pub fn file_system(fd: impl AsFd) -> Result<u64> {
    let stat = call(|| "fstatfs(fd)".to_owned(), || rustix::fs::fstatfs(fd.as_fd()))?;
    Ok(stat.f_type as u64)
}

/// Whether the mount that `path` leads to, links followed, is read-only. statvfs(3), `ST_RDONLY`.
///
/// # Errors
/// `ENOENT`.
pub fn is_on_read_only(path: &Path) -> Result<bool> {
    let stat = call(|| format!("statvfs({})", path.display()), || rustix::fs::statvfs(path))?;
    Ok(stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Changes the owner of what `fd` is opened on, also with `O_PATH`. fchownat(2), `AT_EMPTY_PATH`.
///
/// # Errors
/// `EPERM` without `CAP_CHOWN`, `EINVAL` for an id that the user namespace does not map.
pub fn chown(fd: impl AsFd, uid: u32, gid: u32) -> Result<()> {
    let (user, group) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    call(
        || format!("fchownat(fd, {uid}, {gid})"),
        || rustix::fs::chownat(fd.as_fd(), "", Some(user), Some(group), AtFlags::EMPTY_PATH),
    )
}

/// Sets the access and modification time of what `path` names, not following a link. utimensat(2).
///
/// # Errors
/// `EPERM` when the file is another user's.
pub fn utimensat(directory: impl AsFd, path: &Path, times: &Timestamps) -> Result<()> {
    call(
        || format!("utimensat(\"{}\")", path.display()),
        || rustix::fs::utimensat(directory.as_fd(), path, times, AtFlags::SYMLINK_NOFOLLOW),
    )
}

/// Makes a fifo that its owner alone may use. mkfifo(3).
///
/// # Errors
/// `EEXIST`, `ENOSPC`.
pub fn mkfifo(path: &Path) -> Result<()> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, (0, 0))
}

/// Writes `text` to a file that is there already, in one write(2): what the files of procfs and cgroups want.
///
/// # Errors
/// Those of open(2) and write(2); the error shows the text and the path.
pub fn write_existing(path: &Path, text: &str) -> Result<()> {
    let write = || File::options().write(true).open(path)?.write_all(text.as_bytes());
    call(|| format!("write \"{}\" to {}", text.trim_end(), path.display()), write)
}

/// Writes a file so that there is the old one or the new one at any moment, whatever happens: beside it, then
/// renamed. `durable` waits for the disk, so that this holds over a loss of power too. rename(2), fsync(2).
///
/// # Errors
/// A full disk and the like; the old file stays then, and nothing else.
pub fn replace(path: &Path, content: &[u8], durable: bool) -> Result<()> {
    todo!("whole-file: the old text or the new one, whenever somebody looks")
}

/// The content of a text file, read in large pieces: those of procfs have no size to go by, and make their
/// text anew at every read(2).
///
/// # Errors
/// Those of open(2) and read(2); `EILSEQ` when it is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let name = || format!("read {}", path.display());
    let mut bytes = vec![0; PIECE];
    let mut length = 0;
    let mut read = || {
        length = 0;
        let mut file = File::open(path)?;
        loop {
            match file.read(&mut bytes[length..])? {
                0 => return Ok(()),
                more => length += more,
            }
            if length == bytes.len() {
                bytes.resize(length * 2, 0);
            }
        }
    };
    call::<_, std::io::Error>(name, &mut read)?;
    bytes.truncate(length);
    String::from_utf8(bytes).map_err(|_| Error::new(name(), Errno::EILSEQ))
}

/// More than most files of procfs hold.
const PIECE: usize = 8192;

/// How flock(2) locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Many may hold it at once.
    Shared,
    /// One may hold it.
    Exclusive,
}

/// Opens (and makes, readable for the owner alone) the file `path` and waits for a lock on it. The lock is
/// the returned file's: it ends when that is closed, also by the death of this process. flock(2).
///
/// # Errors
/// Those of open(2).
pub fn lock(path: &Path, how: Lock) -> Result<File> {
    match flock(path, how, true)? {
        Some(file) => Ok(file),
        None => Err(Error::new(format!("flock(\"{}\")", path.display()), Errno::EWOULDBLOCK)),
    }
}

/// As [`lock`], but does not wait: none when another holds it.
///
/// # Errors
/// Those of open(2).
pub fn try_lock(path: &Path, how: Lock) -> Result<Option<File>> {
    flock(path, how, false)
}

fn flock(path: &Path, how: Lock, wait: bool) -> Result<Option<File>> {
    use rustix::fs::FlockOperation as Op;
    let open = || File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = call(|| format!("open(\"{}\", O_RDWR|O_CREAT)", path.display()), open)?;
    let operation = match (how, wait) {
        (Lock::Shared, true) => Op::LockShared,
        (Lock::Exclusive, true) => Op::LockExclusive,
        (Lock::Shared, false) => Op::NonBlockingLockShared,
        (Lock::Exclusive, false) => Op::NonBlockingLockExclusive,
    };
    match call(|| format!("flock(\"{}\")", path.display()), || rustix::fs::flock(&file, operation)) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.errno() == Errno::EWOULDBLOCK => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens `/dev/null` to read and write: an empty input, and an output that nobody reads. null(4).
///
/// # Errors
/// `ENOENT` on a system without devices.
pub fn open_null() -> Result<OwnedFd> {
    call(|| "open(\"/dev/null\")".to_owned(), || File::options().read(true).write(true).open("/dev/null"))
        .map(OwnedFd::from)
}

/// Closes every descriptor from `first` on when this process next calls execve(2).
///
/// # Errors
/// `ENOSYS` before Linux 5.11. close_range(2), `CLOSE_RANGE_CLOEXEC`.
pub fn close_on_exec_from(first: u32) -> Result<()> {
    range(first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC)
}

/// Closes the descriptors from `first` to `last` now. For a new process only, which owns none of them.
pub(crate) fn close_range(first: u32, last: u32) -> Result<()> {
    range(first, last, 0)
}

fn range(first: u32, last: u32, how: libc::c_uint) -> Result<()> {
    call(
        || format!("close_range({first}, {last}, {how:#x})"),
        || {
            // SAFETY: no pointer is passed. With CLOSE_RANGE_CLOEXEC nothing is closed now; without, the
            // caller is a process that has just been forked and uses none of the descriptors it closes.
            Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, how) }).map(drop)
        },
    )
}
