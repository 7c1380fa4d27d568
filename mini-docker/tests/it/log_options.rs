//! `--log-driver` and `--log-opt`: where output goes, how much of it is kept, what stands beside it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use mini_engine::config::LogConfig;
use mini_engine::{Config, Create, Home, HostConfig};
use serde_json::Value;

use crate::harness::{self, Engine, await_end, names};
use crate::needs;

/// Lines of 100 bytes as they are in the file, more or less.
const ROTATED: &str = "--log-opt max-size=20k --log-opt max-file=3";

fn numbers(text: &str) -> Vec<u32> {
    text.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_log_is_rotated_and_read_across_its_files() {
    let Some(engine) = Engine::new() else { return };
    engine.call(&format!("run --name web {ROTATED} host seq 1500")).ok();
    let directory = std::path::PathBuf::from(engine.inspect("web", ".LogPath"));
    let mut logs = names(directory.parent().unwrap());
    logs.retain(|name| name.starts_with("log"));
    logs.sort();
    assert_eq!(logs, ["log.json", "log.json.1", "log.json.2"]);
    let read = numbers(&engine.call("logs web").ok());
    assert!(read.len() < 1000, "the oldest are gone: {}", read.len());
    assert_eq!(read, (1501 - read.len() as u32..=1500).collect::<Vec<_>>());
    assert_eq!(numbers(&engine.call("logs -n 400 web").ok()), (1101..=1500).collect::<Vec<_>>());
    assert_eq!(engine.inspect("web", "index .HostConfig.LogConfig.Config \"max-file\""), "3");
}

#[test]
fn following_goes_over_rotations_and_loses_no_line() {
    let Some(engine) = Engine::new() else { return };
    let script =
        "for i in 1 2 3 4 5 6 7 8 9; do seq ${i}000 ${i}199; while [ ! -e /go$i ]; do sleep 0.01; done; done";
    engine.detached(&format!("--name web {ROTATED}"), script);
    let mut child = engine
        .command("logs -f web", &[] as &[&str])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let root = format!("/proc/{}/root", engine.pid("web"));
    for part in 1..=9 {
        for number in 0..200 {
            assert_eq!(lines.next().unwrap().unwrap(), (part * 1000 + number).to_string());
        }
        std::fs::write(format!("{root}/go{part}"), "").unwrap();
    }
    assert!(lines.next().is_none());
    assert_eq!(await_end(child, "logs -f".to_owned()).code, 0);
}

#[test]
fn compressed_logs_are_read_too() {
    let Some(engine) = Engine::new() else { return };
    engine.call(&format!("run --name web {ROTATED} --log-opt compress=true host seq 800")).ok();
    let directory = std::path::PathBuf::from(engine.inspect("web", ".LogPath"));
    assert!(names(directory.parent().unwrap()).iter().any(|name| name.ends_with(".gz")));
    let read = numbers(&engine.call("logs web").ok());
    assert_eq!(read, (801 - read.len() as u32..=800).collect::<Vec<_>>());
    assert!(read.len() > 300, "{}", read.len());
}

#[test]
fn details_are_the_labels_and_variables_that_were_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine
        .with("run --name web -e COLOUR=red&blue -e OTHER=x -e LC_ALL=C host echo hello", &[] as &[&str])
        .ok();
    assert_eq!(engine.call("logs --details web").out(), " hello\n");
    let flags = "--log-opt env=COLOUR,NONE --log-opt env-regex=^LC_ --log-opt tag={{.Name}}/{{.ImageName}}";
    engine
        .call(&format!("run --name api {flags} -e COLOUR=red&blue -e OTHER=x -e LC_ALL=C host echo hello"))
        .ok();
    assert_eq!(engine.call("logs --details api").out(), "COLOUR=red%26blue,LC_ALL=C,tag=api%2Fhost hello\n");
    assert_eq!(engine.call("logs api").out(), "hello\n");
    let timed = engine.call("logs -t --details api").ok();
    assert!(timed.ends_with("Z COLOUR=red%26blue,LC_ALL=C,tag=api%2Fhost hello"), "{timed}");
}

#[test]
fn moments_bound_what_is_shown() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["for i in 1 2 3; do echo $i; sleep 0.02; done"]).ok();
    let timed = engine.call("logs -t web").ok();
    let time = |line: usize| timed.lines().nth(line).unwrap().split_once(' ').unwrap().0.to_owned();
    let logs = |flags: &str| engine.call(&format!("logs {flags} web")).ok();
    assert_eq!(logs(&format!("--since {}", time(1))), "2\n3");
    assert_eq!(logs(&format!("--until {}", time(1))), "1\n2");
    assert_eq!(logs(&format!("--since {0} --until {0}", time(1))), "2");
    assert_eq!(logs("--since 1h"), "1\n2\n3");
    assert_eq!(logs("--until 1h30m"), "");
    assert_eq!(logs(&format!("--tail 2 --until {}", time(1))), "2");
    assert_eq!(logs("--since 1700000000.5"), "1\n2\n3");
    assert_eq!(
        engine.call("logs --since yesterday web").fails(1),
        "invalid value for \"since\": failed to parse value as time or duration: \"yesterday\""
    );
}

#[test]
fn following_ends_at_the_moment_that_was_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "echo one; sleep 1000");
    let soon = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_millis(300)).unwrap();
    let done = engine.call(&format!("logs -f --until {soon} web"));
    done.ok();
    assert!(["one\n", ""].contains(&done.out().as_str()), "{}", done.out());
}

#[test]
fn without_a_log_there_is_nothing_to_read() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(engine.call("run --name web --log-driver none host echo seen").ok(), "seen");
    assert_eq!(engine.call("logs web").fails(1), "configured logging driver does not support reading");
    assert_eq!(engine.inspect("web", ".HostConfig.LogConfig.Type"), "none");
}

#[test]
fn wrong_options_make_no_container() {
    let Some(engine) = Engine::new() else { return };
    for (flags, message) in [
        ("--log-driver syslog", "error looking up logging plugin syslog: plugin \"syslog\" not found"),
        ("--log-opt max-lines=3", "unknown log opt 'max-lines' for json-file log driver"),
        ("--log-driver none --log-opt max-size=3", "invalid logging opts for driver none"),
        ("--log-opt max-size=3x", "failed to initialize logging driver: invalid size: '3x'"),
    ] {
        assert_eq!(engine.call(&format!("run {flags} host true")).fails(125), message);
    }
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn the_engine_itself_refuses_a_log_that_it_cannot_keep() {
    let Some(engine) = Engine::new() else { return };
    let home = Home::new(engine.root());
    let image = home.images().unwrap().find("host").unwrap();
    let log_config = LogConfig { r#type: "syslog".to_owned(), ..LogConfig::default() };
    let host_config = HostConfig { log_config, ..HostConfig::default() };
    let request = Create { name: None, image, config: Config::default(), host_config };
    let refused = mini_engine::create(&home, request).unwrap_err().to_string();
    assert_eq!(refused, "error looking up logging plugin syslog: plugin \"syslog\" not found");
    assert_eq!(engine.ids(), [""; 0]);
}

#[test]
fn a_container_whose_log_cannot_be_opened_does_not_start() {
    let Some(engine) = Engine::new() else { return };
    engine.with("create --name web host sh -c", &["echo seen"]).ok();
    let log = engine.inspect("web", ".LogPath");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let failed = engine.call("start web").fails(1);
    let why = format!("failed to initialize logging driver: open {log}: Is a directory");
    assert!(failed.ends_with(&why), "{failed}");
    assert_eq!(engine.inspect("web", ".State.Status"), "created");
    assert_eq!(engine.inspect("web", ".State.Error"), why);
    std::fs::remove_dir(&log).unwrap();
    assert_eq!(engine.call("start -a web").ok(), "seen");
    assert_eq!(engine.call("logs web").ok(), "seen");
}

#[test]
fn the_machines_journal_gets_what_a_container_says() {
    const SOCKET: &str = "/run/systemd/journal/socket";
    let Some(engine) = Engine::new() else { return };
    if std::path::Path::new(SOCKET).exists() {
        engine.call("run --name web --log-driver journald host echo hello").ok();
        let failed = engine.call("logs web").fails(1);
        assert_eq!(failed, "configured logging driver does not support reading");
        return;
    }

    let failed = engine.call("run --log-driver journald host true").fails(125);
    assert_eq!(failed, "failed to initialize logging driver: journald is not enabled on this host");
}

/// systemd's own journal, in a mount namespace with a `/run` of its own, so that the machine's is not touched.
#[test]
fn a_real_journal_keeps_what_a_container_says() {
    const JOURNAL: &str = "/lib/systemd/systemd-journald";
    let Some(engine) = Engine::new() else { return };
    if !needs::need(JOURNAL, std::path::Path::new(JOURNAL).exists()) {
        return;
    }
    // An empty `Audit=` leaves the kernel's auditing as it is.
    let script = format!(
        "set -e
        mount -t tmpfs none /run
        mkdir -p /run/systemd/journald.conf.d
        printf '[Journal]\\nStorage=volatile\\nAudit=\\nReadKMsg=no\\n' > /run/systemd/journald.conf.d/test.conf
        {JOURNAL} > /dev/null 2>&1 &
        trap 'kill $!' EXIT
        until [ -S /run/systemd/journal/socket ]; do sleep 0.01; done
        \"$@\" run --log-driver journald --log-opt tag=told --name web host sh -c 'echo hello; echo oops >&2' > /dev/null 2>&1
        journalctl --sync
        journalctl -D /run/log/journal -o json CONTAINER_NAME=web"
    );
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(harness::binary())
        .arg("--root")
        .arg(engine.root());
    let told = harness::finish(&mut command, None).ok();
    let records: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field =
        |name: &str| -> Vec<&str> { records.iter().map(|record| record[name].as_str().unwrap()).collect() };
    assert_eq!(field("MESSAGE"), ["hello", "oops"]);
    // syslog(3): LOG_INFO and LOG_ERR.
    assert_eq!(field("PRIORITY"), ["6", "3"]);
    assert_eq!(field("CONTAINER_TAG"), ["told", "told"]);
    let id = engine.inspect("web", ".Id");
    assert_eq!(field("CONTAINER_ID_FULL"), [&id, &id]);
}

#[test]
fn a_reader_that_stops_reading_holds_up_no_container() {
    let Some(engine) = Engine::new() else { return };
    engine.detached(
        "--name web",
        "while [ ! -e /go ]; do sleep 0.01; done; seq 200000; touch /done; sleep 1000",
    );
    let mut child = engine.command("logs -f web", &[] as &[&str]).stdout(Stdio::piped()).spawn().unwrap();
    let root = std::path::PathBuf::from(format!("/proc/{}/root", engine.pid("web")));
    std::fs::write(root.join("go"), "").unwrap();
    let start = std::time::Instant::now();
    while !root.join("done").exists() {
        assert!(start.elapsed() < crate::harness::PATIENCE, "the container waits for a reader of its log");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
