//! `ps`: what stands in its columns, which containers are the last, what else selects them.

use serde_json::Value;

use crate::harness::Engine;

/// Three containers, made one after the other: `one` has labels, `two` wrote a file of 2000 bytes, `three` runs.
fn three() -> Option<Engine> {
    let engine = Engine::new()?;
    let tar = crate::tars::root();
    engine.feed("import -c", &["LABEL com.example.my-colour=red size=\"a,b\"", "-", "labelled"], tar).ok();
    engine.call("run --name one labelled true").ok();
    engine.with("run --name two host sh -c", &["head -c 2000 /dev/zero > /file"]).ok();
    engine.detached("--name three --network host", "sleep 1000");
    Some(engine)
}

fn names(engine: &Engine, flags: &str) -> String {
    engine.call(&format!("ps --format {{{{.Names}}}} {flags}")).ok().replace('\n', " ")
}

#[test]
fn the_last_ones_are_counted_whatever_their_status() {
    let Some(engine) = three() else { return };
    for (flags, expected) in [
        ("-n 2", "three two"),
        ("--last 1", "three"),
        ("-l", "three"),
        ("-n 99", "three two one"),
        ("-n -1", "three"),
        ("-l -f status=exited", "two"),
        ("-n 2 -f name=o", "two one"),
    ] {
        assert_eq!(names(&engine, flags), expected, "{flags}");
    }
}

#[test]
fn more_filters_select() {
    let Some(engine) = three() else { return };
    for (filter, expected) in [
        ("network=host", "three"),
        ("network=none", "two one"),
        ("health=none", "three two one"),
        ("health=healthy", ""),
        ("is-task=false", "three two one"),
        ("is-task=true", ""),
        ("isolation=default", "three two one"),
        ("volume=data", ""),
        ("publish=80", ""),
        ("expose=80-90/udp", ""),
        ("NAME=three", "three"),
        ("status=paused", ""),
        ("status=restarting", ""),
        ("status=dead", ""),
    ] {
        assert_eq!(names(&engine, &format!("-a -f {filter}")), expected, "{filter}");
    }
    let done = engine.call("ps -f name");
    assert_eq!(
        done.fails(125),
        "invalid argument \"name\" for \"-f, --filter\" flag: bad format of filter (expected name=value)"
    );
    assert_eq!(
        engine.call("ps -f health=ill").fails(1),
        "invalid filter 'health=ill': invalid value for health (ill): must be one of none, starting, healthy, unhealthy"
    );
}

#[test]
fn sizes_are_what_was_written_and_that_with_the_image() {
    let Some(engine) = three() else { return };
    let size = |flags: &str| engine.call(&format!("ps -a -f name=two {flags}")).ok();
    let table = size("-s");
    assert!(table.lines().next().unwrap().ends_with("SIZE") && table.contains("2kB (virtual "), "{table}");
    assert!(size("--format {{.Size}}").starts_with("2kB (virtual "));
    let json: Value = serde_json::from_str(&size("--format json")).unwrap();
    assert_eq!(json["Size"], "0B", "nobody asked for it");
}

#[test]
fn labels_are_asked_for_by_name_and_head_their_column() {
    let Some(engine) = three() else { return };
    let format =
        "table {{.Names}}\\t{{.Label \"com.example.my-colour\"}}\\t{{upper .State}}\\t{{.Label \"size\"}}";
    assert_eq!(
        engine.with("ps -a --format", &[format]).ok(),
        "NAMES     my colour   STATE     size\nthree                 RUNNING   \ntwo                   EXITED    \n\
         one       red         EXITED    a,b"
    );
}

#[test]
fn a_row_is_every_field_in_json_by_the_alphabet() {
    let Some(engine) = three() else { return };
    let line = engine.call("ps --format json").ok();
    let row: serde_json::Map<String, Value> = serde_json::from_str(&line).unwrap();
    let fields: Vec<&str> = row.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "Command",
            "CreatedAt",
            "HealthStatus",
            "ID",
            "Image",
            "Labels",
            "LocalVolumes",
            "Mounts",
            "Names",
            "Networks",
            "Platform",
            "Ports",
            "RunningFor",
            "Size",
            "State",
            "Status"
        ]
    );
    assert!(row["Platform"].as_str().unwrap().starts_with("linux/"), "{line}");
    assert_eq!((&row["Networks"], &row["HealthStatus"]), (&"host".into(), &"none".into()));
    let own = engine.with("ps --format", &["{{json .}}"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&own).unwrap()["Names"], "three");
}

#[test]
fn the_old_raw_form_is_a_line_a_field() {
    let Some(engine) = three() else { return };
    let raw = engine.call("ps --format raw").ok();
    let fields: Vec<&str> = raw.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        ["container_id", "image", "command", "created_at", "state", "status", "names", "labels", "ports"]
    );
    let quiet = engine.call("ps -q --format raw").ok();
    assert_eq!(quiet, format!("container_id: {}", &engine.inspect("three", ".Id")[..12]));
}

#[test]
fn the_users_own_columns_come_from_dockers_configuration() {
    let Some(engine) = three() else { return };
    let directory = engine.path("docker");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("config.json"), "{\"psFormat\": \"table {{.Names}}\\\\t{{.State}}\"}")
        .unwrap();
    let ps = |words: &[&str]| {
        let mut command = engine.command("ps", words);
        crate::harness::finish(command.env("DOCKER_CONFIG", &directory), None).ok()
    };
    assert_eq!(ps(&[]), "NAMES     STATE\nthree     running");
    assert_eq!(ps(&["--format", "{{.Names}}"]), "three");
    assert_eq!(ps(&["-q"]).len(), 12);
}
