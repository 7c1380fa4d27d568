//! `system df`: what takes up room.

use serde_json::{Value, json};

use crate::harness::{Engine, names};
use crate::made::{image, layer};

/// The bytes of all blobs.
pub(crate) fn blobs(engine: &Engine) -> u64 {
    let files = names(&engine.root().join("images/blobs/sha256"));
    let length =
        |name: &String| engine.root().join("images/blobs/sha256").join(name).metadata().unwrap().len();
    files.iter().map(length).sum()
}

/// As Docker writes from one thousand to a hundred thousand bytes.
pub(crate) fn kilobytes(bytes: u64) -> String {
    let decimals = if bytes < 10_000 { 3 } else { 2 };
    let text = format!("{:.decimals$}", bytes as f64 / 1000.0);
    format!("{}kB", text.trim_end_matches('0').trim_end_matches('.'))
}

#[test]
fn nothing_takes_no_room() {
    let Some(engine) = Engine::empty() else { return };
    insta::assert_snapshot!(engine.call("system df").ok());
}

#[test]
fn layers_count_once_and_what_containers_need_cannot_be_had_back() {
    let Some(engine) = Engine::empty() else { return };
    let root = crate::tars::root();
    let id = image(&engine, &["used:1"], &[root.clone(), layer("own", &"o".repeat(1000))], &json!({}));
    image(&engine, &["spare:1"], &[root, layer("spare", &"s".repeat(5000))], &json!({}));
    engine.call("run --name old used:1 true").ok();
    engine.with("run -d --name busy used:1 sh -c", &["echo 12345 > /written; sleep 1000"]).ok();
    crate::harness::eventually("it has written", || engine.call("system df").ok().contains("6B"));

    let rows = engine.call("system df --format {{json.}}").ok();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let field = |row: usize, name: &str| rows[row][name].as_str().unwrap().to_owned();
    assert_eq!((field(0, "TotalCount"), field(0, "Active")), ("2".to_owned(), "1".to_owned()));
    let before = blobs(&engine);
    let reclaimable = field(0, "Reclaimable");
    assert_eq!(
        rows[1],
        json!({ "Type": "Containers", "TotalCount": "2", "Active": "1", "Size": "6B", "Reclaimable": "0B (0%)" })
    );

    let long = engine.call("system df -v").ok();
    let sections: Vec<&str> =
        long.lines().filter(|line| line.ends_with("usage:") || line.contains("Build cache")).collect();
    assert_eq!(
        sections,
        [
            "Images space usage:",
            "Containers space usage:",
            "Local Volumes space usage:",
            "Build cache usage: 0B"
        ]
    );
    let line = |start: &str| {
        let line = long.lines().find(|line| line.starts_with(start)).unwrap();
        line.split("  ")
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
    };
    assert_eq!(line("REPOSITORY")[5..], ["SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"]);
    let used = line("used");
    assert_eq!((&used[2], &used[6], &used[7]), (&id[7..19].to_owned(), &"1kB".to_owned(), &"2".to_owned()));
    assert_eq!(line("spare")[6..], ["5kB", "0"]);
    let whole: Value = serde_json::from_str(&engine.call("system df -v --format json").ok()).unwrap();
    assert_eq!((whole["Images"].as_array().unwrap().len(), &whole["Volumes"]), (2, &json!([])));
    let names =
        engine.with("system df -v --format", &["{{range .Containers}}{{.Names}} {{.State}};{{end}}"]).ok();
    assert_eq!(names, "busy running;old exited;");
    engine.call("kill busy").ok();
    // The file of `spare`, and the blobs that no other image has: its layer, its configuration and its manifest.
    engine.call("rmi spare:1").ok();
    let freed = kilobytes(5000 + before - blobs(&engine));
    assert!(reclaimable.starts_with(&format!("{freed} (")), "{reclaimable} is not {freed}");
}
