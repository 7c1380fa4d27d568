//! All exercises of a project, in the order in which they are done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::exercise::{Exercise, ExerciseError};
use crate::suggest;

/// Why the exercises cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A directory cannot be read.
    #[error("cannot list {}", .path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// One of them is not as it should be.
    #[error("cannot use exercise")]
    Exercise(#[source] ExerciseError),
    /// Two have one name.
    #[error("{} and {} are both called `{id}`", .folders[0].display(), .folders[1].display())]
    Twice {
        /// The name.
        id: String,
        /// Where they are.
        folders: [PathBuf; 2],
    },
    /// One should come after another that is not there.
    #[error("exercise `{id}` needs `{needs}`, which does not exist")]
    Needs {
        /// The one.
        id: String,
        /// The other.
        needs: String,
    },
}

/// No exercise has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no exercise named `{id}`{}", .nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
pub struct Unknown {
    /// What was asked for.
    pub id: String,
    /// The name that is most like it.
    pub nearest: Option<String>,
}

/// The exercises of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Chapter by chapter; within a chapter, what another needs comes first.
    pub exercises: Vec<Exercise>,
}

impl Catalog {
    /// Reads every `exercises/NN-chapter/name/exercise.toml` below `project`.
    ///
    /// # Errors
    /// When one of them is not as it should be.
    pub fn read(project: &Path) -> Result<Self, CatalogError> {
        let mut exercises = Vec::new();
        for folder in folders(project)? {
            exercises.push(Exercise::read(project, &folder).map_err(CatalogError::Exercise)?);
        }
        Self::new(exercises)
    }

    /// As [`Self::read`], but leaves out what is not as it should be, and says why. For authors, who may be several.
    ///
    /// # Errors
    /// When a directory cannot be read, or names do not fit together.
    pub fn readable(project: &Path) -> Result<(Self, Vec<ExerciseError>), CatalogError> {
        let read = folders(project)?.into_iter().map(|folder| Exercise::read(project, &folder));
        let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        let catalog = Self::new(good.into_iter().flatten().collect())?;
        Ok((catalog, bad.into_iter().filter_map(Result::err).collect()))
    }

    /// Puts exercises in order.
    ///
    /// # Errors
    /// When two have the same name, or one needs what is not there.
    pub fn new(exercises: Vec<Exercise>) -> Result<Self, CatalogError> {
        for (index, exercise) in exercises.iter().enumerate() {
            if let Some(other) = exercises[..index].iter().find(|other| other.id == exercise.id) {
                let folders = [other.folder.clone(), exercise.folder.clone()];
                return Err(CatalogError::Twice { id: exercise.id.clone(), folders });
            }
            if let Some(needs) =
                exercise.needs.iter().find(|id| !exercises.iter().any(|other| other.id == **id))
            {
                return Err(CatalogError::Needs { id: exercise.id.clone(), needs: needs.clone() });
            }
        }
        Ok(Self { exercises: in_order(exercises) })
    }

    /// The exercise of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, id: &str) -> Result<&Exercise, Unknown> {
        let found = self.exercises.iter().find(|exercise| exercise.id == id);
        found.ok_or_else(|| {
            let names = self.exercises.iter().map(|exercise| exercise.id.as_str());
            Unknown { id: id.to_owned(), nearest: suggest::closest(id, names).map(str::to_owned) }
        })
    }

    /// The chapters that have exercises, such as `01-chroot`, in order.
    pub fn chapters(&self) -> Vec<String> {
        let mut chapters: Vec<String> = self.exercises.iter().map(Exercise::chapter).collect();
        chapters.dedup();
        chapters
    }

    /// The exercise in or below whose directory `path` is; both relative to the project.
    pub fn around(&self, path: &Path) -> Option<&Exercise> {
        self.exercises.iter().find(|exercise| path.starts_with(&exercise.folder))
    }
}

/// By chapter, then by what they need, then by the minutes they take, so that a chapter begins with small ones.
fn in_order(mut waiting: Vec<Exercise>) -> Vec<Exercise> {
    waiting.sort_by_key(|exercise| (exercise.chapter(), exercise.minutes, exercise.id.clone()));
    let mut ordered: Vec<Exercise> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |exercise: &Exercise| {
            let waits_for = |id: &String| waiting.iter().any(|other| other.id == *id);
            !exercise.needs.iter().any(waits_for)
        };
        // Where exercises need each other in a circle, the first begins.
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// The directories of all exercises, relative to the project, sorted.
fn folders(project: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let exercises = Path::new("exercises");
    let mut folders = Vec::new();
    for chapter in directories(project, exercises)? {
        let name = chapter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.get(..3).is_some_and(|start| start.ends_with('-') && start[..2].parse::<u8>().is_ok()) {
            folders.extend(directories(project, &chapter)?);
        }
    }
    folders.retain(|folder| project.join(folder).join("exercise.toml").exists());
    folders.sort();
    Ok(folders)
}

fn directories(project: &Path, folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let path = project.join(folder);
    let failed = |source| CatalogError::List { path: path.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            found.push(folder.join(entry.file_name()));
        }
    }
    Ok(found)
}
