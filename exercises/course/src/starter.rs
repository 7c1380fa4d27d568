//! The texts that a student's file can have: the starter, the solution, the mutants.
//!
//! All are made from the one source in which the solution stands, so none can fall behind it. Pure text.

use std::path::Path;

use crate::exercise::{Exercise, Mutant, Part};
use crate::regions::{self, RegionError};

/// Why there is no such text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StarterError {
    /// The source lacks a region.
    #[error("{source_file}")]
    Region {
        /// The source.
        source_file: String,
        /// Which, and how.
        #[source]
        source: RegionError,
    },
    /// What stands in a region's place must be said for languages that have no `todo!`.
    #[error("exercise `{id}`: `blank` is needed, since `{file}` is no Rust")]
    NoBlank {
        /// The exercise.
        id: String,
        /// The student's file.
        file: String,
    },
}

/// What the student begins with in one file: `source` with each region blanked, or with the planted mutant in its place.
///
/// # Errors
/// When the source lacks a region.
pub fn starter(
    exercise: &Exercise,
    part: &Part,
    source: &str,
    planted: Option<&str>,
) -> Result<String, StarterError> {
    let mut text = source.to_owned();
    for region in &part.regions {
        let mutant =
            exercise.planted.as_ref().and_then(|name| exercise.mutants.iter().find(|it| it.name == *name));
        let with = match (mutant, planted) {
            (Some(mutant), Some(planted)) if exercise.mutant_region(mutant) == region => planted.to_owned(),
            // The others stay as they are: one mistake is enough to look for.
            (Some(_), Some(_)) => continue,
            _ => blank(exercise, part, region)?,
        };
        text = replace(part, &text, region, &with)?;
    }
    Ok(without_tests(&regions::without_marks(&text)))
}

/// Tests say what comes out, which is the student's to find; and they need packages that an exercise has not. In our
/// sources they are the last thing in a file.
fn without_tests(text: &str) -> String {
    let tests = text.find("\n#[cfg(test)]\nmod tests {");
    tests.and_then(|at| text.get(..at)).map_or(text.to_owned(), |text| format!("{}\n", text.trim_end()))
}

/// A finished file: the source without marks.
pub fn solution(source: &str) -> String {
    regions::without_marks(source)
}

/// What a student has to come to in one file: each region's name and text.
///
/// # Errors
/// When the source lacks a region.
pub fn answers(part: &Part, source: &str) -> Result<Vec<(String, String)>, StarterError> {
    let answer = |name: &String| {
        let text = regions::region(source, name).map_err(|error| wrong(part, error))?;
        Ok((name.clone(), text))
    };
    part.regions.iter().map(answer).collect()
}

/// The finished file with one region broken.
///
/// # Errors
/// When the source lacks the region.
pub fn mutated(
    exercise: &Exercise,
    part: &Part,
    source: &str,
    mutant: &Mutant,
    text: &str,
) -> Result<String, StarterError> {
    let replaced = replace(part, source, exercise.mutant_region(mutant), text)?;
    Ok(regions::without_marks(&replaced))
}

fn blank(exercise: &Exercise, part: &Part, region: &str) -> Result<String, StarterError> {
    match exercise.blanks.get(region).or(exercise.blank.as_ref()) {
        Some(blank) => Ok(blank.clone()),
        None if Path::new(&part.file).extension().is_some_and(|extension| extension == "rs") => {
            let title = exercise.title.replace('\\', "\\\\").replace('"', "\\\"");
            Ok(format!("todo!(\"{}\")", title.replace('{', "{{").replace('}', "}}")))
        }
        None => Err(StarterError::NoBlank { id: exercise.id.clone(), file: part.file.clone() }),
    }
}

fn replace(part: &Part, text: &str, region: &str, with: &str) -> Result<String, StarterError> {
    regions::replace(text, region, with).map_err(|error| wrong(part, error))
}

fn wrong(part: &Part, source: RegionError) -> StarterError {
    StarterError::Region { source_file: part.source.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::without_tests;

    #[test]
    fn the_tests_of_a_source_are_not_shown_to_who_has_to_write_it() {
        let source = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        assert_eq!(without_tests(source), "fn f() {}\n");
        assert_eq!(without_tests("fn f() {}\n"), "fn f() {}\n");
    }
}
