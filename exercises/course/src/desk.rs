//! What a student's command works with: the copy around the working directory, its exercises, the progress.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use course::copy::{Place, StudentCopy};
use course::progress::Progress;
use course::proof::first_missing;
use course::{Catalog, Exercise};

use crate::failure::usage;

/// A copy that somebody works in.
pub(crate) struct Desk {
    pub(crate) copy: StudentCopy,
    pub(crate) catalog: Catalog,
    pub(crate) progress: Progress,
    here: PathBuf,
}

impl Desk {
    /// The copy around the working directory.
    pub(crate) fn open() -> Result<Self> {
        let here = env::current_dir().context("find the working directory")?;
        let copy = match Place::around(&here) {
            Place::Copy(copy) => copy,
            Place::Project(project) => {
                return Err(usage(
                    format!("{} is the course itself, not a copy to work in", project.display()),
                    "make a copy first: `cargo course init ~/containers`; authors use `cargo x exercises --check ID`",
                ));
            }
            Place::Elsewhere => {
                return Err(usage(
                    format!("{} is in no copy of the course", here.display()),
                    "go to the directory that `cargo course init` made for you",
                ));
            }
        };
        let catalog = copy.catalog().context("cannot read the exercises of this copy")?;
        let progress = Progress::read(&copy.progress())?;
        Ok(Self { copy, catalog, progress, here })
    }

    /// The exercise with this name; without one, that around the working directory, or else the current one, or else
    /// the next.
    pub(crate) fn exercise(&self, id: Option<&str>) -> Result<&Exercise> {
        if let Some(id) = id {
            return Ok(self.catalog.find(id)?);
        }
        let around = self.here.strip_prefix(self.copy.root()).ok().and_then(|path| self.catalog.around(path));
        let current = || self.progress.current.as_ref().and_then(|id| self.catalog.find(id).ok());
        around.or_else(current).or_else(|| self.next()).ok_or_else(|| {
            usage("no exercise is begun, and all are solved", "name one, such as `cargo course start ID`")
        })
    }

    /// The first exercise that is not solved and that this machine can run.
    pub(crate) fn next(&self) -> Option<&Exercise> {
        let mut open =
            self.catalog.exercises.iter().filter(|exercise| self.progress.of(&exercise.id).passed.is_none());
        open.find(|exercise| first_missing(exercise).is_none())
    }

    /// Writes the progress down.
    pub(crate) fn keep(&self) -> Result<()> {
        Ok(self.progress.write(&self.copy.progress())?)
    }
}
