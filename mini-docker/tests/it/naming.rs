//! Which container a text means: names, ids, the start of an id.

use crate::harness::{Engine, names};

#[test]
fn a_container_without_a_name_gets_an_adjective_and_a_surname() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..3 {
        engine.call("run host true").ok();
    }
    let all = engine.call("ps -a --format {{.Names}}").ok();
    let all: Vec<&str> = all.lines().collect();
    assert_eq!(all.len(), 3);
    for name in all {
        let (adjective, surname) = name.split_once('_').unwrap();
        let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(is_word(adjective) && is_word(surname), "{name}");
    }
}

#[test]
fn a_name_that_is_taken_is_refused_until_it_is_free() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    let id = engine.inspect("web", ".Id");
    let message = engine.call("run --name web host true").fails(125);
    assert_eq!(
        message,
        format!(
            "Conflict. The container name \"/web\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
        )
    );
    assert_eq!(engine.ids().len(), 1);
    engine.call("rm web").ok();
    engine.call("run --rm --name web host true").ok();
}

#[test]
fn names_have_dockers_letters() {
    let Some(engine) = Engine::new() else { return };
    for name in ["Web.1_x-y", "00", "a."] {
        engine.call(&format!("run --rm --name {name} host true")).ok();
    }
    for name in ["", "a", "-a", ".a", "_a", "a b", "a/b", "../x", "a\nb", "é1", "a:b"] {
        let message = engine.with("run --rm", &[&format!("--name={name}"), "host", "true"]);
        if name.is_empty() {
            // Docker takes an empty name for none.
            message.exits(0);
            continue;
        }
        let message = message.fails(125);
        assert!(message.starts_with("Invalid container name ("), "{message}");
    }
    assert_eq!(names(&engine.root().join("names")), [] as [&str; 0]);
    let long = "n".repeat(300);
    engine.call(&format!("run --rm --name {long} host true")).fails(125);
}

#[test]
fn the_start_of_an_id_is_enough_while_no_other_has_it() {
    let Some(engine) = Engine::new() else { return };
    for _ in 0..20 {
        // Seventeen ids cannot all begin with different digits.
        engine.call("run host true").ok();
        let ids = engine.ids();
        let shared = ids.iter().find(|id| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1);
        if let Some(id) = shared {
            let start = &id[..1];
            let message = engine.call(&format!("inspect --type container {start}")).fails(1);
            assert_eq!(message, format!("multiple IDs found with provided prefix: {start}"));
            for part in [&id[..12], id.as_str(), &id[..40]] {
                assert_eq!(engine.inspect(part, ".Id"), *id);
            }
            engine.call(&format!("rm {}", &id[..12])).ok();
            assert!(!engine.ids().contains(id));
            return;
        }
    }
    panic!("no two of {:?} begin alike", engine.ids());
}

#[test]
fn a_name_counts_before_the_start_of_an_id() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name first host true").ok();
    let id = engine.inspect("first", ".Id");
    let start = id[..4].to_owned();
    engine.call(&format!("run --name {start} host false")).exits(1);
    assert_eq!(engine.inspect(&start, ".State.ExitCode"), "1");
    assert_eq!(engine.inspect("/first", ".Id"), id);
    for nothing in ["nosuch", "zzzz", "../names/first", ".", "..", "first/", "FIRST"] {
        assert_eq!(engine.call(&format!("logs {nothing}")).fails(1), format!("No such container: {nothing}"));
    }
    assert_eq!(engine.with("logs", &[""]).code, 1);
}
