//! Health checks.

use serde_json::{Value, json};

use crate::harness::{Engine, eventually, is_alive, names};
use crate::tars::Tar;
use crate::{made, tars};

fn health(engine: &Engine, name: &str) -> Value {
    serde_json::from_str(&engine.with("inspect -f", &["{{json .State.Health}}", name]).ok()).unwrap()
}

fn is(engine: &Engine, name: &str, status: &str) -> bool {
    health(engine, name)["Status"] == status
}

/// The last result.
fn last(engine: &Engine, name: &str) -> Value {
    health(engine, name)["Log"].as_array().and_then(|log| log.last().cloned()).unwrap_or_default()
}

const QUICK: &str = "--health-interval 20ms --health-retries 2";

#[test]
fn it_starts_is_well_falls_ill_and_gets_well() {
    let Some(engine) = Engine::new() else { return };
    let check = "test -e /well && echo fine || { echo ill >&2; exit 4; }";
    let more = ["--health-cmd", check, "host", "sh", "-c", "sleep 1000"];
    engine
        .with(
            &format!("run -d --name web {QUICK} --health-start-period 1h --health-start-interval 20ms"),
            &more,
        )
        .ok();
    assert_eq!(health(&engine, "web")["Status"], "starting");
    eventually("a probe has failed", || last(&engine, "web")["ExitCode"] == 4);
    // It may take its time to start.
    assert_eq!(
        (&health(&engine, "web")["Status"], &health(&engine, "web")["FailingStreak"]),
        (&json!("starting"), &json!(0))
    );
    let suffix = |what: &str| engine.call("ps --format {{.Status}}").ok().ends_with(what);
    assert!(suffix(" (health: starting)"));
    engine.call("exec web touch /well").ok();
    eventually("it is well", || is(&engine, "web", "healthy"));
    assert!(suffix(" (healthy)"));
    assert_eq!(engine.call("ps -q -f health=healthy").ok().lines().count(), 1);
    let probed = last(&engine, "web");
    assert_eq!((&probed["ExitCode"], &probed["Output"]), (&json!(0), &json!("fine\n")));
    let time = |name: &str| probed[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("Start") <= time("End"));
    engine.call("exec web rm /well").ok();
    eventually("it is ill", || is(&engine, "web", "unhealthy"));
    assert!(health(&engine, "web")["FailingStreak"].as_i64().unwrap() >= 2);
    assert!(suffix(" (unhealthy)") && engine.call("ps -q -f health=healthy").ok().is_empty());
    assert_eq!(last(&engine, "web")["Output"], "ill\n");
    eventually("the last five are kept", || health(&engine, "web")["Log"].as_array().unwrap().len() == 5);
    engine.call("exec web touch /well").ok();
    eventually("it is well again", || is(&engine, "web", "healthy"));
    assert_eq!(health(&engine, "web")["FailingStreak"], 0);
    let events = engine.call("events --since 1h --until 0s -f event=health_status --format {{.Action}}").ok();
    assert_eq!(events, "health_status: healthy\nhealth_status: unhealthy\nhealth_status: healthy");
}

#[test]
fn a_probe_that_takes_too_long_cannot_be_run_or_writes_too_much_is_told_so() {
    let Some(engine) = Engine::new() else { return };
    let run = |name: &str, check: &str, flags: &str| {
        let more = ["--health-cmd", check, "host", "sh", "-c", "exec sleep 1000"];
        engine.with(&format!("run -d --name {name} {QUICK} {flags}"), &more).ok();
    };
    run("slow", "echo begun; exec sleep 998", "--health-timeout 50ms");
    eventually("it is ill", || is(&engine, "slow", "unhealthy"));
    let probed = last(&engine, "slow");
    assert_eq!(probed["ExitCode"], -1);
    assert_eq!(probed["Output"], "Health check exceeded timeout (50ms)");
    assert!(engine.call("top slow").ok().matches("sleep 998").count() <= 1);
    run("missing", "nosuch", "");
    eventually("it is ill", || is(&engine, "missing", "unhealthy"));
    assert_eq!(last(&engine, "missing")["ExitCode"], 127);
    run("loud", "head -c 100000 /dev/zero | tr '\\0' x", "");
    eventually("it is well", || is(&engine, "loud", "healthy"));
    assert_eq!(last(&engine, "loud")["Output"].as_str().unwrap().len(), 4096);
    run("binary", "printf 'a\\377b'", "");
    eventually("it is well", || is(&engine, "binary", "healthy"));
    assert_eq!(last(&engine, "binary")["Output"], "a\u{fffd}b");
}

/// An image that looks after itself.
fn image(engine: &Engine, name: &str, check: &Value) {
    let config = json!({ "config": { "Cmd": ["sh", "-c", "exec sleep 1000"], "Healthcheck": check } });
    made::image(engine, &[name], &[tars::root_and(Tar::new())], &config);
}

#[test]
fn an_image_says_how_and_the_user_may_say_otherwise() {
    let Some(engine) = Engine::new() else { return };
    let often = 20_000_000;
    image(&engine, "shell:1", &json!({ "Test": ["CMD-SHELL", "echo $0 of the image"], "Interval": often }));
    image(&engine, "words:1", &json!({ "Test": ["CMD", "nosuch", "x"], "Interval": often, "Retries": 1 }));
    engine.call("run -d --name shell shell:1").ok();
    eventually("it is well", || is(&engine, "shell", "healthy"));
    assert_eq!(last(&engine, "shell")["Output"], "/bin/sh of the image\n");
    engine.call("run -d --name words words:1").ok();
    eventually("it is ill", || is(&engine, "words", "unhealthy"));
    let probed = last(&engine, "words");
    assert_ne!(probed["ExitCode"], 0);
    assert!(probed["Output"].as_str().unwrap().contains("executable file not found in $PATH"), "{probed}");
    engine.call("run -d --name none --no-healthcheck shell:1").ok();
    assert_eq!(health(&engine, "none"), Value::Null);
    assert!(!engine.call("ps -f name=none --format {{.Status}}").ok().contains("health"));
    engine.with("run -d --name other --health-cmd", &["echo mine", "words:1"]).ok();
    eventually("it is well", || is(&engine, "other", "healthy"));
    let seen = engine.with("inspect -f", &["{{json .Config.Healthcheck}}", "other"]).ok();
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!((&seen["Test"], &seen["Interval"]), (&json!(["CMD-SHELL", "echo mine"]), &json!(often)));
}

#[test]
fn nobody_is_probed_who_stands_still_and_nothing_is_left_at_the_end() {
    let Some(engine) = Engine::new() else { return };
    let more = ["--health-cmd", "echo x >> /probes; sleep 0.01 & exit 0", "host", "sleep", "1000"];
    engine.with(&format!("run -d --name web {QUICK} --health-timeout 100ms"), &more).ok();
    eventually("it is well", || is(&engine, "web", "healthy"));
    engine.call("pause web").ok();
    let id = engine.inspect("web", ".Id");
    let probes = engine.root().join("containers").join(&id).join("upper/probes");
    let before = std::fs::read(&probes).unwrap();
    let shown = engine.call("ps --format {{.Status}}").ok();
    assert!(shown.ends_with(" (Paused)"), "{shown}");
    for _ in 0..5 {
        engine.call("ps -a").ok();
    }
    assert_eq!(std::fs::read(&probes).unwrap(), before);
    engine.call("unpause web").ok();
    eventually("it is probed again", || std::fs::read(&probes).unwrap() > before);
    // To have been stopped is no illness.
    assert_eq!(health(&engine, "web")["FailingStreak"], 0);
    let (program, monitor) = (engine.pid("web"), crate::harness::parent(engine.pid("web")));
    let children = || {
        let path = format!("/proc/{monitor}/task/{monitor}/children");
        std::fs::read_to_string(path).unwrap_or_default().split_whitespace().count()
    };
    // The program, and now and then a probe; no dead ones pile up.
    assert!(children() <= 3, "{}", children());
    engine.call("stop -t 0 web").ok();
    assert!(!is_alive(program) && !is_alive(monitor));
    let left = names(std::path::Path::new("/proc")).into_iter().filter(|pid| {
        let environment = std::fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        let root = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        environment.starts_with(b"mini-docker-hc") && root.contains(engine.root().to_str().unwrap())
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn one_that_comes_back_starts_anew() {
    let Some(engine) = Engine::new() else { return };
    let more = ["--health-cmd", "exit 0", "host", "sh", "-c", "sleep 1000"];
    engine.with(&format!("run -d --name web {QUICK}"), &more).ok();
    eventually("it is well", || is(&engine, "web", "healthy"));
    engine.call("stop -t 0 web").ok();
    assert_eq!(health(&engine, "web")["Status"], "healthy");
    engine.call("update --restart always web").ok();
    engine.call("start web").ok();
    eventually("it is well again", || is(&engine, "web", "healthy"));
    let events = engine.call("events --since 1h --until 0s -f event=health_status --format {{.Action}}").ok();
    assert_eq!(events.lines().count(), 2);
}
