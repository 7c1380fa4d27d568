//! `ps`: columns, filters, formats.

use crate::harness::Engine;

/// Three containers: `one` has ended with 0, `two` with 3, `three` runs.
fn three() -> Option<Engine> {
    let engine = Engine::new()?;
    engine.call("run --name one host true").ok();
    engine.with("run --name two host sh -c", &["exit 3"]).exits(3);
    engine.detached("--name three", "sleep 1000");
    Some(engine)
}

/// The names that `ps` with these words lists.
fn listed(engine: &Engine, line: &str) -> String {
    engine.call(&format!("ps --format {{{{.Names}}}} {line}")).ok().replace('\n', " ")
}

#[test]
fn the_table_has_dockers_columns() {
    let Some(engine) = three() else { return };
    let id = |name: &str| engine.inspect(name, ".Id")[..12].to_owned();
    let table = engine.call("ps").ok();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0].split("  ").map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>(),
        ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    );
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].starts_with(&format!("{}   host      \"sh -c 'sleep 1000'\"   ", id("three"))),
        "{table}"
    );
    assert!(lines[1].contains(" Up ") && lines[1].ends_with("three"), "{table}");
    let all = engine.call("ps -a").ok();
    let names: Vec<&str> = all.lines().skip(1).map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(names, ["three", "two", "one"], "the last made comes first");
    assert!(all.contains("Exited (3) ") && all.contains("Exited (0) "), "{all}");
    assert_eq!(engine.call("ps -aq").ok(), format!("{}\n{}\n{}", id("three"), id("two"), id("one")));
    let whole = engine.call("ps -q --no-trunc").ok();
    assert_eq!(whole, engine.inspect("three", ".Id"));
    for alias in ["container ls", "container ps", "container list", "ls"] {
        assert_eq!(engine.call(&format!("{alias} -q")).ok(), id("three"));
    }
}

#[test]
fn commands_are_quoted_cut_and_on_one_line() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host sh -c", &["true;\n\"$0\" 'a' # and so on"]);
    let shown = |flags: &str| engine.call(&format!("ps -a {flags} --format {{{{.Command}}}}")).ok();
    // Cut to twenty letters first, then quoted as Go quotes.
    assert_eq!(shown(""), "\"sh -c 'true;\\n\\\"$0\\\" '…\"");
    assert_eq!(shown("--no-trunc"), "\"sh -c 'true;\\n\\\"$0\\\" 'a' # and so on'\"");
}

#[test]
fn each_filter_selects() {
    let Some(engine) = three() else { return };
    let id = engine.inspect("two", ".Id");
    for (filter, expected) in [
        ("", "three"),
        ("-a", "three two one"),
        ("-f status=exited", "two one"),
        ("-f status=running", "three"),
        ("-f status=created", ""),
        ("-f status=exited -f status=running", "three two one"),
        ("-a -f exited=3", "two"),
        ("-f exited=0", "one"),
        ("-a -f name=t", "three two"),
        ("-a -f name=^/?t.*e$", "three"),
        ("-a -f name=^two$", "two"),
        ("-a -f name=one -f name=two", "two one"),
        ("-a -f name=one -f status=running", ""),
        ("-f name=one", ""),
        ("-a -f ancestor=host", "three two one"),
        ("-a -f ancestor=host:latest", "three two one"),
        ("-a -f ancestor=nosuch", ""),
        ("-a -f before=two", "one"),
        ("-a -f since=two", "three"),
        ("-a -f label=colour", ""),
    ] {
        assert_eq!(listed(&engine, filter), expected, "{filter}");
    }
    assert_eq!(listed(&engine, &format!("-a -f id={}", &id[..12])), "two");
    let image = engine.inspect("two", ".Image");
    assert_eq!(listed(&engine, &format!("-a -f ancestor={image}")), "three two one");
    assert_eq!(listed(&engine, &format!("-a -f ancestor={}", &image[7..19])), "three two one");
}

#[test]
fn labels_come_from_the_image() {
    let Some(engine) = Engine::new() else { return };
    let tar = crate::tars::root();
    engine.feed("import -c", &["LABEL colour=red size=\"very large\"", "-", "labelled"], tar).ok();
    engine.call("run --name one labelled true").ok();
    engine.call("run --name two host true").ok();
    for (filter, expected) in [
        ("-a -f label=colour", "one"),
        ("-a -f label=colour=red", "one"),
        ("-a -f label=colour=blue", ""),
        ("-a -f label=colour -f label=nosuch", ""),
    ] {
        assert_eq!(listed(&engine, filter), expected, "{filter}");
    }
    assert_eq!(engine.call("ps -a -f name=one --format {{.Labels}}").ok(), "colour=red,size=very large");
}

#[test]
fn what_is_no_filter_is_refused() {
    let Some(engine) = Engine::new() else { return };
    for (filter, expected) in [
        ("colour=red", "invalid filter 'colour'"),
        (
            "status=asleep",
            "invalid filter 'status=asleep': invalid value for state (asleep): must be one of created, running, \
             paused, restarting, removing, exited, dead",
        ),
        ("exited=x", "invalid filter 'exited=x': strconv.atoi: parsing \"x\": invalid syntax"),
        ("since=nosuch", "No such container: nosuch"),
    ] {
        let message = engine.call(&format!("ps -f {filter}")).fails(1);
        assert_eq!(message.to_lowercase(), expected.to_lowercase());
    }
    assert!(engine.call("ps -f name").err().contains("bad format of filter (expected name=value)"));
}

#[test]
fn formats_are_tables_json_and_templates() {
    let Some(engine) = three() else { return };
    let json = engine.call("ps -a --format json").ok();
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        rows.iter().map(|row| row["Names"].as_str().unwrap()).collect::<Vec<_>>(),
        ["three", "two", "one"]
    );
    for field in [
        "Command",
        "CreatedAt",
        "ID",
        "Image",
        "Labels",
        "LocalVolumes",
        "Mounts",
        "Names",
        "Networks",
        "Ports",
        "RunningFor",
        "Size",
        "State",
        "Status",
    ] {
        assert!(rows[0][field].is_string(), "{field}");
        let table = engine.with("ps -a --format", &[format!("table {{{{.{field}}}}}")]);
        table.ok();
        assert_eq!(table.out().lines().count(), 4, "{field}");
    }
    let format = |text: &str| engine.with("ps -a --format", &[text]).ok();
    assert_eq!(format("{{.Names}}={{.State}}"), "three=running\ntwo=exited\none=exited");
    assert_eq!(format("{{upper .Names}}{{if eq .State \"running\"}} up{{end}}"), "THREE up\nTWO\nONE");
    assert_eq!(
        format("table {{.Names}}\\t{{.State}}"),
        "NAMES     STATE\nthree     running\ntwo       exited\none       exited"
    );
    assert_eq!(
        format("table {{.Names}}\t{{.Networks}}"),
        "NAMES     NETWORKS\nthree     none\ntwo       none\none       none"
    );
    assert_eq!(format("{{json .Names}}"), "\"three\"\n\"two\"\n\"one\"");
    let quiet = engine.call("ps -q --format {{.Names}}");
    assert_eq!(quiet.ok().len(), 12);
    assert!(quiet.err().contains("Ignoring custom format"), "{}", quiet.err());
    for bad in ["{{.Nosuch}}", "{{", "{{nosuch .}}"] {
        let message = engine.with("ps -a --format", &[bad]).fails(1);
        assert!(
            message.starts_with("failed to ") && message.contains(" template: template: :1:2: "),
            "{message}"
        );
    }
}
