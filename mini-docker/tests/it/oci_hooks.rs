//! Hooks: each at its moment, in its namespaces, told the state; and what their failure does.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};
use crate::harness::eventually;

const MOMENTS: [&str; 6] =
    ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/// A hook that appends a line about itself to `log`: its name, its mount and pid namespaces, and the state.
fn hook(name: &str, log: &Path) -> Value {
    let script = format!(
        "echo $NAME $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/net) $(cat) >> {}",
        log.display()
    );
    // In the container there is another /bin/sh, which is busybox too.
    json!({ "path": "/bin/sh", "args": ["sh", "-c", script], "env": [format!("NAME={name}"), "PATH=/bin:/usr/bin"] })
}

#[test]
fn each_hook_runs_at_its_moment_where_it_belongs() {
    let Some(runtime) = Runtime::new() else { return };
    let log = runtime.path("log");
    fs::write(&log, "").unwrap();
    let bundle = runtime.bundle("bundle", |config| {
        run_script(config, &format!("echo program >> {}; exec sleep 1000", log.display()));
        let hooks: serde_json::Map<String, Value> =
            MOMENTS.iter().map(|name| ((*name).to_owned(), json!([hook(name, &log)]))).collect();
        config["hooks"] = Value::Object(hooks);
        config["root"]["readonly"] = json!(false);
        // The log is seen inside under the same name.
        config["mounts"].as_array_mut().unwrap().push(json!({
            "destination": log, "type": "bind", "source": log, "options": ["bind"]
        }));
    });
    let lines = || -> Vec<String> { fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect() };
    let names = || -> Vec<String> {
        lines().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    runtime.apart(&format!("create -b {} box", bundle.display()));
    assert_eq!(names(), MOMENTS[..3]);
    let pid = runtime.state("box")["pid"].clone();
    runtime.call("start box").ok();
    eventually("its program has begun", || names().contains(&"program".to_owned()));
    eventually("poststart is done", || names().contains(&"poststart".to_owned()));
    let namespace =
        |file: &str| fs::read_link(format!("/proc/{pid}/ns/{file}")).unwrap().display().to_string();
    let (own, host) = (namespace("mnt"), fs::read_link("/proc/self/ns/mnt").unwrap().display().to_string());
    let network = namespace("net");
    runtime.call("kill box KILL").ok();
    eventually("it has stopped", || runtime.status("box") == "stopped");
    runtime.call("delete box").ok();

    for (name, status) in
        MOMENTS.iter().zip(["creating", "creating", "creating", "created", "running", "stopped"])
    {
        let all = lines();
        let line = all.iter().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        let mut words = line.splitn(4, ' ').skip(1);
        let inside = matches!(*name, "createContainer" | "startContainer");
        assert_eq!(words.next().unwrap(), if inside { &own } else { &host }, "{name}");
        assert_eq!(words.next().unwrap() == network, inside, "{name}");
        let state: Value = serde_json::from_str(words.next().unwrap()).unwrap();
        assert_eq!((&state["id"], &state["status"]), (&json!("box"), &json!(status)), "{name}");
        assert_eq!(state["bundle"], json!(bundle));
        if *name != "poststop" {
            assert_eq!(state["pid"], pid, "{name}");
        }
    }
    let order = names();
    let place = |name: &str| order.iter().position(|other| other == name).unwrap();
    assert!(place("startContainer") < place("program"));
    assert_eq!(order.last().map(String::as_str), Some("poststop"));
}

#[test]
fn a_hook_that_fails_before_the_program_prevents_it() {
    let Some(runtime) = Runtime::new() else { return };
    for moment in ["prestart", "createRuntime", "createContainer"] {
        let bundle = runtime.bundle(moment, |config| {
            run_script(config, "echo never");
            config["hooks"] = json!({ moment: [{ "path": "/bin/sh", "args": ["sh", "-c", "exit 3"] }] });
        });
        let message = runtime.call(&format!("create -b {} box", bundle.display())).fails(1);
        assert!(message.contains(moment) && message.contains("exit status: 3"), "{message}");
        assert_eq!(runtime.call("list -q").ok(), "");
    }
}

#[test]
fn a_hook_that_takes_too_long_is_ended() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |config| {
        run_script(config, "echo never");
        config["hooks"] = json!({
            "createRuntime": [{ "path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1 }]
        });
    });
    let message = runtime.call(&format!("create -b {} box", bundle.display())).fails(1);
    assert!(message.contains("/bin/sleep") && message.contains("timed out"), "{message}");
}
