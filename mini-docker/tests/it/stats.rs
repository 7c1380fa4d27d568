//! `stats`: what a container uses.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::Engine;

fn row(engine: &Engine, name: &str) -> Value {
    serde_json::from_str(&engine.call(&format!("stats --no-stream --format json {name}")).ok()).unwrap()
}

fn number(row: &Value, field: &str) -> f64 {
    row[field].as_str().unwrap().trim_end_matches('%').parse().unwrap()
}

#[test]
fn a_busy_container_and_an_idle_one_can_be_told_apart() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name busy -m 64m --cpus 0.2", "touch /ready; while :; do :; done");
    engine.detached("--name idle", "sleep 1000 & sleep 1000 & touch /ready; wait");
    for name in ["busy", "idle"] {
        let ready = format!("/proc/{}/root/ready", engine.pid(name));
        while !std::path::Path::new(&ready).exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let (busy, idle) = (row(&engine, "busy"), row(&engine, "idle"));
    assert!(number(&busy, "CPUPerc") > number(&idle, "CPUPerc"), "{busy} {idle}");
    assert!(number(&busy, "CPUPerc") < 100.0, "{busy}");
    let memory = busy["MemUsage"].as_str().unwrap();
    assert!(memory.ends_with(" / 64MiB") && !memory.starts_with("0B"), "{memory}");
    assert!(number(&busy, "MemPerc") > 0.0, "{busy}");
    assert_eq!(idle["PIDs"], "3");
    assert_eq!(idle["NetIO"], "0B / 0B");
    assert_eq!(idle["Name"], "idle");
    let table = engine.call("stats --no-stream").ok();
    let words: Vec<&str> =
        table.lines().next().unwrap().split("  ").filter(|word| !word.is_empty()).collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim()).collect();
    assert_eq!(
        words,
        ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]
    );
    assert_eq!(table.lines().count(), 3);
}

#[test]
fn one_that_does_not_run_uses_nothing_and_is_shown_when_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    let rows = |flags: &str| {
        engine
            .with(
                &format!("stats --no-stream {flags} --format"),
                &["{{.Name}}: {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}"],
            )
            .ok()
    };
    assert_eq!(rows(""), "");
    assert_eq!(rows("-a"), "web: 0.00% 0B / 0B 0");
    assert_eq!(engine.call("stats --no-stream nobody").fails(1), "No such container: nobody");
    let id = engine.inspect("web", ".Id");
    assert_eq!(engine.with("stats -a --no-stream --no-trunc --format", &["{{.ID}}"]).ok(), id);
}

#[test]
fn the_table_is_refreshed_until_nobody_looks() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    let mut child = engine.command("stats --format", &["{{.Name}}"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "\x1b[Hweb \x1b[K");
    assert_eq!(lines.next().unwrap().unwrap(), "\x1b[J\x1b[Hweb \x1b[K");
    drop(lines);
    assert_eq!(crate::harness::exit_code(&mut child, || "stats".to_owned()), 0);
}
