//! Shows a stack of layer trees as one directory, with a tree on top that takes the writes.
//!
//! Overlay copies nothing up front: a name is looked up in the trees from the top down, and a file is copied
//! to the upper tree when it is first opened for writing. So a container starts in a tenth of a millisecond
//! however large its image is, and what it changed is the upper tree (see [`crate::diff`]). The mount is made
//! attached to nothing, fsopen(2), and the caller attaches it where and when it likes.
//!
//! Options that would let the upper tree refer to the layers instead of holding its own copy are turned off:
//! a tree that is to become a layer must be whole, and a hostile layer must not steer the mount.
//! mount_setattr(2); kernel documentation, filesystems/overlayfs; book ch. 5.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use mini_sys::mount::{self, MsFlags};
use mini_sys::mount_api::{self, FsContext, MountAttr, MountAttrFlags, OpenTreeFlags};
use mini_sys::{Errno, file};

/// The most layers of a stack, Docker's limit; the kernel's is 500.
pub const MOST_LAYERS: usize = 128;

/// fsconfig(2) takes texts shorter than this.
const STRING: usize = 256;
/// mount(2) takes a page of options.
const PAGE: usize = 4096;

/// An overlay to be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The trees that are only read, topmost first.
    pub lower: Vec<PathBuf>,
    /// Where writes go; none for a mount that is read-only.
    pub upper: Option<Upper>,
    /// Whether overlay keeps its marks in `user.` attributes: it must in a user namespace. Linux 5.11.
    pub userxattr: bool,
}

/// The directories that take the writes, both on one file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upper {
    /// What was written.
    pub tree: PathBuf,
    /// An empty directory for overlay's own use.
    pub work: PathBuf,
}

/// An overlay that cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// There is nothing to show.
    #[error("an overlay needs at least one layer")]
    Empty,
    /// There are too many layers.
    #[error("{0} layers are more than the limit of {MOST_LAYERS}")]
    TooMany(usize),
    /// A directory cannot be opened.
    #[error("mount an overlay")]
    Directory(#[source] mini_sys::Error),
    /// The mount cannot be made.
    #[error("mount an overlay of {layers} layers")]
    Mount {
        /// How many there are.
        layers: usize,
        /// What the kernel said.
        #[source]
        source: mini_sys::Error,
    },
}

/// How the lower trees are told to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lower {
    /// One by one, topmost first: Linux 6.8.
    Each,
    /// In one text.
    Joined,
}

impl Overlay {
    /// The call that mounts it, for `--explain`.
    pub fn call(&self) -> String {
        if let Some(single) = self.single() {
            return format!("open_tree(\"{}\", OPEN_TREE_CLONE); mount_setattr(RDONLY)", single.display());
        }
        let text = |path: &PathBuf| path.display().to_string();
        let lower: Vec<String> = self.lower.iter().map(text).collect();
        let mut options = vec![format!("lowerdir={}", lower.join(":"))];
        if let Some(Upper { tree, work }) = &self.upper {
            options.push(format!("upperdir={},workdir={}", tree.display(), work.display()));
        }
        options.extend(self.settings().iter().map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => (*key).to_owned(),
        }));
        format!("fsmount(fsopen(\"overlay\"), \"{}\")", options.join(","))
    }

    /// Why it is done.
    pub fn why(&self) -> &'static str {
        match self.upper {
            Some(_) => {
                "the image's layers stay as they are; what the container writes goes to a tree of its own"
            }
            None => "the image's layers show as one tree, and nothing can be written to them",
        }
    }

    /// Makes the mount, attached to nothing: for move_mount(2).
    ///
    /// A single tree that is only read needs no overlay (nor does the kernel make one of it): it is mounted
    /// by itself, read-only.
    ///
    /// # Errors
    /// For a directory that is missing, more than [`MOST_LAYERS`], without `CAP_SYS_ADMIN`; `EINVAL` on an
    /// upper tree whose file system has no attributes or file types in directories, and before Linux 6.8 for
    /// more layers than fit in a text of 255 bytes, where [`Overlay::mount_at`] finds another way.
    pub fn mount(&self) -> Result<OwnedFd, OverlayError> {
        self.check()?;
        if let Some(single) = self.single() {
            let made = mount_api::open_tree(single, OpenTreeFlags::OPEN_TREE_CLONE).and_then(|tree| {
                let read_only = MountAttr { set: mount_api::RDONLY, ..MountAttr::default() };
                mount_api::mount_setattr(&tree, read_only).map(|()| tree)
            });
            return made.map_err(|source| self.failed(source));
        }
        match self.detached(Lower::Each) {
            // An older kernel does not know the option, or finds no lower directory when it counts them.
            Err(OverlayError::Mount { source, .. }) if source.errno() == Errno::EINVAL => {
                match self.detached(Lower::Joined) {
                    // Of the two the first one says more.
                    Err(_) => Err(self.failed(source)),
                    made => made,
                }
            }
            made => made,
        }
    }

    /// Mounts it on the directory `target`, in whatever way this kernel has.
    ///
    /// # Errors
    /// As [`Overlay::mount`], and those of move_mount(2) and mount(2) for the target.
    pub fn mount_at(&self, target: &Path) -> Result<(), OverlayError> {
        match self.mount() {
            Ok(made) => mount_api::move_mount(made.as_fd(), target).map_err(|source| self.failed(source)),
            Err(OverlayError::Mount { source, .. }) if source.errno() == Errno::EINVAL => {
                self.mount_classic(target).map_err(|_| self.failed(source))
            }
            Err(error) => Err(error),
        }
    }

    /// Mounts it on `target` with mount(2), which takes a page of options: what [`Overlay::mount_at`] falls
    /// back on.
    ///
    /// # Errors
    /// As [`Overlay::mount_at`].
    pub fn mount_classic(&self, target: &Path) -> Result<(), OverlayError> {
        self.check()?;
        if self.single().is_some() {
            let made = self.mount()?;
            return mount_api::move_mount(made.as_fd(), target).map_err(|source| self.failed(source));
        }
        let plain = Names::new(PAGE / 2);
        let options = self.options(plain).or_else(|error| match error {
            OverlayError::Mount { .. } => self.options(Names::new(0)),
            other => Err(other),
        });
        let (options, _open) = options?;
        let flags = if self.upper.is_some() { MsFlags::empty() } else { MsFlags::MS_RDONLY };
        mount::mount("overlay", target, "overlay", flags, &options).map_err(|source| self.failed(source))
    }

    fn check(&self) -> Result<(), OverlayError> {
        match self.lower.len() {
            0 => Err(OverlayError::Empty),
            count if count > MOST_LAYERS => Err(OverlayError::TooMany(count)),
            _ => Ok(()),
        }
    }

    fn failed(&self, source: mini_sys::Error) -> OverlayError {
        OverlayError::Mount { layers: self.lower.len(), source }
    }

    fn single(&self) -> Option<&Path> {
        match (self.lower.as_slice(), &self.upper) {
            ([single], None) => Some(single),
            _ => None,
        }
    }

    /// The options beside the directories. In a user namespace the kernel turns off by itself what is named
    /// here otherwise, and refuses to be told so.
    fn settings(&self) -> Vec<(&'static str, Option<&'static str>)> {
        if self.userxattr {
            return vec![("userxattr", None)];
        }
        vec![("redirect_dir", Some("nofollow")), ("metacopy", Some("off")), ("index", Some("off"))]
    }

    fn detached(&self, lower: Lower) -> Result<OwnedFd, OverlayError> {
        let mut names = Names::new(STRING);
        let failed = |source| self.failed(source);
        let context = FsContext::fsopen("overlay").map_err(failed)?;
        // Only a name, which mount(8) and df(1) show.
        context.set_string("source", "overlay").map_err(failed)?;
        match lower {
            Lower::Each => {
                for tree in self.lower.iter().rev() {
                    context.set_string("lowerdir+", &names.of(tree)?).map_err(failed)?;
                }
            }
            Lower::Joined => {
                let mut joined = self.joined(&mut names)?;
                if joined.len() >= STRING {
                    names = Names::new(0);
                    joined = self.joined(&mut names)?;
                }
                context.set_string("lowerdir", &joined).map_err(failed)?;
            }
        }
        if let Some(Upper { tree, work }) = &self.upper {
            context.set_string("upperdir", &names.of(work)?).map_err(failed)?;
            context.set_string("workdir", &names.of(tree)?).map_err(failed)?;
        }
        for (key, value) in self.settings() {
            match value {
                Some(value) => context.set_string(key, value),
                None => context.set_flag(key),
            }
            .map_err(failed)?;
        }
        let read_only =
            if self.upper.is_some() { MountAttrFlags::empty() } else { MountAttrFlags::MOUNT_ATTR_RDONLY };
        context.fsmount(read_only).map_err(failed)
    }

    /// The text for mount(2), and the descriptors that it names.
    fn options(&self, mut names: Names) -> Result<(String, Vec<OwnedFd>), OverlayError> {
        let mut options = format!("lowerdir={}", self.joined(&mut names)?);
        if let Some(Upper { tree, work }) = &self.upper {
            options += &format!(",upperdir={},workdir={}", names.of(tree)?, names.of(work)?);
        }
        for (key, value) in self.settings() {
            options += &format!(",{key}");
            if let Some(value) = value {
                options += &format!("={value}");
            }
        }
        if options.len() >= PAGE {
            return Err(self.failed(mini_sys::Error::new("mount(overlay)", Errno::E2BIG)));
        }
        Ok((options, names.open))
    }

    fn joined(&self, names: &mut Names) -> Result<String, OverlayError> {
        let lower: Result<Vec<String>, _> = self.lower.iter().map(|tree| names.of(tree)).collect();
        Ok(lower?.join(":"))
    }
}

/// How directories are named to the kernel: by their path, or, where that is too long or has characters that
/// separate, by a descriptor's short name.
struct Names {
    /// Paths from this length on get a short name.
    most: usize,
    open: Vec<OwnedFd>,
}

impl Names {
    fn new(most: usize) -> Self {
        Self { most, open: Vec::new() }
    }

    fn of(&mut self, path: &Path) -> Result<String, OverlayError> {
        match path.to_str() {
            Some(text) if text.len() < self.most && !text.contains([':', ',', '\\', '\n']) => {
                Ok(text.to_owned())
            }
            _ => {
                let directory = file::open_directory(path).map_err(OverlayError::Directory)?;
                let name = format!("/proc/self/fd/{}", directory.as_raw_fd());
                self.open.push(directory);
                Ok(name)
            }
        }
    }
}
