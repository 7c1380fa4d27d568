//! `logs`: what a container has written, to which stream and when.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::harness::{Engine, await_end, exit_code};

#[test]
fn streams_stay_apart_and_in_order() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["echo one; echo two >&2; echo three; printf four"]).ok();
    let done = engine.call("logs web");
    done.ok();
    assert_eq!((done.out(), done.err()), ("one\nthree\nfour".to_owned(), "two\n".to_owned()));
}

#[test]
fn tail_counts_lines_from_the_end() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host seq 2000").ok();
    let tail = |count: &str| engine.call(&format!("logs --tail {count} web")).ok();
    assert_eq!(tail("3"), "1998\n1999\n2000");
    assert_eq!(tail("0"), "");
    assert_eq!((tail("all").lines().count(), tail("9999").lines().count()), (2000, 2000));
    assert_eq!(engine.call("logs --tail=-1 web").ok().lines().count(), 2000);
    assert_eq!(engine.call("logs -n 1 web").ok(), "2000");
    engine.call("logs --tail x web").fails(1);
}

#[test]
fn times_stand_before_lines() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["echo one; echo two >&2"]).ok();
    let done = engine.call("logs -t web");
    done.ok();
    for (line, word) in [(done.out(), "one"), (done.err(), "two")] {
        let (time, text) = line.trim_end().split_once(' ').unwrap();
        assert_eq!(text, word);
        assert!(
            time.len() == "2026-11-23T04:12:13.690446203Z".len() && time.ends_with('Z') && time.contains('T'),
            "{time}"
        );
    }
}

#[test]
fn following_shows_what_comes_and_ends_with_the_container() {
    let Some(engine) = Engine::new() else { return };
    engine.detached(
        "--name web",
        "echo first; while [ ! -e /go ]; do sleep 0.02; done; echo second; echo third >&2",
    );
    let mut child = engine
        .command("logs -f web", &[] as &[&str])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "first");
    let root = format!("/proc/{}/root/go", engine.pid("web"));
    std::fs::write(root, "").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "second");
    assert!(lines.next().is_none());
    let done = await_end(child, "logs -f".to_owned());
    assert_eq!((done.code, done.err().as_str()), (0, "third\n"));
    // One that has ended is shown and that is all.
    assert_eq!(engine.call("logs --follow web").ok(), "first\nsecond");
    assert_eq!(engine.call("logs -f --tail 1 web").err(), "third\n");
}

#[test]
fn following_goes_on_as_long_as_a_policy_starts_the_container_again() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web --restart on-failure:2", "echo again; echo failed >&2; exit 1");
    let done = engine.call("logs -f web");
    assert_eq!(
        (done.ok().as_str(), done.err().as_str()),
        ("again\nagain\nagain", "failed\nfailed\nfailed\n")
    );
}

#[test]
fn following_many_lines_loses_none() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 0.1; seq 20000");
    assert_eq!(engine.call("logs -f web").ok().lines().count(), 20_000);
}

#[test]
fn a_reader_that_goes_away_ends_logs_quietly() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host seq 50000").ok();
    let mut child = engine
        .command("logs web", &[] as &[&str])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = await_end(child, "logs".to_owned());
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}

#[test]
fn the_log_is_dockers_json_file() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["echo '\"quoted\" \\ é'; echo err >&2"]).ok();
    let text = std::fs::read_to_string(engine.inspect("web", ".LogPath")).unwrap();
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (records[0]["log"].as_str(), records[0]["stream"].as_str()),
        (Some("\"quoted\" \\ é\n"), Some("stdout"))
    );
    assert_eq!((records[1]["log"].as_str(), records[1]["stream"].as_str()), (Some("err\n"), Some("stderr")));
    assert!(records.iter().all(|record| record["time"].is_string()));
}

#[test]
fn a_log_cut_off_in_the_middle_of_a_line_is_read_as_far_as_it_goes() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host echo whole").ok();
    let path = engine.inspect("web", ".LogPath");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text += "{\"log\":\"half";
    std::fs::write(path, text).unwrap();
    assert_eq!(engine.call("logs web").ok(), "whole");
    assert_eq!(engine.call("logs -f web").ok(), "whole");
}

#[test]
fn output_of_a_container_in_the_background_is_whole_after_its_end() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "head -c 3000000 /dev/zero | tr '\\0' y; echo; echo end");
    let done = engine.call("logs -f web");
    done.ok();
    assert_eq!(done.stdout.len(), 3_000_000 + "\nend\n".len());
    let mut child = engine.command("logs web", &[] as &[&str]).stdout(Stdio::null()).spawn().unwrap();
    assert_eq!(exit_code(&mut child, || "logs".to_owned()), 0);
}
