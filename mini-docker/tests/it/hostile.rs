//! Archives that would do harm, by way of `import` and of `load`: each is refused in one line that names the
//! entry, and the state directory is as it was before.

use std::fs;

use mini_layers::Digest;
use serde_json::json;

use crate::harness::Engine;
use crate::tars::Tar;

/// Every hostile archive: what the message must name, and the bytes.
fn archives(canary: &str) -> Vec<(&'static str, Vec<u8>)> {
    let good = || Tar::new().dir("d").file("d/f", b"content");
    let mut all = Vec::new();
    for name in ["../canary", "a/../../canary", "/canary", "//canary", "d/.."] {
        all.push((name, good().file(name, b"harm").end()));
        all.push((name, good().symlink(name, "x").end()));
    }
    let absolute = canary.to_owned();
    for target in ["..", "/", "../../..", ".", "d", absolute.as_str()] {
        all.push(("link/canary", good().symlink("link", target).file("link/canary", b"harm").end()));
        all.push(("link/canary", good().symlink("link", target).dir("link/canary").end()));
        all.push(("link/.wh.canary", good().symlink("link", target).file("link/.wh.canary", b"").end()));
    }
    // A directory that turns into a link after it was used.
    all.push(("d/g", good().symlink("d", "..").file("d/g", b"harm").end()));
    for target in ["../canary", "/etc/passwd", "nosuch", "d", absolute.as_str()] {
        all.push(("hard", good().link("hard", target).end()));
    }
    all.push(("hard", good().symlink("s", "/etc").link("hard", "s/passwd").end()));
    for name in [".wh.", ".wh..", ".wh...", "d/.wh.."] {
        all.push((name, good().file(name, b"").end()));
    }
    all.push(("./", good().symlink("./", "/etc").end()));
    all.push(("d/f/x", good().file("d/f/x", b"").end()));
    let long = good().file("second", &[7; 3000]).end();
    all.push(("second", long[..3000].to_vec()));
    let mut damaged = good().file("second", b"x").end();
    damaged[512 * 3 + 1] ^= 1;
    all.push(("d/f", damaged));
    all
}

fn canary(engine: &Engine) -> String {
    engine.file("canary", "untouched").to_string_lossy().into_owned()
}

#[test]
fn import_refuses_each_by_name_and_leaves_nothing() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let (canary, before) = (canary(&engine), engine.listing());
    for (name, bytes) in archives(&canary) {
        let message = engine.feed("import - web", &[] as &[&str], bytes).fails(1);
        assert!(
            message.starts_with("cannot import `-`: ") && message.contains(&format!("`{name}`")),
            "{name}: {message}"
        );
        engine.assert_unchanged(&before, name);
    }
    assert_eq!(fs::read_to_string(canary).unwrap(), "untouched");
}

#[test]
fn load_refuses_each_by_name_and_leaves_nothing() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let (canary, before) = (canary(&engine), engine.listing());
    for (name, bytes) in archives(&canary) {
        let first = Tar::new().file("first", b"").end();
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&first).to_string(), Digest::of(&bytes).to_string()] }
        });
        let archive = Tar::new()
            .file("config.json", config.to_string().as_bytes())
            .file("first.tar", &first)
            .file("layer.tar", &bytes)
            .file(
                "manifest.json",
                br#"[{"Config":"config.json","RepoTags":["web"],"Layers":["first.tar","layer.tar"]}]"#,
            );
        let file = engine.file("archive.tar", archive.end());
        let message = engine.with("load -i", &[&file]).fails(1);
        assert!(
            message.contains("load the layer `layer.tar`") && message.contains(&format!("`{name}`")),
            "{name}: {message}"
        );
        engine.assert_unchanged(&before, name);
    }
    assert_eq!(fs::read_to_string(canary).unwrap(), "untouched");
}

#[test]
fn a_whiteout_does_not_reach_the_layer_below_through_a_link() {
    let Some(engine) = Engine::empty() else { return };
    // A link of the lower layer is a link of the upper one: its entries must not be followed to the host.
    let lower = crate::tars::root_and(Tar::new().symlink("out", "/"));
    let upper = Tar::new().file("out/.wh.etc", b"").end();
    let diff_ids = [Digest::of(&lower).to_string(), Digest::of(&upper).to_string()];
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let archive = Tar::new()
        .file("config.json", config.to_string().as_bytes())
        .file("a", &lower)
        .file("b", &upper)
        .file("manifest.json", br#"[{"Config":"config.json","RepoTags":["web"],"Layers":["a","b"]}]"#);
    let done = engine.feed("load", &[] as &[&str], archive.end());
    assert!(std::path::Path::new("/etc/passwd").exists());
    if done.code == 0 {
        assert_eq!(engine.call("run --rm web sh -c true").code, 0);
    } else {
        assert!(done.fails(1).contains("`out/.wh.etc`"));
    }
}

#[test]
fn names_in_messages_cannot_drive_the_terminal() {
    let Some(engine) = Engine::empty() else { return };
    let done = engine.feed("import - web", &[] as &[&str], Tar::new().file("../\u{1b}[2J\nrm", b"").end());
    let message = done.fails(1);
    assert!(!message.contains('\u{1b}') && !done.err().trim_end().contains('\n'), "{message:?}");
}

#[test]
fn what_a_program_writes_cannot_make_a_table_lie() {
    let Some(engine) = Engine::new() else { return };
    engine.with("run --name web host echo", &["\u{1b}[2J\ttab\nline"]).ok();
    let table = engine.call("ps -a --no-trunc").ok();
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
}
