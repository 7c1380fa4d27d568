//! Copies of the project's own files, without what was built from them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names that are never copied: what is built, and what is kept by others.
const NOT_OURS: [&str; 4] = ["target", ".git", ".course", ".claude"];

/// Why a tree cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// A directory cannot be read.
    #[error("cannot list {}", .path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// A file cannot be copied.
    #[error("cannot copy {} to {}", .from.display(), .to.display())]
    Copy {
        /// The file.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// A file that is no longer wanted cannot be removed.
    #[error("cannot remove {}", .path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

/// The project's own files, relative to it and sorted: what git knows or would add, or, where there is no git,
/// everything that is not built.
///
/// # Errors
/// When a directory cannot be read.
pub fn files(project: &Path) -> Result<Vec<PathBuf>, MirrorError> {
    let mut files = match from_git(project) {
        Some(files) => files,
        None => walk(project)?,
    };
    files.retain(|file| is_ours(file));
    files.sort();
    Ok(files)
}

/// Whether a file in `directory` would be one of the project's own.
pub fn is_part(project: &Path, directory: &Path) -> bool {
    directory.strip_prefix(project).is_ok_and(is_ours)
}

fn is_ours(path: &Path) -> bool {
    !path.iter().any(|part| NOT_OURS.iter().any(|name| part == *name))
}

/// Makes `files` in `to` what they are in `from`, and removes what else is there, apart from what is built. A file
/// that is the same already is not touched, so cargo does not build it again.
///
/// # Errors
/// At the first file that cannot be copied or removed.
pub fn synchronise(from: &Path, to: &Path, files: &[PathBuf]) -> Result<(), MirrorError> {
    let wanted: BTreeSet<&PathBuf> = files.iter().collect();
    if to.exists() {
        for file in walk(to)? {
            if !wanted.contains(&file) {
                let path = to.join(file);
                fs::remove_file(&path)
                    .map_err(|source| MirrorError::Remove { path: path.clone(), source })?;
                // A directory that holds something else stays.
                let _ =
                    path.ancestors().skip(1).take_while(|above| *above != to).try_for_each(fs::remove_dir);
            }
        }
    }
    files.iter().try_for_each(|file| copy(&from.join(file), &to.join(file)))
}

/// Copies one file with its permissions, unless the two are the same already.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<(), MirrorError> {
    let failed = |source| MirrorError::Copy { from: from.to_owned(), to: to.to_owned(), source };
    let content = fs::read(from).map_err(failed)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(to, content).map_err(failed)?;
    let permissions = fs::metadata(from).map_err(failed)?.permissions();
    fs::set_permissions(to, permissions).map_err(failed)
}

fn from_git(project: &Path) -> Option<Vec<PathBuf>> {
    project.join(".git").exists().then_some(())?;
    let mut git = Command::new("git");
    git.arg("-C").arg(project).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let paths = names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()));
    // A file that was deleted and not yet taken out of the index is listed too.
    Some(paths.filter(|path| project.join(path).is_file()).collect())
}

/// Every file below `root` that is not built, relative to it.
///
/// # Errors
/// When a directory cannot be read.
pub fn walk(root: &Path) -> Result<Vec<PathBuf>, MirrorError> {
    let mut files = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        let failed = |source| MirrorError::List { path: directory.clone(), source };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().map_err(failed)?.is_dir() {
                waiting.push(entry.path());
            } else {
                files.extend(entry.path().strip_prefix(root).map(Path::to_owned));
            }
        }
    }
    Ok(files)
}
