//! `inspect`: Docker's JSON of containers and images.

use serde_json::{Value, json};

use crate::harness::{Engine, eventually};
use crate::made::{image, layer, named};

fn inspected(engine: &Engine, line: &str) -> Vec<Value> {
    serde_json::from_str(&engine.call(line).ok()).unwrap()
}

#[test]
fn a_container_has_dockers_fields() {
    let Some(engine) = Engine::new() else { return };
    let flags = "--name web -h box -e A=1 -u 1:2 -w /tmp --stop-signal INT -m 64m --memory-swap 128m --cpus 1.5 -c 512 --cpuset-cpus 0 --pids-limit 50 --read-only --tmpfs /run:size=1m --ulimit nofile=64:128 --init --network none";
    engine.call(&format!("run -d {flags} --entrypoint sleep host 1000")).ok();
    let web = &inspected(&engine, "inspect web")[0];
    assert_eq!(
        (&web["Name"], &web["Path"], &web["Args"]),
        (&json!("/web"), &json!("sleep"), &json!(["1000"]))
    );
    let state = &web["State"];
    assert_eq!(
        (&state["Status"], &state["Running"], &state["ExitCode"], &state["OOMKilled"]),
        (&json!("running"), &json!(true), &json!(0), &json!(false))
    );
    assert_eq!(state["FinishedAt"], "0001-01-01T00:00:00Z");
    for (field, expected) in [
        ("Hostname", json!("box")),
        ("User", json!("1:2")),
        ("WorkingDir", json!("/tmp")),
        ("StopSignal", json!("INT")),
        ("Image", json!("host")),
        ("Tty", json!(false)),
        ("OpenStdin", json!(false)),
        ("Cmd", json!(["1000"])),
        ("Entrypoint", json!(["sleep"])),
        ("Labels", json!({})),
    ] {
        assert_eq!(web["Config"][field], expected, "{field}");
    }
    assert!(web["Config"]["Env"].as_array().unwrap().contains(&json!("A=1")));
    for (field, expected) in [
        ("NetworkMode", json!("none")),
        ("AutoRemove", json!(false)),
        ("ReadonlyRootfs", json!(true)),
        ("Memory", json!(67_108_864)),
        ("MemorySwap", json!(134_217_728)),
        ("NanoCpus", json!(1_500_000_000)),
        ("CpuShares", json!(512)),
        ("CpusetCpus", json!("0")),
        ("PidsLimit", json!(50)),
        ("Tmpfs", json!({"/run": "size=1m"})),
        ("Init", json!(true)),
        ("Privileged", json!(false)),
        ("Ulimits", json!([{"Name": "nofile", "Hard": 128, "Soft": 64}])),
    ] {
        assert_eq!(web["HostConfig"][field], expected, "{field}");
    }
    for file in ["ResolvConfPath", "HostnamePath", "HostsPath", "LogPath"] {
        assert!(std::path::Path::new(web[file].as_str().unwrap()).exists(), "{file}");
    }
    engine.call("kill web").ok();
    eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
    let web = &inspected(&engine, "container inspect web")[0];
    assert_eq!(
        (&web["State"]["Status"], &web["State"]["Pid"], &web["State"]["ExitCode"]),
        (&json!("exited"), &json!(0), &json!(137))
    );
    assert!(
        web["State"]["FinishedAt"].as_str() > web["State"]["StartedAt"].as_str()
            && web["State"]["StartedAt"].as_str() > web["Created"].as_str()
    );
}

#[test]
fn an_image_has_dockers_fields() {
    let Some(engine) = Engine::new() else { return };
    let host = &inspected(&engine, "inspect host")[0];
    assert_eq!((&host["RepoTags"], &host["Os"]), (&json!(["host:latest"]), &json!("linux")));
    assert!(host["Id"].as_str().unwrap().starts_with("sha256:") && host["Size"].as_u64().unwrap() > 100_000);
    assert_eq!(host["Config"]["Cmd"], json!(["sh"]));
    assert_eq!(host["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    assert_eq!(inspected(&engine, "image inspect host:latest")[0], *host);
    assert_eq!(engine.call("image inspect --format {{.Os}}|{{.Author}} host").ok(), "linux|");
}

#[test]
fn an_image_says_where_its_layers_are_and_when_it_got_its_name() {
    let Some(engine) = Engine::empty() else { return };
    let layers = ["1", "2", "3"].map(|content| layer("f", content));
    let more = json!({ "created": "2022-01-01T00:00:00Z", "author": "me", "docker_version": "20.10", "variant": "v3" });
    let id = image(&engine, &["web:1"], &layers, &more);
    let root = engine.root().display().to_string();
    let mut web = inspected(&engine, "inspect --type image web:1").remove(0);
    let data = &web["GraphDriver"]["Data"];
    assert_eq!(data["LowerDir"].as_str().unwrap().split(':').count(), 2);
    assert!(std::path::Path::new(data["UpperDir"].as_str().unwrap()).join("f").exists());
    assert!(web["Metadata"]["LastTagTime"].as_str().unwrap() > "2026");
    web["Metadata"]["LastTagTime"] = "NOW".into();
    insta::assert_snapshot!(
        named(&serde_json::to_string_pretty(&web).unwrap(), &[(&id, "ID")]).replace(&root, "ROOT")
    );
    let nameless = image(&engine, &[], &layers[..1], &json!({}));
    let nameless = &inspected(&engine, &format!("image inspect {nameless}"))[0];
    assert_eq!(
        (&nameless["RepoTags"], &nameless["RepoDigests"], &nameless["Metadata"]["LastTagTime"]),
        (&json!([]), &json!([]), &json!("0001-01-01T00:00:00Z"))
    );
    assert_eq!(nameless["GraphDriver"]["Data"].as_object().unwrap().len(), 1);
}

#[test]
fn several_objects_are_one_list_and_the_missing_one_is_reported() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    let done = engine.call("inspect web nosuch host");
    assert_eq!(done.fails(1), "No such object: nosuch");
    let list: Vec<Value> = serde_json::from_str(&done.out()).unwrap();
    assert_eq!((&list[0]["Name"], &list[1]["RepoTags"]), (&json!("/web"), &json!(["host:latest"])));
    let nothing = engine.call("inspect nosuch");
    assert_eq!((nothing.fails(1).as_str(), nothing.out().trim()), ("No such object: nosuch", "[]"));
    assert_eq!(engine.call("inspect --type container host").fails(1), "No such container: host");
    assert_eq!(engine.call("inspect --type image web").fails(1), "No such image: web");
    let volume = engine.call("inspect --type volume web");
    assert_eq!((volume.fails(1).as_str(), volume.out().trim()), ("get web: no such volume", "[]"));
    assert_eq!(engine.call("inspect --type network web").fails(1), "network web not found");
    let unknown = engine.call("inspect --type blah web");
    assert_eq!(
        (unknown.fails(1).as_str(), unknown.out().as_str()),
        (
            "unknown type: \"blah\": must be one of \"config\", \"container\", \"image\", \"network\", \"node\", \"plugin\", \"secret\", \"service\", \"task\", \"volume\"",
            ""
        )
    );
}

#[test]
fn templates_reach_every_field() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web -e A=1 host sh -c", &["echo 'two  spaces'\nexit 3"]).exits(3);
    let shown = |format: &str| engine.with("inspect -f", &[format, "web"]).ok();
    assert_eq!(shown("{{.State.ExitCode}} {{.State.Status}}"), "3 exited");
    assert_eq!(shown("{{index .Config.Cmd 0}} {{len .Config.Cmd}}"), "sh 3");
    assert_eq!(shown("{{json .Config.Cmd}}"), "[\"sh\",\"-c\",\"echo 'two  spaces'\\nexit 3\"]");
    assert_eq!(shown("{{range .Config.Cmd}}<{{.}}>{{end}}"), "<sh><-c><echo 'two  spaces'\nexit 3>");
    assert_eq!(shown("{{join .Config.Entrypoint \",\"}}|{{.Name}}"), "|/web");
    assert_eq!(serde_json::from_str::<Value>(&shown("json")).unwrap()[0]["Name"], "/web");
    assert_eq!(serde_json::from_str::<Value>(&shown("{{json .}}")).unwrap()["Name"], "/web");
    // Whatever a text holds, it is shown as it is.
    assert_eq!(inspected(&engine, "inspect web")[0]["Config"]["Cmd"][2], "echo 'two  spaces'\nexit 3");
    let text = engine.call("inspect web").ok();
    assert!(text.starts_with("[\n    {\n        \"Id\": "), "{}", &text[..80]);
    for (bad, status, message) in [
        ("{{.Nosuch}}", 1, ":1:2: executing \"\" at <.Nosuch>: map has no entry for key \"Nosuch\""),
        (
            "a\n{{.State.Nosuch}}",
            1,
            ":2:8: executing \"\" at <.State.Nosuch>: map has no entry for key \"Nosuch\"",
        ),
        ("{{", 64, ":1:2: unclosed action"),
    ] {
        let done = engine.with("inspect -f", &[bad, "web"]);
        assert_eq!(done.fails(status), format!("template parsing error: template: {message}"));
    }
}

#[test]
fn what_could_not_be_started_says_why() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host nosuch").fails(127);
    let state = &inspected(&engine, "inspect web")[0]["State"];
    assert_eq!(
        (&state["Status"], &state["ExitCode"], &state["StartedAt"]),
        (&json!("created"), &json!(127), &json!("0001-01-01T00:00:00Z"))
    );
    assert!(state["Error"].as_str().unwrap().contains("executable file not found in $PATH"));
}

/// The fields of an object and of those in it, a line each, with its values where they are the same for everyone.
fn fields(value: &Value, indent: usize, lines: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let shown = match value {
            Value::Object(inner) if !inner.is_empty() => String::new(),
            other => format!(" {other}"),
        };
        lines.push(format!("{}{name}:{shown}", " ".repeat(indent)));
        fields(value, indent + 2, lines);
    }
}

#[test]
fn every_field_of_docker_is_there_in_its_order() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web -h box -w /tmp -e PATH=/bin host true").ok();
    let web = &inspected(&engine, "inspect web")[0];
    let mut lines = Vec::new();
    fields(web, 0, &mut lines);
    let hidden = |line: &String| {
        let name = line.trim_start().split(':').next().unwrap_or_default();
        let varies = ["Id", "ID", "Created", "Image", "LowerDir", "MergedDir", "UpperDir", "WorkDir"]
            .contains(&name)
            || name.ends_with("Path")
            || name.ends_with("At");
        let at = line.find(':').unwrap_or(0);
        if varies && line != "    Image: \"host\"" { format!("{}: …", &line[..at]) } else { line.clone() }
    };
    insta::assert_snapshot!(lines.iter().map(hidden).collect::<Vec<_>>().join("\n"));
}

#[test]
fn sizes_come_when_they_are_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["head -c 3000 /dev/zero > /file"]).ok();
    assert!(inspected(&engine, "inspect web")[0].get("SizeRw").is_none());
    let web = &inspected(&engine, "inspect -s web")[0];
    assert_eq!(web["SizeRw"], 3000);
    assert!(web["SizeRootFs"].as_u64().unwrap() > 100_000);
    let shown = |flags: &str| engine.with(&format!("inspect {flags} --format"), &["{{.SizeRw}}", "web"]).ok();
    assert_eq!((shown("--size").as_str(), shown("").as_str()), ("3000", "<nil>"));
}
