//! `events`: what happens is told to whoever listens, and kept for a while.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Engine, await_end};
use crate::tars::Tar;

/// An engine in which some things have happened to an image.
fn engine() -> Option<Engine> {
    let engine = Engine::empty()?;
    let tar = engine.file("root.tar", Tar::new().file("etc/motd", b"hello").end());
    engine.with("import", &[tar.to_str().unwrap(), "web:1"]).ok();
    engine.call("tag web:1 web:2").ok();
    engine.with("save -o", &[engine.path("web.tar").to_str().unwrap(), "web:2"]).ok();
    engine.call("rmi web:2").ok();
    engine.call("rmi web:1").ok();
    engine.with("load -i", &[engine.path("web.tar")]).ok();
    Some(engine)
}

fn actions(engine: &Engine, flags: &str) -> Vec<String> {
    let format = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}";
    let until = jiff::Timestamp::now();
    let done = engine.with(&format!("events --until {until} {flags} --format"), &[format]);
    done.ok().lines().map(str::to_owned).collect()
}

#[test]
fn what_has_happened_is_told_afterwards() {
    let Some(engine) = engine() else { return };
    let id = engine.inspect("web:2", ".Id");
    let expected = [
        "image tag web:1".to_owned(),
        format!("image import {id}"),
        "image tag web:2".to_owned(),
        "image save web:2".to_owned(),
        format!("image untag {id}"),
        format!("image untag {id}"),
        format!("image delete {id}"),
        "image load web:2".to_owned(),
    ];
    assert_eq!(actions(&engine, ""), expected);
    assert_eq!(
        actions(&engine, "--filter event=tag --filter event=load --filter type=image"),
        ["image tag web:1", "image tag web:2", "image load web:2"]
    );
    assert_eq!(actions(&engine, "--filter type=container"), [] as [&str; 0]);
    assert_eq!(
        actions(&engine, "--filter image=web"),
        ["image tag web:1", "image tag web:2", "image save web:2", "image load web:2"]
    );
    assert_eq!(actions(&engine, "--since 1h").len(), 8);
    let done = engine.call("system events --since 1h --until 0s --format json").ok();
    let event: Value = serde_json::from_str(done.lines().nth(2).unwrap()).unwrap();
    assert_eq!((event["status"].as_str(), event["id"].as_str()), (Some("tag"), Some(id.as_str())));
    assert_eq!((event["Action"].as_str(), event["scope"].as_str()), (Some("tag"), Some("local")));
    assert_eq!(event["Actor"]["ID"].as_str(), Some(id.as_str()));
    assert_eq!(event["time"].as_i64().unwrap(), event["timeNano"].as_i64().unwrap() / 1_000_000_000);
    let line = engine.call("events --since 1h --until 0s --filter event=load").ok();
    assert!(line.contains(&format!("Z image load {id} (name=web:2)")), "{line}");
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let Some(engine) = engine() else { return };
    let mut child = engine
        .command("events --format", &["{{.Action}} {{.Actor.Attributes.name}}"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // It may begin to listen a moment later: until it does, more happens.
    let (found, done) = (std::sync::atomic::AtomicBool::new(false), &std::sync::atomic::Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !found.load(*done) {
                engine.call("tag web:2 web:3").ok();
            }
        });
        assert_eq!(lines.next().unwrap().unwrap(), "tag web:3");
        found.store(true, *done);
    });
    engine.call("rmi web:3").ok();
    assert!(lines.any(|line| line.unwrap().starts_with("untag ")));
    child.kill().unwrap();
    await_end(child, "events".to_owned());
}

#[test]
fn a_container_tells_its_image_its_name_and_its_labels() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    engine.call("commit -m done web web:1").ok();
    let format = "{{.Type}} {{.From}} {{json .Actor.Attributes}}";
    let done = engine.with("events --since 1h --until 0s --filter event=commit --format", &[format]);
    assert_eq!(done.ok(), r#"container host {"comment":"done","image":"host","name":"web"}"#);
    engine.with("export -o", &[engine.path("web.tar").to_str().unwrap(), "web"]).ok();
    let export =
        engine.call("events --since 1h --until 0s --filter container=web --filter event=export").ok();
    assert!(export.ends_with("(image=host, name=web)"), "{export}");
}

#[test]
fn the_life_of_a_container_is_told_in_order() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --rm --name web --label tier=back host sh -c true").ok();
    let format = "{{.Action}} {{.Actor.Attributes.tier}}";
    let told = engine.with("events --since 1h --until 0s --filter type=container --format", &[format]).ok();
    let mut lines: Vec<&str> = told.lines().collect();
    // Whether the last files are gone when the command ends is not said.
    lines.retain(|line| !line.starts_with("destroy") && !line.starts_with("attach"));
    assert_eq!(lines, ["create back", "start back", "die back"]);
    engine.detached("--name api", "trap 'exit 3' TERM; while :; do sleep 0.05; done");
    engine.call("stop api").ok();
    let filters = "--filter container=api --filter event=kill --filter event=die --filter event=stop";
    let format = "{{.Action}} {{.Actor.Attributes.signal}} {{.Actor.Attributes.exitCode}}";
    let told = engine.with(&format!("events --since 1h --until 0s {filters} --format"), &[format]).ok();
    assert_eq!(told, "kill 15 <no value>\ndie <no value> 3\nstop <no value> <no value>");
    engine.call("image prune -f").ok();
    let pruned = engine.call("events --since 1h --until 0s --filter event=prune").ok();
    assert!(pruned.ends_with("image prune  (reclaimed=0)"), "{pruned}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let engine = Engine::anywhere();
    assert_eq!(engine.call("events --filter colour=red").fails(1), "invalid filter 'colour'");
    engine.call("events --filter colour").fails(125);
    let message = engine.call("events --since 1m --until 2m").fails(1);
    assert!(message.contains("cannot be after `until` time"), "{message}");
    engine.with("events --format", &["{{.Nmae}}"]).fails(1);
}
