//! `rename`.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::harness::{Engine, names};

#[test]
fn a_container_has_its_new_name_and_the_old_one_is_free() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name old", "sleep 1000");
    let host = engine.call("exec old hostname").ok();
    assert_eq!(engine.call("rename old new").ok(), "");
    assert_eq!(engine.inspect("new", ".Id"), id);
    assert_eq!(engine.inspect("new", ".Name"), "/new");
    assert_eq!(engine.call("exec old true").fails(1), "No such container: old");
    assert_eq!((host.as_str(), engine.call("exec new hostname").ok().as_str()), (&id[..12], &id[..12]));
    engine.call("create --name old host true").ok();
    // By its id, and one that does not run; a slash before the name is Docker's own way to show it.
    engine.call(&format!("rename {} /third", &id[..12])).ok();
    engine.call("rename old new").ok();
    assert_eq!(engine.call("ps -a --format {{.Names}}").ok(), "new\nthird");
    let events = engine.call("events --since 1h --until 0s -f event=rename --format json").ok();
    let told: Vec<[String; 2]> = events
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            ["name", "oldName"].map(|name| event["Actor"]["Attributes"][name].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(told, [["new", "/old"], ["third", "/new"], ["new", "/old"]]);
}

#[test]
fn names_that_cannot_be_had_are_refused_and_change_nothing() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name web host true").ok();
    let other = engine.call("create --name other host true").ok();
    let before = engine.listing();
    let taken = format!(
        "Error when allocating new name: Conflict. The container name \"/other\" is already in use by container \"{other}\". You have to remove (or rename) that container to be able to reuse that name."
    );
    let invalid = "Error when allocating new name: Invalid container name (x y), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
    for (new, words) in [
        ("other", taken.as_str()),
        ("web", "Renaming a container with the same name as its current name"),
        ("x y", invalid),
        ("", "Neither old nor new names may be empty"),
        (
            "../x",
            "Error when allocating new name: Invalid container name (../x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
    ] {
        assert_eq!(engine.with("rename web", &[new]).fails(1), words);
    }
    assert_eq!(engine.call("rename nosuch new").fails(1), "No such container: nosuch");
    engine.assert_unchanged(&before, "refused names");
}

#[test]
fn a_rename_that_was_killed_leaves_one_name_that_works() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.call("create --name web host true").ok();
    // Killed before or after the record was written: one name more than the record says.
    let link = engine.root().join("names/half");
    for verb in ["inspect half", "rename half other", "rm half"] {
        symlink(&id, &link).unwrap();
        assert!(engine.call(verb).fails(1).ends_with(": half"));
        assert!(!link.exists());
    }
    symlink(&id, &link).unwrap();
    engine.call("create --name half host true").ok();
    assert_ne!(engine.inspect("half", ".Id"), id);
    engine.call("rm half").ok();
    symlink(&id, &link).unwrap();
    engine.call("rename web half").ok();
    assert_eq!(engine.inspect("half", ".Id"), id);
    assert_eq!(names(&engine.root().join("names")), ["half"]);
}

#[test]
fn of_two_who_want_the_same_name_one_gets_it() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..10 {
        engine.call("create --name aa host true").ok();
        engine.call("create --name bb host true").ok();
        let codes = std::thread::scope(|scope| {
            let rename = |name: &'static str| {
                let engine = &engine;
                scope.spawn(move || engine.call(&format!("rename {name} same")).code)
            };
            ["aa", "bb"].map(rename).map(|thread| thread.join().unwrap())
        });
        assert_eq!(codes.iter().sum::<i32>(), 1, "round {round}: {codes:?}");
        let mut left = engine.call("ps -a --format {{.Names}}").ok();
        left = left.replace("aa", "other").replace("bb", "other");
        let mut left: Vec<&str> = left.lines().collect();
        left.sort_unstable();
        assert_eq!(left, ["other", "same"]);
        let ids = engine.ids();
        engine.with("rm", &ids).ok();
    }
}
