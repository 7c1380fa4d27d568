//! Copies and commands in wrong places. Requires nothing; nothing is built.

use std::fs;
use std::path::Path;

use crate::desk::{copy_in, course, project};

const ROOT_RS: &str = "exercises/01-chroot/pivot/src/root.rs";

/// A project of one exercise, small enough to be changed.
fn small_project(directory: &Path) -> std::path::PathBuf {
    let small = directory.join("course");
    let copy = |file: &str| {
        fs::create_dir_all(small.join(file).parent().unwrap()).unwrap();
        fs::copy(project().join(file), small.join(file)).unwrap();
    };
    copy("exercises/course/Cargo.toml");
    copy("exercises/01-chroot/Cargo.toml");
    copy("exercises/01-chroot/Cargo.lock");
    for file in ["exercise.toml", "hints.md", "README.md", "Cargo.toml", "src/lib.rs", "src/root.rs"] {
        copy(&format!("exercises/01-chroot/pivot/{file}"));
    }
    copy("chapters/01-chroot/src/root.rs");
    small
}

#[test]
fn a_command_in_a_directory_that_is_no_copy_says_so() {
    let directory = tempfile::tempdir().unwrap();
    for verb in [&["check"][..], &["next"], &["hint", "pivot"], &["report"], &["update"], &["list"]] {
        let said = course(directory.path(), verb);
        said.with(
            2,
            &["is in no copy of the course", "hint: go to the directory that `cargo course init` made"],
        );
        assert_eq!(said.err.lines().count(), 2, "{said:#?}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_student_command_in_the_course_itself_asks_for_a_copy() {
    for verb in [&["check", "pivot"][..], &["start", "pivot"], &["reset", "pivot"]] {
        course(&project(), verb)
            .with(2, &["is the course itself", "hint: make a copy first: `cargo course init"]);
    }
    course(&project(), &["list"]).with(0, &["pivot", "0 of "]);
}

#[test]
fn an_unknown_exercise_is_answered_with_the_nearest_name() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copy_in(directory.path());
    for verb in ["check", "start", "hint", "solution", "reset"] {
        course(&copy, &[verb, "pviot"]).with(2, &["no exercise named `pviot`; did you mean `pivot`?"]);
    }
    course(&copy, &["check", "--chapter", "77"]).with(2, &["no chapter `77` has exercises"]);
    course(&copy, &["frobnicate"]).with(2, &["frobnicate"]);
}

#[test]
fn a_copy_is_made_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let full = directory.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("letter"), "mine").unwrap();
    course(&project(), &["init", full.to_str().unwrap()]).with(2, &["it is not empty", "hint: "]);
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
    let inside = project().join("exercises/copy");
    course(&project(), &["init", inside.to_str().unwrap()]).with(2, &["inside the course itself"]);
    assert!(!inside.exists());
    let copy = copy_in(directory.path());
    course(&copy, &["init", "elsewhere"]).with(2, &["is a copy of the course already"]);
    let names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn each_call_gives_one_more_hint_and_the_solution_waits_for_a_pass_or_giving_up() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copy_in(directory.path());
    course(&copy, &["start", "pivot"]).with(0, &["# Leave the old root behind", "edit", ROOT_RS]);
    course(&copy, &["hint"]).with(0, &["`pivot`, hint 1 of 3"]);
    course(&copy, &["hint", "pivot"]).with(0, &["hint 2 of 3", "MNT_DETACH"]);
    course(&copy, &["hint"]).with(0, &["hint 3 of 3"]);
    course(&copy, &["hint"]).with(0, &["these are all the hints", "--give-up"]);
    course(&copy, &["solution"]).with(2, &["`pivot` is not solved yet", "--give-up"]);
    course(&copy, &["solution", "--give-up"]).with(0, &["umount2(Path::new(\".\"), MntFlags::MNT_DETACH)"]);
    course(&copy, &["report"]).with(0, &["pivot", "begun"]);
    let report = course(&copy, &["report", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    let pivot = report["exercises"].as_array().unwrap().iter().find(|it| it["exercise"] == "pivot").unwrap();
    assert_eq!((pivot["hints"].as_u64(), pivot["gave_up"].as_bool()), (Some(3), Some(true)));
}

#[test]
fn a_deleted_file_is_named_and_reset_brings_it_back_and_keeps_what_was_changed() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copy_in(directory.path());
    let original = fs::read(copy.join(ROOT_RS)).unwrap();
    for file in
        [ROOT_RS, "exercises/01-chroot/pivot/src/bin/check.rs", "exercises/01-chroot/pivot/Cargo.toml"]
    {
        fs::remove_file(copy.join(file)).unwrap();
        course(&copy, &["check", "pivot"])
            .with(1, &[file, "is not there", "hint: `cargo course reset pivot`"]);
        course(&copy, &["reset", "pivot"]).with(0, &["`pivot` is as you got it"]);
        assert!(copy.join(file).is_file(), "{file}");
    }
    fs::remove_dir_all(copy.join("exercises/01-chroot/pivot")).unwrap();
    course(&copy, &["start", "pivot"]).with(2, &["is not there", "reset pivot"]);
    course(&copy, &["reset", "pivot"]).with(0, &[]);
    fs::write(copy.join(ROOT_RS), "my work").unwrap();
    course(&copy, &["reset", "pivot"]).with(0, &["what you had is in .course/kept/pivot-1-root.rs"]);
    assert_eq!(fs::read(copy.join(ROOT_RS)).unwrap(), original);
    assert_eq!(fs::read_to_string(copy.join(".course/kept/pivot-1-root.rs")).unwrap(), "my work");
}

#[test]
fn an_update_leaves_what_the_student_changed_and_names_it_when_the_course_changed_it_too() {
    let directory = tempfile::tempdir().unwrap();
    let origin = small_project(directory.path());
    let copy = directory.path().join("mine");
    course(&origin, &["init", copy.to_str().unwrap(), "--no-build"]).with(0, &[]);
    course(&copy, &["hint", "pivot"]).with(0, &["hint 1 of 3"]);
    course(&copy, &["update"]).with(0, &["nothing is new"]);
    let readme = "exercises/01-chroot/pivot/README.md";
    fs::write(copy.join(ROOT_RS), "my work").unwrap();
    fs::write(origin.join(ROOT_RS), "their new starter").unwrap();
    fs::write(origin.join(readme), "better words").unwrap();
    fs::write(origin.join("NEWS"), "new").unwrap();
    fs::remove_file(origin.join("chapters/01-chroot/src/root.rs")).unwrap();
    course(&copy, &["update"])
        .with(0, &["2 files new or changed, 1 removed", &format!("kept yours: {ROOT_RS}")]);
    let read = |file: &str| fs::read_to_string(copy.join(file)).unwrap_or_default();
    assert_eq!(
        (read(ROOT_RS), read(readme), read("NEWS")),
        ("my work".into(), "better words".into(), "new".into())
    );
    assert!(!copy.join("chapters/01-chroot/src/root.rs").exists());
    course(&copy, &["update"]).with(0, &["nothing is new"]);
    course(&copy, &["hint", "pivot"]).with(0, &["hint 2 of 3"]);
    fs::rename(&origin, directory.path().join("moved")).unwrap();
    course(&copy, &["update"]).with(2, &["the course is not at", "hint: `.course/origin`"]);
}

#[test]
fn progress_that_was_damaged_is_told_and_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let copy = copy_in(directory.path());
    fs::write(copy.join(".course/progress.json"), "{").unwrap();
    course(&copy, &["hint", "pivot"]).with(1, &["cannot understand", "progress.json"]);
    assert_eq!(fs::read_to_string(copy.join(".course/progress.json")).unwrap(), "{");
}
