//! Extended attributes, always of the file itself and never of what a link points to: xattr(7).

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use rustix::fs::XattrFlags;

use crate::call::{Error, Result, call};

/// The attribute `name` of what `fd` is opened on (also with `O_PATH`), or none.
///
/// # Errors
/// `ENOTSUP` on a file system without attributes. getxattr(2).
pub fn get(fd: impl AsFd, name: &CStr) -> Result<Option<Vec<u8>>> {
    let path = through_proc(&fd);
    read(&path, name, "getxattr", |value| match value {
        None => rustix::fs::getxattr_query(&path, name),
        Some(value) => rustix::fs::getxattr(&path, name, value),
    })
}

/// The attribute `name` of the file `path`, or none. lgetxattr(2).
///
/// # Errors
/// `ENOTSUP` on a file system without attributes.
pub fn lget(path: &Path, name: &CStr) -> Result<Option<Vec<u8>>> {
    read(path, name, "lgetxattr", |value| match value {
        None => rustix::fs::lgetxattr_query(path, name),
        Some(value) => rustix::fs::lgetxattr(path, name, value),
    })
}

/// Measures a value, then reads it, again as long as it grows between the two.
fn read(
    path: &Path,
    name: &CStr,
    syscall: &str,
    mut make: impl FnMut(Option<&mut [u8]>) -> rustix::io::Result<usize>,
) -> Result<Option<Vec<u8>>> {
    let what = || format!("{syscall}(\"{}\", {name:?})", path.display());
    loop {
        let attempt = call(what, || make(None)).and_then(|size| {
            let mut value = vec![0; size];
            let length = if size == 0 { 0 } else { call(what, || make(Some(&mut value)))? };
            value.truncate(length);
            Ok(value)
        });
        match attempt {
            Err(error) if error.errno() == Errno::ERANGE => {}
            Err(error) if error.errno() == Errno::ENODATA => return Ok(None),
            other => return other.map(Some),
        }
    }
}

/// The names of all attributes of the file `path`. llistxattr(2).
///
/// # Errors
/// `ENOTSUP` on a file system without attributes.
pub fn llist(path: &Path) -> Result<Vec<CString>> {
    let what = || format!("llistxattr(\"{}\")", path.display());
    let size = call(what, || rustix::fs::llistxattr_query(path))?;
    let mut names = vec![0; size];
    if size == 0 {
        return Ok(Vec::new());
    }
    let length = call(what, || rustix::fs::llistxattr(path, &mut names[..]))?;
    let texts = names[..length].split_inclusive(|&byte| byte == 0);
    texts
        .map(|text| {
            CStr::from_bytes_with_nul(text).map(CStr::to_owned).map_err(|_| Error::new(what(), Errno::EILSEQ))
        })
        .collect()
}

/// Sets the attribute `name` of the file `path`. lsetxattr(2).
///
/// # Errors
/// `EPERM` for `user.` attributes of anything but files and directories, `ENOTSUP`, `ENOSPC`.
pub fn lset(path: &Path, name: &CStr, value: &[u8]) -> Result<()> {
    call(
        || format!("lsetxattr(\"{}\", {name:?})", path.display()),
        || rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()),
    )
}

/// Sets the attribute `name` of what `fd` is opened on (also with `O_PATH`, and also a symbolic link).
///
/// # Errors
/// As [`lset`].
pub fn set(fd: impl AsFd, name: &CStr, value: &[u8]) -> Result<()> {
    // fsetxattr(2) refuses O_PATH descriptors, and the link in /proc leads to the file it is opened on;
    // following that one link is the point, so this is the call that follows.
    let path = through_proc(&fd);
    call(
        || format!("setxattr(\"{}\", {name:?})", path.display()),
        || rustix::fs::setxattr(&path, name, value, XattrFlags::empty()),
    )
}

fn through_proc(fd: &impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}
