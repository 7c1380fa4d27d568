//! Many commands at once.

use std::process::{Child, Stdio};
use std::thread;

use crate::harness::{Engine, await_end, eventually, names};

fn spawn(engine: &Engine, line: &str) -> Child {
    engine.command(line, &[] as &[&str]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn containers_start_side_by_side() {
    let Some(engine) = Engine::new() else { return };
    let numbers: Vec<u32> = (0..20).collect();
    thread::scope(|scope| {
        for part in numbers.chunks(3) {
            let engine = &engine;
            scope.spawn(move || {
                for number in part {
                    engine.with("run --rm host sh -c", &[format!("exit {number}")]).exits(*number as i32);
                }
            });
        }
    });
    eventually("all are gone", || engine.ids().is_empty());
    assert_eq!(names(&engine.root().join("names")), [] as [&str; 0]);
}

#[test]
fn one_of_two_gets_the_name() {
    let Some(engine) = Engine::new() else { return };
    for round in 0..5 {
        let both: Vec<Child> =
            (0..4).map(|_| spawn(&engine, &format!("run -d --name same{round} host sleep 1000"))).collect();
        let codes: Vec<i32> = both.into_iter().map(|child| await_end(child, "run".to_owned()).code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 125, 125, 125], "{codes:?}");
        assert_eq!(engine.ids().len(), round + 1);
    }
}

#[test]
fn the_image_host_is_made_once_for_many_first_users() {
    let Some(engine) = Engine::empty() else { return };
    let all: Vec<Child> = (0..4).map(|_| spawn(&engine, "run --rm host echo here")).collect();
    for child in all {
        assert_eq!(await_end(child, "run".to_owned()).ok(), "here");
    }
    assert_eq!(engine.call("images -q").ok().lines().count(), 1);
}

#[test]
fn listing_and_removing_go_well_beside_starting() {
    let Some(engine) = Engine::new() else { return };
    thread::scope(|scope| {
        let engine = &engine;
        let starts = scope.spawn(move || (0..15).for_each(|_| drop(engine.call("run --rm host true").ok())));
        let named = scope.spawn(move || {
            (0..10).for_each(|_| {
                engine.call("run --name web host true").ok();
                engine.call("rm web").ok();
            })
        });
        while !starts.is_finished() || !named.is_finished() {
            for line in ["ps -a", "images", "info"] {
                let done = engine.call(line);
                assert_eq!((done.code, done.err().as_str()), (0, ""), "{line}");
            }
        }
    });
    eventually("all are gone", || engine.ids().is_empty());
}

#[test]
fn the_same_archive_is_imported_by_several_at_once() {
    let Some(engine) = Engine::empty() else { return };
    let file = engine.file("archive.tar", crate::tars::root());
    let all: Vec<Child> =
        (0..4).map(|number| spawn(&engine, &format!("import {} web:{number}", file.display()))).collect();
    for child in all {
        await_end(child, "import".to_owned()).ok();
    }
    assert_eq!(engine.call("images -q").ok().lines().count(), 4);
    assert_eq!(names(&engine.root().join("layers")).len(), 1);
    assert_eq!(engine.call("run --rm web:3 echo works").ok(), "works");
}
