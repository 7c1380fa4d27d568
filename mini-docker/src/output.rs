//! A large output: to a file that is there when it is whole, or to standard output.
//!
//! The file is written without a name, in the directory where it is to be, and gets its name last. So neither an
//! error nor a killed command leaves half of it, and an old file of that name stays until then.
//! open(2), `O_TMPFILE`; linkat(2).

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mini_sys::file::{self, AtFlags, Mode, OFlags, ResolveFlags};
use mini_sys::{Errno, tty};

/// Lets `write` write to the file `path`, or to standard output where there is none.
pub(crate) fn to(
    path: Option<&Path>,
    verb: &str,
    write: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(path) = path else {
        if tty::is_terminal(io::stdout()) {
            bail!("cowardly refusing to {verb} to a terminal. Use the -o flag or redirect");
        }
        let output = io::stdout().as_fd().try_clone_to_owned().context("write to standard output")?;
        return write(&mut File::from(output));
    };
    let name = path.display().to_string();
    let directory = check(path).with_context(|| format!("cannot write to `{name}`"))?;
    let mut output = Output::new(&directory, path).with_context(|| format!("cannot write to `{name}`"))?;
    // From here on it says of itself what failed.
    write(&mut output.file)?;
    output.keep().with_context(|| format!("cannot write to `{name}`"))
}

/// Refuses what must not be replaced by a file; returns the directory.
fn check(path: &Path) -> anyhow::Result<PathBuf> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => bail!("it is a directory"),
        Ok(metadata) if !metadata.is_file() => bail!("it is no regular file: leave out -o and redirect"),
        _ => {}
    }
    if path.file_name().is_none() {
        bail!("it is a directory");
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(parent.unwrap_or(Path::new(".")).to_owned())
}

/// A file in the making.
struct Output {
    file: File,
    /// Where it is to be.
    path: PathBuf,
    /// A name for the moment in which it has to have one and not its own yet.
    beside: PathBuf,
    /// Whether it has that name already, where the file system has no files without one.
    is_named: bool,
}

impl Output {
    fn new(directory: &Path, path: &Path) -> anyhow::Result<Self> {
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = directory.join(format!(".{own}.{}.new", std::process::id()));
        let mode = Mode::RUSR | Mode::WUSR;
        let nameless = OFlags::WRONLY | OFlags::TMPFILE;
        let (file, is_named) =
            match file::openat2(file::CWD, directory, nameless, mode, ResolveFlags::empty()) {
                Err(error) if matches!(error.errno(), Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => {
                    let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
                    (file::openat2(file::CWD, &beside, how, mode, ResolveFlags::empty())?, true)
                }
                made => (made?, false),
            };
        Ok(Self { file: file.into(), path: path.to_owned(), beside, is_named })
    }

    fn keep(mut self) -> anyhow::Result<()> {
        if !self.is_named {
            file::link_open(&self.file, &self.beside)?;
            self.is_named = true;
        }
        std::fs::rename(&self.beside, &self.path)?;
        self.is_named = false;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.is_named {
            // The error that matters is the one that led here.
            let _ = file::unlinkat(file::CWD, &self.beside, AtFlags::empty());
        }
    }
}
