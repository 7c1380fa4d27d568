//! The generated files of an exercise: which there are, what is in them, and whether those on disk are these.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::exercise::{Exercise, Mutant, Part};
use crate::package::{self, PackageError};
use crate::starter::{self, StarterError};

/// A file and what is to be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Where, relative to the project.
    pub path: PathBuf,
    /// What.
    pub text: String,
}

/// Why files cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A file that they are made from cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file, relative to the project.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file, relative to the project.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// The student's file cannot be made from the source.
    #[error("cannot make the starter of `{id}`")]
    Starter {
        /// The exercise.
        id: String,
        /// What is wrong.
        #[source]
        source: StarterError,
    },
    /// The package cannot be made from the chapter's.
    #[error("cannot make the package of `{id}`")]
    Package {
        /// The exercise.
        id: String,
        /// What is wrong.
        #[source]
        source: PackageError,
    },
}

/// Texts that the student's files can have, and what the check is to say about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What it is.
    pub role: Role,
    /// Each of the student's files.
    pub files: Vec<Generated>,
}

/// What a [`Variant`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// What students begin with.
    Starter,
    /// What they have to come to.
    Solution,
    /// A broken solution.
    Mutant(Mutant),
}

/// The generated files of `exercise`.
///
/// # Errors
/// When a file that they are made from is missing or not as it should be.
pub fn files(project: &Path, exercise: &Exercise) -> Result<Vec<Generated>, GenerateError> {
    let failed = |source| GenerateError::Package { id: exercise.id.clone(), source };
    let folder = &exercise.folder;
    let chapter = package::chapter_of(exercise);
    let chapter_manifest = chapter.map(|chapter| read(project, &chapter.join("Cargo.toml"))).transpose()?;
    let manifest = package::manifest(exercise, chapter_manifest.as_deref(), &programs(project, exercise)?);
    let mut files = vec![Generated { path: folder.join("Cargo.toml"), text: manifest.map_err(failed)? }];
    files.extend(starter_files(project, exercise)?);
    if let Some(chapter) = chapter {
        let lib = package::lib(exercise, chapter, &read(project, &chapter.join("src/lib.rs"))?);
        files.push(Generated { path: folder.join("src/lib.rs"), text: lib.map_err(failed)? });
    }
    Ok(files)
}

/// The workspace of each chapter that has exercises.
///
/// # Errors
/// When the checker's own manifest cannot be read.
pub fn workspaces(project: &Path, catalog: &Catalog) -> Result<Vec<Generated>, GenerateError> {
    let checker = read(project, Path::new("exercises/Cargo.toml"))?;
    let workspace = |chapter: &String| {
        let here = catalog.exercises.iter().filter(|exercise| exercise.chapter() == *chapter);
        let names = here.filter_map(|exercise| exercise.folder.file_name());
        let mut members: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        members.sort();
        let path = Path::new("exercises").join(chapter).join("Cargo.toml");
        Generated { path, text: package::workspace(&checker, &members) }
    };
    Ok(catalog.chapters().iter().map(workspace).collect())
}

/// The starter, the solution and every mutant.
///
/// # Errors
/// As [`files`].
pub fn variants(project: &Path, exercise: &Exercise) -> Result<Vec<Variant>, GenerateError> {
    let mut variants = vec![
        Variant { role: Role::Starter, files: starter_files(project, exercise)? },
        Variant { role: Role::Solution, files: finished(project, exercise, None)? },
    ];
    for mutant in &exercise.mutants {
        let files = finished(project, exercise, Some(mutant))?;
        variants.push(Variant { role: Role::Mutant(mutant.clone()), files });
    }
    Ok(variants)
}

/// The finished files, with what `mutant` breaks.
fn finished(
    project: &Path,
    exercise: &Exercise,
    mutant: Option<&Mutant>,
) -> Result<Vec<Generated>, GenerateError> {
    let finished = |part: &Part| {
        let source = read(project, &part.source)?;
        let text = match mutant.filter(|mutant| exercise.is_of(mutant, part)) {
            None => starter::solution(&source),
            Some(mutant) => {
                let text = read(project, &exercise.mutant_file(mutant))?;
                starter::mutated(exercise, part, &source, mutant, &text)
                    .map_err(|source| GenerateError::Starter { id: exercise.id.clone(), source })?
            }
        };
        Ok(Generated { path: exercise.student_file(part), text })
    };
    exercise.parts.iter().map(finished).collect()
}

/// The files that a student begins with.
///
/// # Errors
/// As [`files`].
pub fn starter_files(project: &Path, exercise: &Exercise) -> Result<Vec<Generated>, GenerateError> {
    let planted =
        exercise.planted.as_ref().and_then(|name| exercise.mutants.iter().find(|it| it.name == *name));
    let planted = planted.map(|mutant| read(project, &exercise.mutant_file(mutant))).transpose()?;
    let begin = |part: &Part| {
        let source = read(project, &part.source)?;
        let text = starter::starter(exercise, part, &source, planted.as_deref())
            .map_err(|source| GenerateError::Starter { id: exercise.id.clone(), source })?;
        Ok(Generated { path: exercise.student_file(part), text })
    };
    exercise.parts.iter().map(begin).collect()
}

/// Those of `files` that are not so on disk.
pub fn differing(project: &Path, files: Vec<Generated>) -> Vec<Generated> {
    files
        .into_iter()
        .filter(|file| fs::read(project.join(&file.path)).ok().as_deref() != Some(file.text.as_bytes()))
        .collect()
}

/// Writes `files`.
///
/// # Errors
/// At the first that cannot be written.
pub fn write(project: &Path, files: &[Generated]) -> Result<(), GenerateError> {
    for file in files {
        let path = project.join(&file.path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, &file.text))
            .map_err(|source| GenerateError::Write { path: file.path.clone(), source })?;
    }
    Ok(())
}

/// The programs in `src/bin`, sorted; without the `.rs`.
fn programs(project: &Path, exercise: &Exercise) -> Result<Vec<String>, GenerateError> {
    let path = exercise.folder.join("src/bin");
    let failed = |source| GenerateError::Read { path: path.clone(), source };
    let mut programs = Vec::new();
    for entry in fs::read_dir(project.join(&path)).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        programs.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    programs.sort();
    Ok(programs)
}

fn read(project: &Path, path: &Path) -> Result<String, GenerateError> {
    fs::read_to_string(project.join(path))
        .map_err(|source| GenerateError::Read { path: path.to_owned(), source })
}
