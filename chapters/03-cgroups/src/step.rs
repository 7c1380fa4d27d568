//! The steps that cgroups are made of. Each is a value; performing one is a call or two.
//!
//! A cgroup is a directory, so making one is mkdir(2), and everything else is writing a line to a file. Only
//! the device policy of v2 has no file: it is a program, attached with bpf(2). book ch. 3.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mini_sys::bpf::{self, Instruction};
use mini_sys::file::{self, AtFlags, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::{Errno, Result};

use crate::controller::Controller;

/// How often we try again while another process takes a directory away beneath our hands.
const ATTEMPTS: usize = 100;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes the cgroup `place` beneath `base`, and the cgroups between the two where they are missing.
    MakeDirectory {
        /// The cgroup that is there.
        base: PathBuf,
        /// The new one, relative to it.
        place: PathBuf,
    },
    /// Moves every process of one cgroup to another one.
    MoveProcesses {
        /// The cgroup to empty; in v1 it may be one of another tree, and then keeps its processes.
        from: PathBuf,
        /// Where they go; made if it is not there.
        to: PathBuf,
        /// The reason.
        why: &'static str,
    },
    /// Enables controllers for the children of a v2 cgroup.
    EnableControllers {
        /// The cgroup whose children are meant.
        directory: PathBuf,
        /// Which.
        controllers: Vec<Controller>,
    },
    /// Writes a line to a file of the cgroup.
    Write {
        /// The file.
        file: PathBuf,
        /// The line.
        text: String,
        /// The reason.
        why: &'static str,
    },
    /// Writes to the first of some files that this kernel has.
    WriteFirst {
        /// The files, each with its line.
        choices: Vec<(PathBuf, String)>,
        /// Whether it is an error when there is none of them.
        required: bool,
        /// The reason.
        why: &'static str,
    },
    /// Loads a program that decides about devices and attaches it to a v2 cgroup.
    AttachDevicePolicy {
        /// The cgroup.
        directory: PathBuf,
        /// The program.
        program: Vec<Instruction>,
    },
}

impl Step {
    /// The system call, as text: ``write "67108864" to …/memory.max``.
    pub fn call(&self) -> String {
        match self {
            Self::MakeDirectory { base, place } => format!("mkdir {}", base.join(place).display()),
            Self::MoveProcesses { from, to, .. } => {
                format!("write each pid of {0}/{2} to {1}/{2}", from.display(), to.display(), "cgroup.procs")
            }
            Self::EnableControllers { directory, controllers } => {
                let file = directory.join("cgroup.subtree_control");
                format!("write \"{}\" to {}", enabling(controllers), file.display())
            }
            Self::Write { file, text, .. } => format!("write \"{text}\" to {}", file.display()),
            Self::WriteFirst { choices, .. } => {
                let one =
                    |(file, text): &(PathBuf, String)| format!("write \"{text}\" to {}", file.display());
                choices.iter().map(one).collect::<Vec<_>>().join(", or ")
            }
            Self::AttachDevicePolicy { directory, program } => {
                format!("bpf(BPF_PROG_ATTACH, {} instructions) to {}", program.len(), directory.display())
            }
        }
    }

    /// What the step is good for, in a sentence.
    pub fn why(&self) -> &'static str {
        match self {
            Self::MakeDirectory { .. } => "a cgroup is a directory",
            Self::EnableControllers { .. } => "a controller works where the parent enables it",
            Self::AttachDevicePolicy { .. } => "in v2 a program decides which devices may be used",
            Self::MoveProcesses { why, .. } | Self::Write { why, .. } | Self::WriteFirst { why, .. } => why,
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// That of the call which failed. A cgroup that is already there is `EEXIST`: it is somebody else's, or
    /// was left by a crash, and is removed with [`crate::Cgroup::remove`].
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::MakeDirectory { base, place } => make_directory(base, place),
            Self::MoveProcesses { from, to, .. } => move_processes(from, to),
            Self::EnableControllers { directory, controllers } => {
                file::write_existing(&directory.join("cgroup.subtree_control"), &enabling(controllers))
            }
            Self::Write { file, text, .. } => file::write_existing(file, text),
            Self::WriteFirst { choices, required, .. } => write_first(choices, *required),
            Self::AttachDevicePolicy { directory, program } => {
                let program = bpf::load_device_program(program)?;
                bpf::attach_device_program(program, open(directory)?)
            }
        }
    }

    /// The cgroup that the step makes, if it is of that kind.
    pub(crate) fn made(&self) -> Option<PathBuf> {
        match self {
            Self::MakeDirectory { base, place } => Some(base.join(place)),
            _ => None,
        }
    }
}

/// Opens a cgroup's directory, to attach a program or to start a process in it.
pub(crate) fn open(directory: &Path) -> Result<std::os::fd::OwnedFd> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY;
    file::openat2(CWD, directory, how, Mode::empty(), ResolveFlags::empty())
}

/// Opens a directory of a cgroup below `directory`: what has made it chose its name.
pub(crate) fn open_below(directory: &Path, path: &Path) -> Result<std::os::fd::OwnedFd> {
    let how = OFlags::RDONLY | OFlags::DIRECTORY;
    let strictly = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    file::openat2(open(directory)?, path, how, Mode::empty(), strictly)
}

fn mkdir(path: &Path) -> Result<()> {
    file::mkdirat(CWD, path, Mode::from_raw_mode(0o755))
}

pub(crate) fn rmdir(path: &Path) -> Result<()> {
    file::unlinkat(CWD, path, AtFlags::REMOVEDIR)
}

/// Makes the innermost directory first: mostly the others are there. They may also go again at any moment,
/// when the last container beneath them ends; that is `ENOENT`, or `ENODEV` when it happens within the call.
fn make_directory(base: &Path, place: &Path) -> Result<()> {
    let path = base.join(place);
    let mut made = mkdir(&path);
    for _ in 0..ATTEMPTS {
        if !matches!(&made, Err(error) if is_gone(error)) {
            break;
        }
        let mut parents: Vec<&Path> = place.ancestors().skip(1).filter(|it| *it != Path::new("")).collect();
        parents.reverse();
        for parent in parents {
            match mkdir(&base.join(parent)) {
                Err(error) if error.errno() != Errno::EEXIST && !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
        made = mkdir(&path);
    }
    made
}

/// Whether the call failed because the cgroup has just been removed.
pub(crate) fn is_gone(error: &mini_sys::Error) -> bool {
    matches!(error.errno(), Errno::ENOENT | Errno::ENODEV)
}

/// Moves processes until no new one shows up: they may fork while we read the list.
fn move_processes(from: &Path, to: &Path) -> Result<()> {
    match mkdir(to) {
        Err(error) if error.errno() != Errno::EEXIST => return Err(error),
        _ => {}
    }
    let mut moved = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        let pids = file::read_text(&from.join("cgroup.procs"))?;
        let new: Vec<String> = pids.lines().filter(|&pid| !moved.contains(pid)).map(str::to_owned).collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            match file::write_existing(&to.join("cgroup.procs"), &pid) {
                // The process has ended in the meantime.
                Err(error) if error.errno() != Errno::ESRCH => return Err(error),
                _ => {}
            }
            moved.insert(pid);
        }
    }
    Ok(())
}

fn write_first(choices: &[(PathBuf, String)], required: bool) -> Result<()> {
    let mut result = Ok(());
    for (file, text) in choices {
        result = file::write_existing(file, text);
        if !matches!(&result, Err(error) if error.errno() == Errno::ENOENT) {
            return result;
        }
    }
    if required { result } else { Ok(()) }
}

/// What `cgroup.subtree_control` takes: `+cpu +memory`.
fn enabling(controllers: &[Controller]) -> String {
    controllers.iter().map(|controller| format!("+{controller}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn the_directories_between_are_made_too_and_may_be_there() {
        let scratch = tempfile::tempdir().unwrap();
        let step = |place: &str| Step::MakeDirectory { base: scratch.path().into(), place: place.into() };
        step("a/b/one").perform().unwrap();
        step("a/b/two").perform().unwrap();
        assert!(scratch.path().join("a/b/two").is_dir());
        let error = step("a/b/two").perform().unwrap_err();
        assert_eq!(error.errno(), mini_sys::Errno::EEXIST);
    }

    #[test]
    fn of_several_files_the_first_that_exists_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        let file = |name: &str| (scratch.path().join(name), format!("to {name}"));
        std::fs::write(scratch.path().join("second"), "").unwrap();
        let step = |choices, required| Step::WriteFirst { choices, required, why: "" };
        step(vec![file("first"), file("second")], true).perform().unwrap();
        assert_eq!(std::fs::read_to_string(scratch.path().join("second")).unwrap(), "to second");
        step(vec![file("none")], false).perform().unwrap();
        assert!(step(vec![file("none")], true).perform().is_err());
    }
}
