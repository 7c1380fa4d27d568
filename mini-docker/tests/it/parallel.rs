//! Many commands at once.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::{Done, Engine, await_end, eventually, names};
use crate::tars::{self, Tar};

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

#[test]
fn a_container_that_is_being_made_keeps_its_image() {
    let Some(engine) = Engine::empty() else { return };
    let archive = engine.path("web.tar");
    let layer = tars::root_and(Tar::new().file("which", b"web\n"));
    engine.feed("import -", &["web"], layer).ok();
    engine.with("save web -o", &[&archive]).ok();
    let is_over = AtomicBool::new(false);
    let (ran, others) = thread::scope(|scope| {
        let removers = ["image prune -a -f", "rmi -f web"].map(|removal| {
            let (engine, archive, is_over) = (&engine, &archive, &is_over);
            scope.spawn(move || {
                let mut others = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    others.push(engine.with("load -q -i", &[archive]));
                    others.push(engine.call(removal));
                }
                others
            })
        });
        let ran: Vec<Done> = (0..150).map(|_| engine.call("run --rm --pull never web cat /which")).collect();
        is_over.store(true, Ordering::Relaxed);
        (ran, removers.into_iter().flat_map(|remover| remover.join().unwrap()).collect::<Vec<Done>>())
    });
    // It was not there, or no more; the other remover may be faster.
    let is_gone = |message: &str| message == "no image named `web`" || message == "No such image: web";
    for done in others.iter().filter(|done| done.code != 0) {
        assert!(is_gone(&done.fails(1)), "{done:?}");
    }
    let (found, missed): (Vec<_>, Vec<_>) = ran.iter().partition(|done| done.code == 0);
    for done in missed {
        assert!(is_gone(&done.fails(125)), "{done:?}");
    }
    assert!(!found.is_empty(), "no container ever found the image");
    assert!(found.iter().all(|done| done.stdout == b"web\n"));
}
