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

/// The workspace of the exercises' checker, which most laws are for too.
fn checker() -> Workspace {
    Workspace::read_at(&workspace().root.join("exercises/Cargo.toml")).expect("read the checker's workspace")
}

/// The files of both.
fn sources() -> Vec<SourceFile> {
    let mut files = workspace().sources().expect("read the sources");
    files.extend(checker().sources().expect("read the sources"));
    files
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
    let mut complaints = Vec::new();
    for workspace in [workspace(), checker()] {
        let root = workspace.text("Cargo.toml").unwrap();
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
    }
    none(&complaints);
}

#[test]
fn the_checker_has_the_lints_and_the_versions_of_the_engine() {
    let (root, checker) = (workspace().text("Cargo.toml").unwrap(), checker().text("Cargo.toml").unwrap());
    let table = |manifest, name| xtask::manifest::table(manifest, name).unwrap();
    for name in ["workspace.lints.rust", "workspace.lints.clippy", "workspace.package"] {
        assert_eq!(table(&root, name), table(&checker, name), "[{name}]");
    }
    let engine = table(&root, "workspace.dependencies");
    let differs = |(name, version): &(&str, &str)| {
        let (_, other) = engine.iter().find(|(other, _)| other == name)?;
        let is_ours = version.contains("path = ");
        (!is_ours && other != version)
            .then(|| format!("`{name}` is {version} in exercises, {other} in the root"))
    };
    none(&table(&checker, "workspace.dependencies").iter().filter_map(differs).collect::<Vec<_>>());
}

#[test]
fn unsafe_stands_in_mini_sys_alone() {
    let workspace = workspace();
    let member = workspace.members.iter().find(|member| member.name == UNSAFE_CRATE).unwrap();
    let (there, elsewhere): (Vec<_>, Vec<_>) =
        sources().into_iter().partition(|file| file.path.starts_with(&member.folder));
    let lines =
        |file: &SourceFile| Some(rules::lines_with_unsafe(&file.text)).filter(|lines| !lines.is_empty());
    none(&about(&elsewhere, |file| lines(file).map(|lines| format!("`unsafe` on line {lines:?}"))));
    assert!(there.iter().any(|file| lines(file).is_some()), "the search for `unsafe` finds none at all");
}

#[test]
fn a_lib_rs_holds_docs_modules_and_reexports_only() {
    let mut files = sources();
    files.retain(|file| file.path.ends_with("src/lib.rs"));
    none(&about(&files, |file| {
        rules::lib_does_more_than_list(&file.text).map(|item| format!("`{item}` belongs into a module"))
    }));
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let files = sources();
    none(&about(&files, |file| {
        rules::banned_modules(&file.path)
            .map(|name| format!("a module named `{name}`: name it after what it does"))
    }));
}

#[test]
fn no_modules_of_a_crate_use_each_other_in_a_circle() {
    let mut complaints = Vec::new();
    for workspace in [workspace(), checker()] {
        let files = workspace.sources().expect("read the sources");
        for member in &workspace.members {
            let root = member.folder.join("src");
            let modules: Vec<rules::Module<'_>> = files
                .iter()
                .filter_map(|file| Some((file.path.strip_prefix(&root).ok()?, file.text.as_str())))
                .collect();
            let found = rules::circles(&modules);
            complaints.extend(found.iter().map(|circle| format!("{}: {circle}", root.display())));
        }
    }
    none(&complaints);
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    let mut files = sources();
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
    let architecture = workspace.text(file).unwrap();
    for manifest in ["Cargo.toml", "exercises/Cargo.toml"] {
        none(&rules::dependencies_without_reason(&workspace.text(manifest).unwrap(), &architecture));
    }
}
