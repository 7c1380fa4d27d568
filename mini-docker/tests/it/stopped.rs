//! `container prune`, `system prune`, `port`: what they ask, what they remove, what they leave.

use crate::harness::Engine;

/// `old` has ended and wrote 4000 bytes, `red` has ended and has a label, `web` runs.
fn three() -> Option<Engine> {
    let engine = Engine::new()?;
    let tar = crate::tars::root();
    engine.feed("import -c", &["LABEL colour=red", "-", "labelled"], tar).ok();
    engine.with("run --name old host sh -c", &["head -c 4000 /dev/zero > /file"]).ok();
    engine.call("run --name red labelled true").ok();
    engine.detached("--name web", "sleep 1000");
    Some(engine)
}

fn names(engine: &Engine) -> String {
    engine.call("ps -a --format {{.Names}}").ok().replace('\n', " ")
}

#[test]
fn containers_go_when_the_answer_is_yes() {
    let Some(engine) = three() else { return };
    let ids = ["old", "red"].map(|name| engine.inspect(name, ".Id"));
    let question =
        "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ";
    for answer in ["", "n\n", "yes please\n"] {
        assert_eq!(
            engine.feed("container prune", &[] as &[&str], answer).ok(),
            question.trim_end_matches('\n')
        );
    }
    assert_eq!(names(&engine), "web red old");
    let done = engine.feed("container prune", &[] as &[&str], "y\n").ok();
    let rest = done.strip_prefix(question).unwrap();
    let mut lines: Vec<&str> = rest.lines().collect();
    assert_eq!((lines.remove(0), lines.pop()), ("Deleted Containers:", Some("Total reclaimed space: 4kB")));
    lines.retain(|line| !line.is_empty());
    lines.sort_unstable();
    let mut expected = ids.clone();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(names(&engine), "web");
    assert_eq!(engine.call("container prune -f").ok(), "Total reclaimed space: 0B");
}

#[test]
fn filters_choose_which_go() {
    let Some(engine) = three() else { return };
    for filter in ["label=nosuch", "until=24h", "label=colour=blue", "until=2000-01-01"] {
        assert_eq!(
            engine.call(&format!("container prune -f --filter {filter}")).ok(),
            "Total reclaimed space: 0B",
            "{filter}"
        );
    }
    engine.call("container prune -f --filter label=colour=red").ok();
    assert_eq!(names(&engine), "web old");
    engine.call("container prune -f --filter label!=colour --filter until=2100-01-01").ok();
    assert_eq!(names(&engine), "web");
    assert_eq!(engine.call("container prune -f --filter foo=bar").fails(1), "invalid filter 'foo'");
    assert!(engine.call("container prune -f --filter until=xx").fails(1).contains("until=xx"));
    engine.call("container prune -f --filter foo").fails(125);
}

#[test]
fn nothing_is_taken_away_that_is_being_started() {
    let Some(engine) = Engine::new() else { return };
    let mut starting: Vec<_> = (0..3)
        .map(|number| {
            let mut shell = std::process::Command::new("sh");
            let script = "for i in 1 2 3 4 5 6 7 8; do $0 --root $1 run --rm host echo $2 || exit 1; done";
            shell
                .args(["-c", script])
                .arg(crate::harness::binary())
                .arg(engine.root())
                .arg(number.to_string());
            shell.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    while starting.iter_mut().any(|shell| shell.try_wait().unwrap().is_none()) {
        engine.call("container prune -f").ok();
    }
    for mut shell in starting {
        assert!(shell.wait().unwrap().success());
    }
}

#[test]
fn a_container_whose_record_is_damaged_is_left_for_its_owner() {
    let Some(engine) = three() else { return };
    let id = engine.inspect("old", ".Id");
    let record = engine.root().join("containers").join(&id).join("record.json");
    let before = std::fs::read(&record).unwrap();
    std::fs::write(&record, "{").unwrap();
    engine.call("container prune -f").ok();
    assert!(record.exists() && engine.ids().len() == 2);
    std::fs::write(&record, before).unwrap();
}

#[test]
fn everything_unused_goes_and_is_listed_before() {
    let Some(engine) = three() else { return };
    insta::assert_snapshot!(
        ["", "-a --volumes", "-a --filter label=x --filter until=24h"]
            .map(|flags| engine.feed(&format!("system prune {flags}"), &[] as &[&str], "n\n").out())
            .join("\n---\n")
    );
    assert_eq!(
        engine.call("system prune -f --volumes --filter until=1h").fails(1),
        "the \"until\" filter is not supported with \"--volumes\""
    );
    assert_eq!(names(&engine), "web red old");
    let done = engine.call("system prune -f").ok();
    assert!(done.starts_with("Deleted Containers:\n") && !done.contains("Deleted Images"), "{done}");
    assert!(done.ends_with("Total reclaimed space: 4kB"), "{done}");
    let done = engine.call("system prune -af").ok();
    assert!(done.starts_with("Deleted Images:\nuntagged: labelled:latest\n"), "{done}");
    assert_eq!(engine.call("images --format {{.Repository}}").ok(), "host", "what runs keeps its image");
    assert_eq!(names(&engine), "web");
}

#[test]
fn a_container_that_publishes_nothing_has_no_ports() {
    let Some(engine) = three() else { return };
    assert_eq!(engine.call("port web").ok(), "");
    assert_eq!(engine.call("container port web 80").fails(1), "No public port '80' published for web");
    assert_eq!(engine.call("port web 80/udp").fails(1), "No public port '80/udp' published for web");
    assert_eq!(engine.call("port web x/tcp").fails(1), "invalid port (x)");
    assert_eq!(engine.call("port nosuch").fails(1), "No such container: nosuch");
}
