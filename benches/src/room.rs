//! A directory of a measurement's own, and what measurements are made on: layers of many small files, and a
//! root file system with one program in it.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mini_chroot::host::Host;
use mini_chroot::{assemble, tree};
use tempfile::TempDir;

/// A temporary directory that is removed with all that is in it.
#[derive(Debug)]
pub struct Room(TempDir);

impl Room {
    /// A new one in the temporary directory.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        tempfile::Builder::new()
            .prefix("mini-bench-")
            .tempdir()
            .map(Self)
            .context("make a temporary directory")
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// An empty directory in it, made anew.
    ///
    /// # Errors
    /// When a former one cannot be removed, or this one cannot be made.
    pub fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// `count` directories with a file in each, as layers of an overlay.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn layers(&self, count: usize) -> io::Result<Vec<PathBuf>> {
        let layer = |number| {
            let path = self.directory(&format!("layer-{number}"))?;
            fs::write(path.join(format!("file-{number}")), "x")?;
            Ok(path)
        };
        (0..count).map(layer).collect()
    }
}

/// The tar of a layer with `count` files of a kibibyte, a hundred in a directory.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn layer(count: usize) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for number in 0..count {
        if number % 100 == 0 {
            let mut header = header(tar::EntryType::Directory, 0o755, 0);
            tar.append_data(&mut header, format!("usr/share/{}/", number / 100), io::empty())?;
        }
        let content = [b'a' + (number % 26) as u8; 1024];
        let mut header = header(tar::EntryType::Regular, 0o644, content.len() as u64);
        tar.append_data(&mut header, format!("usr/share/{}/file-{number}", number / 100), &content[..])?;
    }
    tar.into_inner()
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(1_700_000_000);
    header
}

/// A root file system that holds true(1) and what it needs.
#[derive(Debug)]
pub struct TrueRoot {
    /// Its directory.
    pub directory: PathBuf,
    /// The program as it is seen from inside.
    pub inside: CString,
    /// The program as it is seen from here.
    pub outside: CString,
}

impl TrueRoot {
    /// Assembles it in `directory`.
    ///
    /// # Errors
    /// When this machine has no true(1), or the directory cannot be written.
    pub fn assemble(directory: &Path) -> Result<Self> {
        let plan = assemble::plan(&["true"], &[], &mut Host::new("/"))?;
        tree::perform(&plan.tree, directory)?;
        for mount_point in ["dev", "proc", "sys"] {
            fs::create_dir_all(directory.join(mount_point))?;
        }
        let places = assemble::PATH.iter().map(|place| Path::new(place).join("true"));
        let path = |path: &Path| CString::new(path.as_os_str().as_bytes());
        for inside in places {
            let outside = directory.join(inside.strip_prefix("/").unwrap_or(&inside));
            if fs::symlink_metadata(&outside).is_ok() {
                let (inside, outside) = (path(&inside)?, path(&outside)?);
                return Ok(Self { directory: directory.to_owned(), inside, outside });
            }
        }
        anyhow::bail!("assemble a root file system: `true` is not where programs are looked for")
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, TrueRoot, layer};

    #[test]
    fn a_layer_has_the_files_that_were_asked_for() {
        let tar = layer(250).unwrap();
        let mut archive = tar::Archive::new(&tar[..]);
        assert_eq!(archive.entries().unwrap().count(), 250 + 3);
    }

    #[test]
    fn the_root_file_system_holds_the_program_under_both_names() {
        let room = Room::new().unwrap();
        let root = TrueRoot::assemble(&room.path().join("root")).unwrap();
        let (inside, outside) = (root.inside.to_str().unwrap(), root.outside.to_str().unwrap());
        assert_eq!(format!("{}{inside}", root.directory.display()), outside);
        assert!(std::fs::metadata(outside).unwrap().len() > 0);
    }

    #[test]
    fn a_directory_that_is_made_again_is_empty() {
        let room = Room::new().unwrap();
        std::fs::write(room.directory("x").unwrap().join("file"), "").unwrap();
        assert_eq!(std::fs::read_dir(room.directory("x").unwrap()).unwrap().count(), 0);
    }
}
