//! `commit`: what a container changed becomes an image.

use mini_cgroups::{Cgroup, Layout};
use mini_sys::signal::Signal;
use serde_json::Value;

use crate::harness::{Engine, eventually, kill};
use crate::tars;

/// An engine with the image `base`, which says how it is to be run.
fn engine() -> Option<Engine> {
    let engine = Engine::empty()?;
    let changes = ["-c", "ENV WHO=image", "-c", "EXPOSE 80", "-c", "LABEL of=base", "-", "base"];
    engine.feed("import", &changes, tars::root()).ok();
    Some(engine)
}

/// The configuration of an image, as it is stored.
fn config(engine: &Engine, name: &str) -> Value {
    let id = engine.inspect(name, ".Id");
    let blob = engine.root().join("images/blobs/sha256").join(id.trim_start_matches("sha256:"));
    serde_json::from_slice(&std::fs::read(blob).unwrap()).unwrap()
}

/// The names in an image's topmost layer.
fn top_layer(engine: &Engine, name: &str) -> Vec<String> {
    let config = config(engine, name);
    let diff_id =
        config["rootfs"]["diff_ids"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    let blob = engine.root().join("images/blobs/sha256").join(diff_id.trim_start_matches("sha256:"));
    let mut archive = tar::Archive::new(std::fs::File::open(blob).unwrap());
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
}

#[test]
fn the_image_has_the_changes_and_runs_as_the_container_did() {
    let Some(engine) = engine() else { return };
    let script = "echo $WHO > /made; echo changed > /data";
    engine.with("run --name web -e WHO=me -w /tmp base sh -c", &[script]).ok();
    let words = [
        "-a",
        "Ada <ada@example.org>",
        "-m",
        "as it was",
        "-c",
        "CMD [\"cat\", \"/made\"]",
        "web",
        "shop/web:2",
    ];
    let id = engine.with("commit", &words).ok();
    assert_eq!(id, engine.inspect("shop/web:2", ".Id"));
    assert_eq!(engine.call("run --rm shop/web:2").ok(), "me");
    let config = config(&engine, "shop/web:2");
    assert_eq!(config["author"], "Ada <ada@example.org>");
    let run = &config["config"];
    assert_eq!(run["Env"], serde_json::json!(["WHO=me"]));
    assert_eq!((run["WorkingDir"].as_str(), run["Labels"]["of"].as_str()), (Some("/tmp"), Some("base")));
    assert!(run["ExposedPorts"]["80/tcp"].is_object(), "{run}");
    let history = config["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1]["created_by"], format!("sh -c {script}"));
    assert_eq!(history[1]["comment"], "as it was");
}

#[test]
fn the_layer_has_nothing_that_was_only_there_to_be_mounted_on() {
    let Some(engine) = engine() else { return };
    engine.with("run --name web --tmpfs /scratch base sh -c", &["echo x > /made"]).ok();
    engine.call("commit web own").ok();
    assert_eq!(top_layer(&engine, "own"), ["./", "made"]);
}

#[test]
fn a_container_that_changed_nothing_adds_no_layer() {
    let Some(engine) = engine() else { return };
    engine.call("run --name idle base true").ok();
    engine.call("commit -c LABEL=x idle").fails(1);
    engine.with("commit -c", &["USER 7", "idle", "seven"]).ok();
    let (old, new) = (config(&engine, "base"), config(&engine, "seven"));
    assert_eq!(old["rootfs"], new["rootfs"]);
    assert_eq!(new["history"][1]["empty_layer"], true);
    assert_eq!(engine.call("run --rm seven id -u").ok(), "7");
    // Without a name it is listed by its id alone.
    let id = engine.call("commit idle").ok();
    assert_eq!(engine.inspect(&id, ".RepoTags"), "[]");
}

#[test]
fn a_running_container_goes_on_after_it_was_committed() {
    let Some(engine) = engine() else { return };
    let script = "echo first > /data; i=0; while true; do i=$((i+1)); echo $i; sleep 0.01; done";
    let id = engine.detached_of("base", "--name web", script);
    eventually("it counts", || engine.call("logs web").out().contains('2'));
    for flags in ["", "--pause=false", "-p"] {
        engine.call(&format!("commit {flags} web snap")).ok();
        let before = engine.call("logs web").out().len();
        eventually("it goes on", || engine.call("logs web").out().len() > before);
    }
    assert_eq!(engine.call("run --rm snap cat /data").ok(), "first");
    assert!(!cgroup(&id).is_frozen().unwrap_or(false));
}

fn cgroup(id: &str) -> Cgroup {
    Cgroup::open(&Layout::detect().unwrap(), &format!("mini-docker/{id}")).unwrap()
}

#[test]
fn a_container_that_stood_still_before_does_so_after() {
    let Some(engine) = engine() else { return };
    let id = engine.detached_of("base", "--name web", "echo x > /made; echo ready; sleep 1000");
    eventually("the file is made", || engine.call("logs web").out().contains("ready"));
    if cgroup(&id).freeze().is_err() {
        crate::needs::need("a cgroup freezer", false);
        return;
    }
    engine.call("commit web snap").ok();
    assert!(cgroup(&id).is_frozen().unwrap());
    cgroup(&id).thaw().unwrap();
    assert_eq!(top_layer(&engine, "snap"), ["./", "made"]);
}

#[test]
fn a_container_goes_on_when_its_commit_is_killed() {
    let Some(engine) = engine() else { return };
    // A large tree takes a while to read.
    let id = engine.detached_of("base", "--name web", "echo ready; sleep 1000");
    // From here on it writes nothing, so its log stays as it is.
    eventually("it is ready", || engine.call("logs web").out() == "ready\n");
    let upper = engine.root().join("containers").join(&id).join("upper/large");
    std::fs::File::create(upper).unwrap().set_len(4 << 30).unwrap();
    let Ok(is_frozen) = cgroup(&id).is_frozen() else {
        crate::needs::need("a cgroup freezer", false);
        return;
    };
    assert!(!is_frozen);
    let before = engine.listing();
    let mut commit = engine.command("commit web snap", &[] as &[&str]).spawn().unwrap();
    eventually("it is paused", || cgroup(&id).is_frozen().unwrap());
    kill(commit.id() as i32, Signal::SIGKILL);
    commit.wait().unwrap();
    eventually("it goes on", || !cgroup(&id).is_frozen().unwrap());
    assert!(engine.call("inspect snap").fails(1).contains("No such object"));
    // The next who brings an image clears away what had been stored so far.
    engine.feed("load", &[] as &[&str], b"nothing").fails(1);
    engine.assert_unchanged(&before, "a killed commit");
}

#[test]
fn what_cannot_be_committed_is_told_and_leaves_nothing() {
    let Some(engine) = engine() else { return };
    engine.with("run --name web base sh -c", &["echo x > /made"]).ok();
    let before = engine.listing();
    let cases: [(&[&str], &str); 6] = [
        (&["nosuch"], "No such container: nosuch"),
        (&["web", "BAD"], "invalid reference format: repository name `BAD` must be lowercase"),
        (&["web", "a b"], "invalid reference format: `a b`"),
        (
            &["web", "host"],
            "cannot commit `web`: `host` is reserved for the image made from this machine's programs: choose another name",
        ),
        (&["-c", "ENV", "web"], "cannot commit `web`: `ENV` needs an argument"),
        (
            &["web", "a@sha256:0000000000000000000000000000000000000000000000000000000000000000"],
            "refusing to create a tag with a digest reference",
        ),
    ];
    for (words, expected) in cases {
        assert_eq!(engine.with("commit", words).fails(1), expected);
        engine.assert_unchanged(&before, expected);
    }
    // A name that a layer cannot hold.
    let upper = engine.root().join("containers").join(&engine.ids()[0]).join("upper");
    std::fs::write(upper.join(".wh.x"), "").unwrap();
    let before = engine.listing();
    let message = engine.call("commit web").fails(1);
    assert!(message.contains("pack `.wh.x`: in a layer, a name that begins with `.wh.` means"), "{message}");
    engine.assert_unchanged(&before, "a name that a layer cannot hold");
}
