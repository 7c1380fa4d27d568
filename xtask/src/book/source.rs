//! Reads the book from disk: its pages, its list of pages, and what the pages refer to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::Page;

/// The book's sources, below the project's root.
const PAGES: &str = "book/src";

/// The book as it stands, and the files that it shows or names.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// `SUMMARY.md` is the first of them, the others follow sorted by path.
    pub pages: Vec<Page>,
    /// Texts that pages include or show, by path from the project's root. One that is missing is not in here.
    pub files: BTreeMap<PathBuf, String>,
    /// The exercises of all chapters.
    pub exercises: Vec<Exercise>,
}

/// An exercise, as far as a page speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// The chapter's number, `01`.
    pub chapter: String,
    /// The name that `cargo course` takes.
    pub id: String,
}

impl Book {
    /// Reads all of it.
    ///
    /// # Errors
    /// When a directory or a page cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let list = fs::read_dir(root.join(PAGES)).with_context(|| format!("list {PAGES}"))?;
        let mut names: Vec<PathBuf> = list.filter_map(|entry| Some(entry.ok()?.file_name().into())).collect();
        names.retain(|name| name.extension().is_some_and(|extension| extension == "md"));
        names.sort_by_key(|name| (name != Path::new("SUMMARY.md"), name.clone()));
        let mut pages = Vec::new();
        for name in names {
            let path = Path::new(PAGES).join(name);
            let text =
                fs::read_to_string(root.join(&path)).with_context(|| format!("read {}", path.display()))?;
            pages.push(Page::parse(path, text));
        }
        let mut files = BTreeMap::new();
        for path in pages.iter().flat_map(referred) {
            if let Ok(text) = fs::read_to_string(root.join(&path)) {
                files.insert(path, text);
            }
        }
        Ok(Self { pages, files, exercises: exercises(&root.join("exercises"))? })
    }

    /// The page `path`, by its path from the project's root.
    pub fn page(&self, path: &Path) -> Option<&Page> {
        self.pages.iter().find(|page| page.path == path)
    }
}

/// The files that a page includes or shows.
fn referred(page: &Page) -> Vec<PathBuf> {
    let includes = page.code.iter().filter_map(|code| Some(code.include()?.0));
    let images = page.links.iter().filter(|link| link.image).map(|link| link.target.as_str());
    includes.chain(images).map(|target| beside(&page.path, target)).collect()
}

/// What `target` means on the page `page`, from the project's root.
pub(crate) fn beside(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// The exercises below `folder`: `NN-chapter/slug/exercise.toml`. None when there is no such folder.
fn exercises(folder: &Path) -> Result<Vec<Exercise>> {
    let mut exercises = Vec::new();
    for chapter in folders(folder) {
        let name = chapter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((number, _)) = name.split_once('-').filter(|(number, _)| number.parse::<u8>().is_ok())
        else {
            continue;
        };
        for exercise in folders(&chapter) {
            let manifest = exercise.join("exercise.toml");
            if !manifest.exists() {
                continue;
            }
            let text =
                fs::read_to_string(&manifest).with_context(|| format!("read {}", manifest.display()))?;
            let id = text
                .lines()
                .find_map(|line| Some(line.strip_prefix("id = \"")?.split_once('"')?.0.to_owned()));
            let id = id.with_context(|| format!("{} has no line `id = \"…\"`", manifest.display()))?;
            exercises.push(Exercise { chapter: number.to_owned(), id });
        }
    }
    Ok(exercises)
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{Book, beside};

    #[test]
    fn a_path_on_a_page_is_meant_from_the_page() {
        let page = Path::new("book/src/01-a.md");
        assert_eq!(beside(page, "../../chapters/a.rs"), PathBuf::from("chapters/a.rs"));
        assert_eq!(beside(page, "figures/a.svg"), PathBuf::from("book/src/figures/a.svg"));
    }

    #[test]
    fn pages_files_and_exercises_are_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("book/src/a.md", "![x](figures/a.svg)\n\n```rust\n{{#include ../../b.rs:c}}\n```\n");
        write("book/src/SUMMARY.md", "[A](a.md)\n");
        write("book/src/figures/a.svg", "<svg/>");
        write("b.rs", "b");
        write("exercises/01-a/x/exercise.toml", "id = \"pivot\"\n");
        write("exercises/check/src/lib.rs", "");
        let book = Book::read(root.path()).unwrap();
        let names: Vec<_> = book.pages.iter().map(|page| page.path.display().to_string()).collect();
        assert_eq!(names, ["book/src/SUMMARY.md", "book/src/a.md"]);
        assert_eq!(
            book.files.keys().collect::<Vec<_>>(),
            [Path::new("b.rs"), Path::new("book/src/figures/a.svg")]
        );
        assert_eq!((book.exercises[0].chapter.as_str(), book.exercises[0].id.as_str()), ("01", "pivot"));
    }
}
