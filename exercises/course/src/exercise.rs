//! One exercise, as its `exercise.toml` describes it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ability::Ability;
use crate::hints::{self, HintsError};

/// What a student does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Writes what a function lacks.
    Fill,
    /// Finds the mistake in what is there.
    Fix,
    /// Says what will happen, before trying it.
    Predict,
    /// Reads the kernel's state.
    Observe,
    /// Breaks out.
    Attack,
    /// Measures.
    Measure,
}

/// Which machine it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// An ordinary user's, with user namespaces.
    Rootless,
    /// One on which the student is root.
    Root,
    /// A virtual machine.
    Vm,
}

/// What must be true of a solution.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariant {
    /// Its number on the chapter's page.
    pub number: u32,
    /// What is true.
    pub text: String,
}

/// A broken solution that a student might write, and that the check must not let pass.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its name, and that of the file `mutants/<name>.rs`.
    pub name: String,
    /// The region that it replaces; without it, the exercise's only one.
    pub region: Option<String>,
    /// The number of the invariant whose check must fail.
    pub breaks: u32,
    /// How one comes to write this.
    pub story: String,
}

/// A file in which the student writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file, relative to the project, in which the solution stands.
    pub source: PathBuf,
    /// The regions of that file which the starter lacks.
    pub regions: Vec<String>,
    /// The name of the student's file in `src`.
    pub file: String,
}

/// A further [`Part`], as `exercise.toml` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Further {
    source: PathBuf,
    regions: Vec<String>,
}

/// What `exercise.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    id: String,
    title: String,
    kind: Kind,
    minutes: u32,
    teaches: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    lane: Lane,
    #[serde(default)]
    requires: Vec<Ability>,
    timeout: u64,
    source: PathBuf,
    regions: Vec<String>,
    /// A capstone's other files.
    #[serde(default)]
    also: Vec<Further>,
    blank: Option<String>,
    #[serde(default)]
    blanks: BTreeMap<String, String>,
    planted: Option<String>,
    file: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(rename = "invariant")]
    invariants: Vec<Invariant>,
    #[serde(rename = "mutant")]
    mutants: Vec<Mutant>,
}

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// Its directory, relative to the project: `exercises/01-chroot/pivot`.
    pub folder: PathBuf,
    /// Its name over the whole course.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What a student does.
    pub kind: Kind,
    /// How long it takes.
    pub minutes: u32,
    /// What one learns: man pages, flags, ideas.
    pub teaches: Vec<String>,
    /// The exercises that should come before.
    pub needs: Vec<String>,
    /// Which machine it needs.
    pub lane: Lane,
    /// What the machine must be able to do.
    pub requires: Vec<Ability>,
    /// How long its check may take.
    pub timeout: Duration,
    /// The files in which the student writes; there is one at least.
    pub parts: Vec<Part>,
    /// What stands in the place of a region.
    pub blank: Option<String>,
    /// What stands in the place of one of them, by its name.
    pub blanks: BTreeMap<String, String>,
    /// The mutant that stands in their place, for [`Kind::Fix`].
    pub planted: Option<String>,
    /// Packages that its programs need beside those of the chapter.
    pub dependencies: Vec<String>,
    /// What must be true of a solution.
    pub invariants: Vec<Invariant>,
    /// Broken solutions.
    pub mutants: Vec<Mutant>,
}

/// Why a directory is no exercise.
#[derive(Debug, thiserror::Error)]
pub enum ExerciseError {
    /// A file of it cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file, relative to the project.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// `exercise.toml` is not as it should be.
    #[error("{}", .path.display())]
    Manifest {
        /// The file, relative to the project.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// It contradicts itself, or lacks something.
    #[error("{}: {complaint}", .path.display())]
    Wrong {
        /// The file, relative to the project.
        path: PathBuf,
        /// What is wrong.
        complaint: String,
    },
    /// Its hints are not as they should be.
    #[error("{}", .path.display())]
    Hints {
        /// The file, relative to the project.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: HintsError,
    },
}

impl Exercise {
    /// Reads the exercise in `folder`, which is relative to `project`.
    ///
    /// # Errors
    /// When `exercise.toml` cannot be read, or contradicts itself.
    pub fn read(project: &Path, folder: &Path) -> Result<Self, ExerciseError> {
        let path = folder.join("exercise.toml");
        let text = fs::read_to_string(project.join(&path));
        let text = text.map_err(|source| ExerciseError::Read { path: path.clone(), source })?;
        Self::parse(folder, &text)
    }

    /// The exercise that `text` describes.
    ///
    /// # Errors
    /// When it contradicts itself, or says what we do not know.
    pub fn parse(folder: &Path, text: &str) -> Result<Self, ExerciseError> {
        let path = folder.join("exercise.toml");
        let manifest: Manifest = toml::from_str(text)
            .map_err(|source| ExerciseError::Manifest { path: path.clone(), source: Box::new(source) })?;
        if folder.file_name().is_none_or(|name| name != manifest.id.as_str()) {
            let complaint = format!("id `{}` is not the name of its directory", manifest.id);
            return Err(ExerciseError::Wrong { path, complaint });
        }
        if let Some(complaint) = manifest.complaint() {
            return Err(ExerciseError::Wrong { path, complaint });
        }
        let parts = manifest.parts();
        Ok(Self {
            folder: folder.to_owned(),
            parts,
            id: manifest.id,
            title: manifest.title,
            kind: manifest.kind,
            minutes: manifest.minutes,
            teaches: manifest.teaches,
            needs: manifest.needs,
            lane: manifest.lane,
            requires: manifest.requires,
            timeout: Duration::from_secs(manifest.timeout),
            blank: manifest.blank,
            blanks: manifest.blanks,
            planted: manifest.planted,
            dependencies: manifest.dependencies,
            invariants: manifest.invariants,
            mutants: manifest.mutants,
        })
    }

    /// The name of its package.
    pub fn package(&self) -> String {
        format!("ex-{}", self.id)
    }

    /// The file of `part` that the student edits, relative to the project.
    pub fn student_file(&self, part: &Part) -> PathBuf {
        self.folder.join("src").join(&part.file)
    }

    /// All files that the student edits, relative to the project.
    pub fn student_files(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| self.student_file(part)).collect()
    }

    /// These files as words for a sentence: the path of one, or `exercises/…/src: start.rs, client.rs`.
    pub fn files_in_words(&self) -> String {
        if let [part] = &self.parts[..] {
            return self.student_file(part).display().to_string();
        }
        let names: Vec<&str> = self.parts.iter().map(|part| part.file.as_str()).collect();
        format!("{}: {}", self.folder.join("src").display(), names.join(", "))
    }

    /// `01-chroot`.
    pub fn chapter(&self) -> String {
        let parent = self.folder.parent().and_then(Path::file_name).unwrap_or_default();
        parent.to_string_lossy().into_owned()
    }

    /// 1 for `01-chroot`.
    pub fn chapter_number(&self) -> u32 {
        self.chapter().split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// The page of the book that belongs to it, relative to the project.
    pub fn page(&self) -> String {
        format!("book/src/{}.md", self.chapter())
    }

    /// The file of a mutant, relative to the project.
    pub fn mutant_file(&self, mutant: &Mutant) -> PathBuf {
        let part = self.parts.iter().find(|part| self.is_of(mutant, part));
        let extension = part.and_then(|part| Path::new(&part.file).extension()).unwrap_or_default();
        self.folder.join("mutants").join(&mutant.name).with_extension(extension)
    }

    /// The region that a mutant replaces.
    pub fn mutant_region<'e>(&'e self, mutant: &'e Mutant) -> &'e str {
        // There is a region: `complaint` has looked.
        let first = || self.parts.iter().flat_map(|part| &part.regions).next();
        mutant.region.as_deref().unwrap_or_else(|| first().map_or("", String::as_str))
    }

    /// Whether the region that a mutant replaces is in `part`.
    pub fn is_of(&self, mutant: &Mutant, part: &Part) -> bool {
        part.regions.iter().any(|region| region == self.mutant_region(mutant))
    }

    /// Its hints, from a nudge to near-code.
    ///
    /// # Errors
    /// When `hints.md` cannot be read, or has not three sections.
    pub fn hints(&self, project: &Path) -> Result<[String; 3], ExerciseError> {
        let path = self.folder.join("hints.md");
        let text = fs::read_to_string(project.join(&path));
        let text = text.map_err(|source| ExerciseError::Read { path: path.clone(), source })?;
        hints::parse(&text).map_err(|source| ExerciseError::Hints { path, source })
    }
}

impl Manifest {
    fn parts(&self) -> Vec<Part> {
        let name = |source: &Path| source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = self.file.clone().unwrap_or_else(|| name(&self.source));
        let first = Part { source: self.source.clone(), regions: self.regions.clone(), file };
        let further = self.also.iter().map(|also| Part {
            source: also.source.clone(),
            regions: also.regions.clone(),
            file: name(&also.source),
        });
        std::iter::once(first).chain(further).collect()
    }

    /// The regions of all its files.
    fn all_regions(&self) -> Vec<&String> {
        self.regions.iter().chain(self.also.iter().flat_map(|also| &also.regions)).collect()
    }

    fn complaint(&self) -> Option<String> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || !self.id.bytes().all(is_plain) {
            return Some(format!("id `{}`: lower-case letters, digits and `-` only", self.id));
        }
        if self.regions.is_empty() || self.also.iter().any(|also| also.regions.is_empty()) {
            return Some("`regions` is empty: there is nothing to do".to_owned());
        }
        if let Some(complaint) = self.complaint_about_parts() {
            return Some(complaint);
        }
        if self.invariants.is_empty() {
            return Some("no `[[invariant]]`: there is nothing to check".to_owned());
        }
        if self.mutants.len() < 2 {
            return Some(format!("{} mutant: two are the least", self.mutants.len()));
        }
        if self.minutes == 0 || self.timeout == 0 {
            return Some("`minutes` and `timeout` are at least 1".to_owned());
        }
        if let Some(name) = self.blanks.keys().find(|name| !self.all_regions().contains(name)) {
            return Some(format!("`[blanks]` names region `{name}`, which the starter does not lack"));
        }
        if let Some(planted) = &self.planted
            && !self.mutants.iter().any(|mutant| mutant.name == *planted)
        {
            return Some(format!("`planted = \"{planted}\"` is none of its mutants"));
        }
        self.mutants.iter().find_map(|mutant| self.complaint_about(mutant))
    }

    /// A region's name alone tells its file, and one crate takes all of them.
    fn complaint_about_parts(&self) -> Option<String> {
        let regions = self.all_regions();
        if let Some(twice) = regions.iter().enumerate().find(|(at, name)| regions[..*at].contains(name)) {
            return Some(format!("two regions are called `{}`", twice.1));
        }
        let other = self.also.iter().find(|also| also.source.parent() != self.source.parent());
        other.map(|also| format!("{} is not beside {}", also.source.display(), self.source.display()))
    }

    fn complaint_about(&self, mutant: &Mutant) -> Option<String> {
        let name = &mutant.name;
        if !self.invariants.iter().any(|invariant| invariant.number == mutant.breaks) {
            return Some(format!("mutant `{name}` breaks invariant {}, which is not listed", mutant.breaks));
        }
        match &mutant.region {
            None if self.all_regions().len() > 1 => {
                Some(format!("mutant `{name}` does not say which `region` it replaces"))
            }
            Some(region) if !self.all_regions().contains(&region) => {
                Some(format!("mutant `{name}` replaces region `{region}`, which the starter does not lack"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Exercise;

    const GOOD: &str = r#"
id = "pivot"
title = "Leave"
kind = "fill"
minutes = 15
teaches = []
lane = "root"
requires = ["root", "cgroup-v2"]
timeout = 20
source = "chapters/01-chroot/src/root.rs"
regions = ["pivot"]
[[invariant]]
number = 2
text = "Gone."
[[mutant]]
name = "one"
breaks = 2
story = ""
[[mutant]]
name = "two"
breaks = 2
story = ""
"#;

    fn parse(text: &str) -> Result<Exercise, String> {
        Exercise::parse(Path::new("exercises/01-chroot/pivot"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_comes_from_the_source() {
        let exercise = parse(GOOD).unwrap();
        assert_eq!(exercise.student_files(), [Path::new("exercises/01-chroot/pivot/src/root.rs")]);
        assert_eq!((exercise.chapter().as_str(), exercise.chapter_number()), ("01-chroot", 1));
        assert_eq!(exercise.mutant_region(&exercise.mutants[0]), "pivot");
        assert_eq!(
            exercise.mutant_file(&exercise.mutants[1]),
            Path::new("exercises/01-chroot/pivot/mutants/two.rs")
        );
    }

    #[test]
    fn a_capstone_has_several_files_of_one_chapter() {
        let several = |source: &str, region: &str| {
            let also = format!("[[also]]\nsource = \"{source}\"\nregions = [\"{region}\"]\n[[invariant]]");
            let text = GOOD
                .replacen("[[invariant]]", &also, 1)
                .replace("[[mutant]]\nname = \"one\"", "[[mutant]]\nname = \"one\"\nregion = \"pivot\"");
            parse(&text.replace("name = \"two\"", &format!("name = \"two\"\nregion = \"{region}\"")))
        };
        let exercise = several("chapters/01-chroot/src/step.rs", "order").unwrap();
        let files = ["exercises/01-chroot/pivot/src/root.rs", "exercises/01-chroot/pivot/src/step.rs"];
        assert_eq!(exercise.student_files(), files.map(Path::new));
        assert!(exercise.is_of(&exercise.mutants[1], &exercise.parts[1]));
        let refused = several("chapters/01-chroot/src/step.rs", "pivot").unwrap_err();
        assert!(refused.ends_with("two regions are called `pivot`"), "{refused}");
        let refused = several("chapters/02-namespaces/src/init.rs", "reap").unwrap_err();
        assert!(refused.contains("chapters/02-namespaces/src/init.rs is not beside"), "{refused}");
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let refused = |from: &str, to: &str| parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        let told = |text: &str| format!("exercises/01-chroot/pivot/exercise.toml: {text}");
        assert_eq!(
            refused("breaks = 2", "breaks = 3"),
            told("mutant `one` breaks invariant 3, which is not listed")
        );
        assert_eq!(
            refused("\"pivot\"]", "\"pivot\", \"detach\"]"),
            told("mutant `one` does not say which `region` it replaces")
        );
        assert_eq!(
            refused("id = \"pivot\"", "id = \"Pivot\""),
            told("id `Pivot` is not the name of its directory")
        );
        assert!(refused("cgroup-v2", "quantum").starts_with("exercises/01-chroot/pivot/exercise.toml"));
        let one = &GOOD[..GOOD.rfind("[[mutant]]").unwrap()];
        assert_eq!(parse(one).unwrap_err(), told("1 mutant: two are the least"));
    }
}
