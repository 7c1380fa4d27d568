//! A student's copy of the course.
//!
//! It is laid out as the project is, and has a directory `.course` beside: where it came from (`origin`), every
//! file as it was (`pristine`), what the student threw away (`kept`), and the progress. A file counts as the
//! student's when it differs from its pristine twin; so an update knows what it must not touch, and a reset what to
//! bring back, without the project it came from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, CatalogError};
use crate::exercise::Exercise;
use crate::mirror::{self, MirrorError};

/// The directory in which a copy keeps what is not the student's.
const OURS: &str = ".course";

/// What goes wrong with a copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The directory is taken.
    #[error("cannot make a copy in `{}`: it is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A copy within the project would be part of it.
    #[error("cannot make a copy in `{}`: that is inside the course itself", .0.display())]
    Inside(PathBuf),
    /// Files cannot be copied.
    #[error("cannot copy the course")]
    Mirror(#[source] MirrorError),
    /// A file of the copy cannot be written or read.
    #[error("cannot use {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// The project that the copy was made from is not there any more.
    #[error("the course is not at `{}` any more, where this copy was made from", .0.display())]
    NoOrigin(PathBuf),
}

/// A student's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentCopy {
    root: PathBuf,
}

/// What an update did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// Files that are new, or have new content now.
    pub written: Vec<PathBuf>,
    /// Files that the course has no more.
    pub removed: Vec<PathBuf>,
    /// Files that the student changed and the course too: they are as the student left them.
    pub kept: Vec<PathBuf>,
}

/// Where a command was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a student's copy.
    Copy(StudentCopy),
    /// In the project itself.
    Project(PathBuf),
    /// In neither.
    Elsewhere,
}

impl Place {
    /// Looks upwards from `directory`.
    pub fn around(directory: &Path) -> Self {
        for above in directory.ancestors() {
            if above.join(OURS).join("pristine").is_dir() {
                return Self::Copy(StudentCopy { root: above.to_owned() });
            }
            if above.join("exercises/course/Cargo.toml").is_file() && above.join("chapters").is_dir() {
                return Self::Project(above.to_owned());
            }
        }
        Self::Elsewhere
    }
}

impl StudentCopy {
    /// Makes a copy of `project` in `directory`, which must be empty or not there yet. It appears whole or not at
    /// all.
    ///
    /// # Errors
    /// When the directory is taken or inside the project, or a file cannot be copied; nothing is left then.
    pub fn make(project: &Path, directory: &Path) -> Result<Self, CopyError> {
        let failed = |path: &Path, source| CopyError::File { path: path.to_owned(), source };
        if let Ok(mut entries) = fs::read_dir(directory)
            && entries.next().is_some()
        {
            return Err(CopyError::NotEmpty(directory.to_owned()));
        }
        let parent = directory.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let there = parent.ancestors().find_map(|above| above.canonicalize().ok());
        if there.is_some_and(|there| mirror::is_part(project, &there)) {
            return Err(CopyError::Inside(directory.to_owned()));
        }
        fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
        let parent = parent.canonicalize().map_err(|source| failed(parent, source))?;
        let name = directory.file_name().unwrap_or_default();
        let making = parent.join(format!(".course-making-{}", std::process::id()));
        let made = Self::fill(project, &making).and_then(|()| {
            fs::rename(&making, parent.join(name)).map_err(|source| failed(directory, source))
        });
        if made.is_err() {
            // The first failure is the one to tell.
            let _ = fs::remove_dir_all(&making);
        }
        made.map(|()| Self { root: parent.join(name) })
    }

    fn fill(project: &Path, root: &Path) -> Result<(), CopyError> {
        let files = mirror::files(project).map_err(CopyError::Mirror)?;
        let ours = root.join(OURS);
        for to in [root, &ours.join("pristine")] {
            mirror::synchronise(project, to, &files).map_err(CopyError::Mirror)?;
        }
        let origin = ours.join("origin");
        fs::write(&origin, project.as_os_str().as_encoded_bytes())
            .map_err(|source| CopyError::File { path: origin, source })
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The exercises, as the course has them: what the student did to `exercise.toml` does not count.
    ///
    /// # Errors
    /// When one of them is not as it should be.
    pub fn catalog(&self) -> Result<Catalog, CatalogError> {
        Catalog::read(&self.pristine())
    }

    /// The project as it was when the copy was made or last updated.
    pub fn pristine(&self) -> PathBuf {
        self.root.join(OURS).join("pristine")
    }

    /// The file in which progress is kept.
    pub fn progress(&self) -> PathBuf {
        self.root.join(OURS).join("progress.json")
    }

    /// Whether the student has changed or deleted this file, which is relative to the copy.
    pub fn is_modified(&self, path: &Path) -> bool {
        fs::read(self.root.join(path)).ok() != fs::read(self.pristine().join(path)).ok()
    }

    /// The files of the exercise that are not there any more, relative to the copy. Those of others in its chapter
    /// count when cargo would refuse the whole chapter without them.
    ///
    /// # Errors
    /// When the pristine files cannot be listed.
    pub fn missing(&self, exercise: &Exercise) -> Result<Vec<PathBuf>, CopyError> {
        let chapter = exercise.folder.parent().unwrap_or(&exercise.folder);
        let mut files = self.pristine_below(chapter)?;
        files.retain(|file| {
            let is_needed = file.ends_with("Cargo.toml") || file.iter().any(|part| part == "src");
            (file.starts_with(&exercise.folder) || is_needed) && !self.root.join(file).exists()
        });
        Ok(files)
    }

    /// Brings all files of the exercise back. What the student had changed is kept in `.course/kept`; those places are
    /// returned.
    ///
    /// # Errors
    /// When a file cannot be kept or written.
    pub fn reset(&self, exercise: &Exercise) -> Result<Vec<PathBuf>, CopyError> {
        let mut kept = Vec::new();
        let mut files = self.pristine_below(&exercise.folder)?;
        // Cargo needs these for every exercise of the chapter.
        let chapter = exercise.folder.parent().unwrap_or(&exercise.folder);
        files.extend(["Cargo.toml", "Cargo.lock"].map(|name| chapter.join(name)));
        for file in files.into_iter().filter(|file| self.is_modified(file)) {
            if self.root.join(&file).is_file() && file.starts_with(&exercise.folder) {
                kept.push(self.keep(exercise, &file)?);
            }
            mirror::copy(&self.pristine().join(&file), &self.root.join(&file)).map_err(CopyError::Mirror)?;
        }
        Ok(kept)
    }

    fn keep(&self, exercise: &Exercise, file: &Path) -> Result<PathBuf, CopyError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let place =
            |number: u32| Path::new(OURS).join("kept").join(format!("{}-{number}-{name}", exercise.id));
        let free = (1..).map(place).find(|place| !self.root.join(place).exists()).unwrap_or_else(|| place(0));
        mirror::copy(&self.root.join(file), &self.root.join(&free)).map_err(CopyError::Mirror)?;
        Ok(free)
    }

    /// Where the copy was made from.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn origin(&self) -> Result<PathBuf, CopyError> {
        let path = self.root.join(OURS).join("origin");
        let origin = fs::read(&path).map_err(|source| CopyError::File { path, source })?;
        let origin = PathBuf::from(String::from_utf8_lossy(&origin).into_owned());
        if matches!(Place::around(&origin), Place::Project(project) if project == origin) {
            Ok(origin)
        } else {
            Err(CopyError::NoOrigin(origin))
        }
    }

    /// Takes over what is new in `project`. What the student changed or deleted stays so.
    ///
    /// # Errors
    /// At the first file that cannot be read or written; what was done before stays, and a second update goes on.
    pub fn update(&self, project: &Path) -> Result<Update, CopyError> {
        let mut update = Update::default();
        let theirs = mirror::files(project).map_err(CopyError::Mirror)?;
        let pristine = self.pristine();
        for file in &theirs {
            let (new, old, mine) =
                (content(&project.join(file)), content(&pristine.join(file)), content(&self.root.join(file)));
            if new == old {
                continue;
            }
            if mine == old {
                mirror::copy(&project.join(file), &self.root.join(file)).map_err(CopyError::Mirror)?;
                update.written.push(file.clone());
            } else if mine != new {
                update.kept.push(file.clone());
            }
            // Last: what was interrupted before is done again.
            mirror::copy(&project.join(file), &pristine.join(file)).map_err(CopyError::Mirror)?;
        }
        for file in self.pristine_below(Path::new(""))?.into_iter().filter(|file| !theirs.contains(file)) {
            let remove = |path: PathBuf| match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(CopyError::File { path, source: error })
                }
                _ => Ok(()),
            };
            if self.is_modified(&file) {
                update.kept.push(file.clone());
            } else {
                remove(self.root.join(&file))?;
                update.removed.push(file.clone());
            }
            remove(pristine.join(&file))?;
        }
        Ok(update)
    }

    fn pristine_below(&self, folder: &Path) -> Result<Vec<PathBuf>, CopyError> {
        let mut files = mirror::walk(&self.pristine().join(folder)).map_err(CopyError::Mirror)?;
        files.sort();
        Ok(files.into_iter().map(|file| folder.join(file)).collect())
    }
}

fn content(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}
