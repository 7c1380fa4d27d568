//! A root filesystem with the probe in it, as chapter 1 assembles one.

use std::env;
use std::path::{Path, PathBuf};

use mini_chroot::assemble::{self, AssembleError};
use mini_chroot::host::Host;
use mini_chroot::tree::{self, Entry, PerformError, Tree, TreeError, What};

/// Where the probe is, inside.
const PROBE: &str = "/probe";

/// Why there is no jail.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// The probe, or a library of it, is not there.
    #[error("cannot find what the probe needs")]
    Assemble(#[source] AssembleError),
    /// The entries contradict each other.
    #[error("cannot put the probe at {PROBE}")]
    Tree(#[source] TreeError),
    /// The directory could not be filled.
    #[error("cannot make a jail")]
    Perform(#[source] PerformError),
}

pub(crate) fn make(root: &Path) -> Result<(), JailError> {
    let probe = probe();
    let plan = assemble::plan(&[&probe.to_string_lossy()], &[], &mut Host::new("/"));
    let tree = plan.map_err(JailError::Assemble)?.tree;
    let tree = Tree::new(moved(tree.entries(), &probe)).map_err(JailError::Tree)?;
    tree::perform(&tree, root).map_err(JailError::Perform)
}

/// The entries, with `program` at [`PROBE`] and without the directories that led to it alone: `Tree::new` makes the
/// ones that are needed again.
fn moved(entries: &[Entry], program: &Path) -> Vec<Entry> {
    let kept = entries.iter().filter(|entry| !matches!(entry.what, What::Directory { .. }));
    kept.cloned()
        .map(
            |entry| if entry.path == program { Entry { path: PathBuf::from(PROBE), ..entry } } else { entry },
        )
        .collect()
}

/// The probe is built into the same directory as the checks.
fn probe() -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    let path = this.with_file_name("course-probe");
    path.canonicalize().unwrap_or(path)
}
