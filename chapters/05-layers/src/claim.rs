//! Temporary files and directories that tell whether their maker still lives.
//!
//! Something under construction has a random name and a lock, flock(2), which the kernel drops when its
//! holder ends, however it ends. So a name whose lock can be had is left over from a process that was
//! killed, and [`sweep`] may remove it; one that is locked is somebody's work and stays. The maker removes
//! its own on the way out of a failure.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use mini_sys::{Errno, Error, Result};

/// A temporary file or directory of ours. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    file: File,
}

impl Claim {
    /// Makes an empty file in `directory`, open for writing.
    pub(crate) fn file(directory: &Path, prefix: &str) -> Result<Self> {
        Self::make(directory, prefix, |path| {
            File::options().read(true).write(true).create_new(true).mode(0o600).open(path)
        })
    }

    /// Makes an empty directory in `directory`, closed to everybody else.
    pub(crate) fn directory(directory: &Path, prefix: &str) -> Result<Self> {
        Self::make(directory, prefix, |path| {
            fs::DirBuilder::new().mode(0o700).create(path)?;
            File::open(path)
        })
    }

    fn make(directory: &Path, prefix: &str, make: impl Fn(&Path) -> io::Result<File>) -> Result<Self> {
        loop {
            let path = directory.join(format!("{prefix}{:016x}", RandomState::new().build_hasher().finish()));
            let failed = |error| Error::from_io(format!("create \"{}\"", path.display()), &error);
            let file = match make(&path) {
                // Taken, or swept away between its making and its opening: another name will do.
                Err(error) if matches!(error.raw_os_error(), Some(EEXIST)) => continue,
                Err(error) if matches!(error.raw_os_error(), Some(ENOENT)) && directory.is_dir() => continue,
                made => made.map_err(failed)?,
            };
            // A sweep that comes between the making and the locking takes the file for a dead process's.
            // It holds the lock then, or the name is gone already.
            if file.try_lock().is_ok() && names(&path, &file) {
                return Ok(Self { path, file });
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, or the open directory.
    pub(crate) fn open(&self) -> &File {
        &self.file
    }
}

const EEXIST: i32 = Errno::EEXIST as i32;
const ENOENT: i32 = Errno::ENOENT as i32;

/// Whether `path` still means the open `file`.
pub(crate) fn names(path: &Path, file: &File) -> bool {
    let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(opened)) => inode(named) == inode(opened),
        _ => false,
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Best effort: whatever stays is unlocked in a moment, and the next sweep takes it. After a
        // successful rename there is nothing under this name.
        let _ = remove(&self.path);
    }
}

/// Removes a file or a whole directory; nothing there is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let attempt = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match attempt {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::from_io(format!("remove \"{}\"", path.display()), &error))
        }
        _ => Ok(()),
    }
}

/// Removes what dead processes left in `directory` under names that start with `prefix`; says how many.
/// One that cannot be removed does not keep the others: all are tried, and the first error is returned.
pub(crate) fn sweep(directory: &Path, prefix: &str) -> Result<usize> {
    sweep_some(directory, prefix, |_| true)
}

/// As [`sweep`], of those that `which` names.
pub(crate) fn sweep_some(directory: &Path, prefix: &str, which: impl Fn(&Path) -> bool) -> Result<usize> {
    let failed = |error| Error::from_io(format!("read directory \"{}\"", directory.display()), &error);
    let mut outcome = Ok(0);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with(prefix) || !which(&entry.path()) {
            continue;
        }
        let removed = sweep_one(&entry.path());
        outcome = match (outcome, removed) {
            (Ok(count), Ok(removed)) => Ok(count + usize::from(removed)),
            (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        };
    }
    outcome
}

fn sweep_one(path: &Path) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::from_io(format!("open \"{}\"", path.display()), &error)),
    };
    match file.try_lock() {
        Ok(()) => remove(path).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => {
            Err(Error::from_io(format!("flock(\"{}\")", path.display()), &error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_nobody_holds_and_leaves_the_rest() {
        let directory = tempfile::tempdir().unwrap();
        let held = Claim::file(directory.path(), "tmp-").unwrap();
        let held_directory = Claim::directory(directory.path(), "tmp-").unwrap();
        fs::write(directory.path().join("tmp-stale"), "half").unwrap();
        fs::create_dir_all(directory.path().join("tmp-stale-too/deep")).unwrap();
        fs::write(directory.path().join("other"), "kept").unwrap();
        assert_eq!(sweep(directory.path(), "tmp-"), Ok(2));
        assert!(held.path().exists() && held_directory.path().exists());
        drop((held, held_directory));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
