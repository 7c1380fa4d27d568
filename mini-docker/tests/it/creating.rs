//! `create`: all of a container but its process.

use serde_json::{Value, json};

use crate::harness::{Engine, eventually, names};

fn config(engine: &Engine, name: &str) -> Value {
    let text = engine.call(&format!("inspect {name}")).ok();
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

#[test]
fn a_created_container_prints_its_id_and_runs_nothing() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.with("create --name web host sh -c", &["echo hi; exit 3"]).ok();
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let seen = engine.call("ps -a --no-trunc --format {{.ID}}={{.State}}={{.Status}}").ok();
    assert_eq!(seen, format!("{id}=created=Created"));
    assert_eq!(engine.call("ps -q").ok(), "");
    assert_eq!((engine.inspect("web", ".State.Pid"), engine.inspect("web", ".State.StartedAt")), {
        ("0".to_owned(), "0001-01-01T00:00:00Z".to_owned())
    });
    assert_eq!(engine.call("logs web").ok(), "");
    // Nothing has ended and nothing is to be ended: no failures, as with Docker.
    assert_eq!(engine.call("wait web").ok(), "0");
    assert_eq!(engine.call("stop web").ok(), "web");
    assert_eq!(engine.call("exec web true").fails(1), format!("container {id} is not running"));
    assert_eq!(engine.call("start -a web").exits(3), "hi");
    assert_eq!(engine.call("rm web").ok(), "web");
}

#[test]
fn the_file_with_the_id_is_never_written_over_and_goes_with_what_could_not_be_made() {
    let Some(engine) = Engine::new() else { return };
    let file = engine.path("cid");
    let with = |verb: &str, image: &str| {
        engine.with(&format!("{verb} --pull never --cidfile"), &[file.to_str().unwrap(), image, "true"])
    };
    assert_eq!(with("create", "host").ok(), std::fs::read_to_string(&file).unwrap());
    let before = engine.listing();
    let expected = format!(
        "container ID file found, make sure the other container isn't running or delete {}",
        file.display()
    );
    assert_eq!(with("create", "host").fails(1), expected);
    assert_eq!(with("run", "host").fails(125), expected);
    std::fs::remove_file(&file).unwrap();
    with("create", "nosuch:1").fails(1);
    with("run", "nosuch:1").fails(125);
    assert!(!file.exists());
    engine.assert_unchanged(&before, "create with an id file that could not be");
    let nowhere = engine.with("create --cidfile", &["/nosuch/cid", "host", "true"]).fails(1);
    assert!(nowhere.starts_with("failed to create the container ID file /nosuch/cid"), "{nowhere}");
}

#[test]
fn labels_annotations_and_the_rest_stand_where_docker_has_them() {
    let Some(engine) = Engine::new() else { return };
    let labels = engine.file("labels", "# a comment\nfrom=file\nboth=file\n");
    let flags = "create --label both=flag -l empty --annotation a.b=c --annotation x= --domainname example.org --stop-timeout 3 --stop-signal INT --name web --label-file";
    let script = "cat /proc/sys/kernel/domainname";
    engine.with(flags, &[labels.to_str().unwrap(), "host", "sh", "-c", script]).ok();
    let shown = config(&engine, "web");
    assert_eq!(shown["Config"]["Labels"], json!({ "both": "flag", "empty": "", "from": "file" }));
    assert_eq!(shown["HostConfig"]["Annotations"], json!({ "a.b": "c", "x": "" }));
    assert_eq!((&shown["Config"]["StopTimeout"], &shown["Config"]["StopSignal"]), (&json!(3), &json!("INT")));
    assert_eq!(shown["Config"]["Domainname"], "example.org");
    assert_eq!(engine.call("start -a web").ok(), "example.org");
    let id = shown["Id"].as_str().unwrap();
    let bundle = engine.root().join("containers").join(id).join("bundle/config.json");
    let bundle: Value = serde_json::from_slice(&std::fs::read(bundle).unwrap()).unwrap();
    assert_eq!((&bundle["annotations"]["a.b"], &bundle["annotations"]["x"]), (&json!("c"), &json!("")));
}

#[test]
fn only_the_streams_that_are_named_are_attached() {
    let Some(engine) = Engine::new() else { return };
    let script = "echo out; echo err >&2; cat";
    for (flags, out, err) in [
        ("", "out\n", "err\n"),
        ("-a stdout", "out\n", ""),
        ("-a stderr", "", "err\n"),
        ("-a STDOUT -a stderr", "out\n", "err\n"),
        ("-i -a stdin", "", ""),
        ("-i -a stdin -a stdout", "out\ntyped\n", ""),
    ] {
        let done = engine.feed(&format!("run --rm {flags} host sh -c"), &[script], "typed\n");
        assert_eq!(
            (done.exits(0) + "\n", done.err()),
            (out.trim_end().to_owned() + "\n", err.to_owned()),
            "{flags}"
        );
    }
    engine.call("create --name web -a stdout host true").ok();
    let shown = config(&engine, "web");
    let attached = ["AttachStdin", "AttachStdout", "AttachStderr"].map(|name| shown["Config"][name] == true);
    assert_eq!(attached, [false, true, false]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_dockers_words_and_status() {
    let Some(engine) = Engine::new() else { return };
    engine.call("rm -f nosuch").exits(0);
    let before = engine.listing();
    let refusals = [
        ("--rm --restart always", 125, "conflicting options: cannot specify both --restart and --rm"),
        ("--label =x", 125, "invalid label '=x': empty name"),
        ("--no-healthcheck --health-cmd x", 125, "--no-healthcheck conflicts with --health-* options"),
        ("--health-interval -1s", 125, "--health-interval cannot be negative"),
        ("--health-start-period -1s", 125, "--health-start-period cannot be negative"),
        ("--health-retries -1", 125, "--health-retries cannot be negative"),
        ("--health-interval 10us", 1, "Interval in Healthcheck cannot be less than 1ms"),
        ("--health-start-interval 1us", 1, "StartInterval in Healthcheck cannot be less than 1ms"),
    ];
    for (flags, status, words) in refusals {
        assert_eq!(engine.call(&format!("create {flags} host true")).fails(status), words, "{flags}");
        assert_eq!(engine.call(&format!("run {flags} host true")).fails(125), words, "{flags}");
    }
    for (flags, words) in [
        ("--restart often", "unknown policy 'often'"),
        ("--restart always:2", "maximum retry count can only be used with 'on-failure'"),
        ("--restart on-failure:-1", "maximum retry count cannot be negative"),
        ("--restart on-failure:x", "maximum retry count must be an integer"),
        ("-a nowhere", "valid streams are STDIN, STDOUT and STDERR"),
        ("--health-timeout x", "time: invalid duration \"x\""),
    ] {
        let message = engine.call(&format!("create {flags} host true")).fails(125);
        assert!(message.contains(words), "{flags}: {message}");
    }
    assert_eq!(
        engine.call("run -d -a stdout host true").fails(1),
        "conflicting options: cannot specify both --attach and --detach"
    );
    engine.assert_unchanged(&before, "refusals");
}

#[test]
fn a_created_container_with_rm_goes_at_its_end_and_with_a_failed_start() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --rm --name web host true").ok();
    assert_eq!(engine.inspect("web", ".HostConfig.AutoRemove"), "true");
    engine.call("start -a web").ok();
    eventually("it is gone", || engine.ids().is_empty());
    engine.call("create --rm --name web host nosuch").ok();
    engine.call("start web").fails(1);
    eventually("it is gone", || engine.ids().is_empty());
    assert_eq!(names(&engine.root().join("names")), [] as [&str; 0]);
}
