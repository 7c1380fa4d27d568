//! `top`: the processes of a container, read from /proc, told as ps(1) tells them.

use crate::harness::{Engine, eventually};

fn two_sleepers() -> Option<Engine> {
    let engine = Engine::new()?;
    engine.with("run -d --name top host sh -c", &["sleep 1000 & exec sleep 2000"]).ok();
    eventually("both run", || engine.call("top top").out().lines().count() == 3);
    Some(engine)
}

#[test]
fn the_processes_are_those_of_the_container() {
    let Some(engine) = two_sleepers() else { return };
    engine.call("exec -d -u 1000 top sleep 500").ok();
    eventually("all three run", || engine.call("top top").out().lines().count() == 4);
    let shown = engine.call("top top").ok();
    let mut lines = shown.lines();
    let heading: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    assert!(shown.starts_with("UID                 PID                 PPID"), "{shown}");
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    let first = engine.pid("top").to_string();
    let row = |command: &str| rows.iter().find(|row| row[7..].join(" ") == command).unwrap();
    assert_eq!((row("sleep 2000")[0], row("sleep 2000")[1]), ("root", first.as_str()));
    assert_eq!(row("sleep 1000")[2], first, "its parent");
    assert_eq!(row("sleep 500")[6], "00:00:00");
    assert_eq!(engine.call("container top top").ok().lines().count(), 4);
}

#[test]
fn the_options_of_ps_choose_columns() {
    let Some(engine) = two_sleepers() else { return };
    let pid = engine.pid("top");
    let shown = engine.call("top top -o pid,user,uid,stat,ni,nlwp,args").ok();
    let row: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, [&pid.to_string(), "root", "0", "Ss", "0", "1", "sleep", "2000"]);
    assert!(engine.call("top top aux").ok().starts_with("USER                PID                 %CPU"));
    // As ps(1) itself says it of the same process.
    if crate::needs::program("ps") {
        for field in ["ppid", "pgid", "sid", "vsz", "rss", "stat", "pri", "psr", "comm", "sz"] {
            let own = engine.call(&format!("top top -o pid,{field}")).ok();
            let own = own.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap().to_owned();
            let ps = std::process::Command::new("ps")
                .args(["-o", &format!("{field}="), "-p"])
                .arg(pid.to_string())
                .output();
            assert_eq!(own, String::from_utf8(ps.unwrap().stdout).unwrap().trim(), "{field}");
        }
    }
}

#[test]
fn what_cannot_be_told_is_an_error_in_the_words_of_docker() {
    let Some(engine) = two_sleepers() else { return };
    assert_eq!(engine.call("top top -o user").fails(1), "Couldn't find PID field in ps output");
    let message = engine.call("top top -o pid,nosuch").fails(1);
    assert_eq!(message, "ps: error: unknown user-defined format specifier \"nosuch\"");
    assert!(engine.call("top top --forest").fails(1).starts_with("ps: error: unsupported option"));
    assert_eq!(engine.call("top nosuch").fails(1), "No such container: nosuch");
    let id = engine.inspect("top", ".Id");
    engine.call("kill top").ok();
    eventually("it has ended", || engine.inspect("top", ".State.Status") == "exited");
    assert_eq!(engine.call("top top").fails(1), format!("container {id} is not running"));
}
