//! The image `host`, assembled once for all tests of a build and then linked into each state directory.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use mini_sys::file::{self, Lock};

use crate::harness::{binary, scratch};

/// Links the image into the state directory `root`, which is made.
pub(crate) fn copy_to(root: &Path) {
    static PREPARED: OnceLock<PathBuf> = OnceLock::new();
    let from = PREPARED.get_or_init(prepared);
    for name in ["images", "layers", "containers", "names"] {
        link_tree(&from.join(name), &root.join(name));
    }
}

/// A state directory with the image, made by this very binary; the one of an older binary goes.
fn prepared() -> PathBuf {
    let metadata = fs::metadata(binary()).unwrap();
    let tag = format!("host-{}-{}", metadata.size(), metadata.mtime_nsec());
    let all = scratch().join("image");
    fs::create_dir_all(&all).unwrap();
    let _lock: File = file::lock(&all.join("lock"), Lock::Exclusive).unwrap();
    let (made, making) = (all.join(tag), all.join("making"));
    if !made.exists() {
        for entry in fs::read_dir(&all).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
        let status =
            Command::new(binary()).arg("--root").arg(&making).args(["run", "--rm", "host", "true"]).status();
        assert!(status.unwrap().success(), "the image `host` cannot be made");
        crate::harness::eventually("the monitor is done", || {
            crate::harness::names(&making.join("containers")).is_empty()
        });
        fs::rename(&making, &made).unwrap();
    }
    made
}

/// A second tree whose files are the first one's. Locks are not shared, or tests would wait for each other.
fn link_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            link_tree(&source, &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source).unwrap(), target).unwrap();
        } else if source.extension().is_none_or(|extension| extension != "lock") {
            fs::hard_link(&source, &target).unwrap();
        }
    }
}
