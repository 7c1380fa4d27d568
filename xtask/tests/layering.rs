//! The laws of this workspace, applied to the tree on disk.
//!
//! Requires nothing but cargo. What each law says, and that it can fail, stands beside it in `xtask::rules`.

use std::path::Path;

use xtask::rules;
use xtask::workspace::{SourceFile, Workspace};

/// The one crate that may hold `unsafe`.
const UNSAFE_CRATE: &str = "mini-sys";

fn workspace() -> Workspace {
    Workspace::read().expect("read the workspace")
}

/// One complaint a line.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The complaints that `rule` has about files, with the files' names.
fn about(files: &[SourceFile], rule: impl Fn(&SourceFile) -> Option<String>) -> Vec<String> {
    let complaint = |file: &SourceFile| Some(format!("{}: {}", file.path.display(), rule(file)?));
    files.iter().filter_map(complaint).collect()
}

fn is_below(file: &SourceFile, folder: &str) -> bool {
    file.path.iter().any(|part| part == folder)
}

#[test]
fn there_are_chapters_to_judge() {
    let workspace = workspace();
    let chapters = workspace.members.iter().filter(|member| member.chapter().is_some()).count();
    assert!(chapters >= 8, "cargo shows {chapters} chapters");
    assert!(workspace.sources().unwrap().len() > chapters);
}

#[test]
fn a_chapter_uses_chapters_with_lower_numbers_only() {
    none(&rules::arrows_to_higher_numbers(&workspace().members));
}

#[test]
fn packages_are_named_after_their_folders_without_the_number() {
    none(&rules::misnamed(&workspace().members));
}

#[test]
fn every_crate_takes_the_lints_over_and_mini_sys_all_but_one() {
    let workspace = workspace();
    let root = workspace.text("Cargo.toml").unwrap();
    let mut complaints = Vec::new();
    for member in &workspace.members {
        let manifest = workspace.text(member.folder.join("Cargo.toml")).unwrap();
        let found = if member.name == UNSAFE_CRATE {
            rules::lints_weakened(&manifest, &root, &["unsafe_code"])
        } else {
            rules::lints_not_inherited(&manifest).into_iter().collect()
        };
        complaints.extend(
            found.iter().map(|complaint| format!("{}/Cargo.toml {complaint}", member.folder.display())),
        );
    }
    none(&complaints);
}

#[test]
fn unsafe_stands_in_mini_sys_alone() {
    let workspace = workspace();
    let member = workspace.members.iter().find(|member| member.name == UNSAFE_CRATE).unwrap();
    let (there, elsewhere): (Vec<_>, Vec<_>) =
        workspace.sources().unwrap().into_iter().partition(|file| file.path.starts_with(&member.folder));
    let lines =
        |file: &SourceFile| Some(rules::lines_with_unsafe(&file.text)).filter(|lines| !lines.is_empty());
    none(&about(&elsewhere, |file| lines(file).map(|lines| format!("`unsafe` on line {lines:?}"))));
    assert!(there.iter().any(|file| lines(file).is_some()), "the search for `unsafe` finds none at all");
}

#[test]
fn a_lib_rs_holds_docs_modules_and_reexports_only() {
    let mut files = workspace().sources().unwrap();
    files.retain(|file| file.path.ends_with("src/lib.rs"));
    none(&about(&files, |file| {
        rules::lib_does_more_than_list(&file.text).map(|item| format!("`{item}` belongs into a module"))
    }));
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let files = workspace().sources().unwrap();
    none(&about(&files, |file| {
        rules::banned_modules(&file.path)
            .map(|name| format!("a module named `{name}`: name it after what it does"))
    }));
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    let mut files = workspace().sources().unwrap();
    files.retain(|file| !is_below(file, "tests"));
    none(&about(&files, |file| {
        let lines = rules::too_long(&file.text)?;
        Some(format!("{lines} lines, the most is {}: look for the second thing it does", rules::LONGEST_FILE))
    }));
}

#[test]
fn every_dependency_has_its_reason_in_the_architecture() {
    let workspace = workspace();
    let file = Path::new("ARCHITECTURE.md");
    assert!(
        workspace.root.join(file).exists(),
        "ARCHITECTURE.md is missing; it gives each dependency's reason"
    );
    let root = workspace.text("Cargo.toml").unwrap();
    none(&rules::dependencies_without_reason(&root, &workspace.text(file).unwrap()));
}
