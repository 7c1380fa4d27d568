//! Reads this workspace from disk: its packages, as cargo sees them, and their files.
//!
//! The laws in [`crate::rules`] take what is read here as plain values, so that they can be tried on small
//! inputs. cargo-metadata(1).

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The packages of the workspace, and where they are.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The directory of the workspace's own manifest.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
    /// Its packages.
    pub members: Vec<Member>,
}

/// A package of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// Its directory, relative to the workspace's root.
    pub folder: PathBuf,
    /// What it is built with: the names of packages, those for its tests left out.
    pub dependencies: Vec<String>,
}

impl Member {
    /// The chapter's number and name as its folder has them, `chapters/NN-name`; none for what is no chapter.
    pub fn chapter(&self) -> Option<(u32, &str)> {
        let folder = self.folder.strip_prefix("chapters").ok()?.to_str()?;
        let (number, name) = folder.split_once('-')?;
        Some((number.parse().ok()?, name))
    }
}

/// A file of Rust.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path, relative to the workspace's root.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo about the workspace around the working directory.
    ///
    /// # Errors
    /// When cargo cannot be run, or finds fault with a manifest.
    pub fn read() -> Result<Self> {
        Self::ask(&[])
    }

    /// Asks cargo about the workspace of this `Cargo.toml`.
    ///
    /// # Errors
    /// When cargo cannot be run, or finds fault with a manifest.
    pub fn read_at(manifest: &Path) -> Result<Self> {
        Self::ask(&["--manifest-path".as_ref(), manifest.as_os_str()])
    }

    fn ask(which: &[&OsStr]) -> Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["metadata", "--no-deps", "--format-version=1", "--quiet"]).args(which);
        let output = cargo.output().context("run `cargo metadata`")?;
        ensure!(
            output.status.success(),
            "`cargo metadata`: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Self::parse(&output.stdout)
    }

    fn parse(json: &[u8]) -> Result<Self> {
        let metadata: Metadata =
            serde_json::from_slice(json).context("read what `cargo metadata` printed")?;
        let root = metadata.workspace_root;
        let member = |package: Package| {
            let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
            let dependencies = package.dependencies.into_iter();
            let built_with = dependencies.filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            Member {
                folder: folder.strip_prefix(&root).unwrap_or(folder).to_owned(),
                name: package.name,
                dependencies: built_with.map(|dependency| dependency.name).collect(),
            }
        };
        let members = metadata.packages.into_iter().map(member).collect();
        Ok(Self { members, root: root.clone(), target: metadata.target_directory })
    }

    /// The text of the file `path`, relative to the root.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = path.as_ref();
        fs::read_to_string(self.root.join(path)).with_context(|| format!("read {}", path.display()))
    }

    /// Every file of Rust in the packages, sorted by path.
    ///
    /// # Errors
    /// When a directory or file cannot be read.
    pub fn sources(&self) -> Result<Vec<SourceFile>> {
        let mut paths = Vec::new();
        for member in &self.members {
            collect(&self.root.join(&member.folder), &mut paths)?;
        }
        paths.sort();
        paths.dedup();
        let read = |path: PathBuf| {
            let path = path.strip_prefix(&self.root).unwrap_or(&path).to_owned();
            Ok(SourceFile { text: self.text(&path)?, path })
        };
        paths.into_iter().map(read).collect()
    }
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let failed = || format!("list {}", directory.display());
    for entry in fs::read_dir(directory).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type().with_context(failed)?.is_dir() {
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                collect(&path, paths)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Member, Workspace};

    #[test]
    fn what_cargo_prints_becomes_folders_and_names() {
        let json = br#"{
            "workspace_root": "/w", "target_directory": "/w/target",
            "packages": [{
                "name": "mini-b", "manifest_path": "/w/chapters/02-b/Cargo.toml",
                "dependencies": [
                    {"name": "mini-a", "kind": null}, {"name": "cc", "kind": "build"},
                    {"name": "tempfile", "kind": "dev"}
                ]
            }]
        }"#;
        let workspace = Workspace::parse(json).unwrap();
        let dependencies = vec!["mini-a".to_owned(), "cc".to_owned()];
        let member = Member { name: "mini-b".to_owned(), folder: "chapters/02-b".into(), dependencies };
        assert_eq!(workspace.members, [member]);
        assert_eq!(workspace.target, PathBuf::from("/w/target"));
    }

    #[test]
    fn a_chapter_is_known_by_its_folder() {
        let chapter = |folder: &str| Member { folder: folder.into(), ..Member::default() };
        assert_eq!(chapter("chapters/07-runtime").chapter(), Some((7, "runtime")));
        assert_eq!(chapter("xtask").chapter(), None);
        assert_eq!(chapter("chapters/runtime").chapter(), None);
    }
}
