//! `export`: a container's file system as a tar, while it runs and after.

use std::collections::BTreeMap;

use crate::harness::{Engine, eventually};
use crate::needs;
use crate::tars::{self, Tar};

/// What a container changes so that every rule of overlay has its case.
const CHANGES: &str =
    "echo new > /tree/changed; rm /tree/gone; rm -r /tree/dir; mkdir /tree/dir; echo x > /tree/dir/new;
    rm -r /tree/was-dir; echo file > /tree/was-dir; ln /tree/changed /tree/second; ln -s changed /tree/link";

/// An engine with the image `layers`, of two layers, the upper with whiteouts of its own.
fn engine() -> Option<Engine> {
    let engine = Engine::empty()?;
    if !needs::program("busybox") {
        return None;
    }
    let more = Tar::new()
        .dir("tree")
        .file("tree/changed", b"old\n")
        .file("tree/gone", b"x")
        .file("tree/hidden", b"x")
        .file("tree/kept", b"kept\n")
        .dir("tree/dir")
        .file("tree/dir/old", b"x")
        .dir("tree/was-dir")
        .file("tree/was-dir/old", b"x");
    engine.feed("import - base", &[] as &[&str], with_tools(more)).ok();
    engine.with("run --name first base sh -c", &["rm /tree/hidden"]).ok();
    engine.call("commit first layers").ok();
    engine.call("rm first").ok();
    Some(engine)
}

fn with_tools(more: Tar) -> Vec<u8> {
    // Tools that change a tree are in busybox, which has no libraries.
    let busybox = std::fs::read("/bin/busybox").or_else(|_| std::fs::read("/usr/bin/busybox")).unwrap();
    let links = ["rm", "mkdir", "ln"];
    let tar = Tar::new().executable("usr/bin/busybox", &busybox);
    let tar = links.iter().fold(tar, |tar, name| tar.symlink(&format!("usr/bin/{name}"), "busybox"));
    tars::root_and(tar.raw(&more.end()))
}

/// Each name of an archive with its type and content (or where it leads).
fn look(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let target = entry.link_name().unwrap().map(|target| target.display().to_string());
        let content =
            if entry.size() < 100 { std::io::read_to_string(&mut entry).unwrap() } else { String::new() };
        (name, format!("{:?} {}", entry.header().entry_type(), target.unwrap_or(content)))
    });
    entries.collect()
}

fn exported(engine: &Engine, name: &str) -> Vec<u8> {
    let done = engine.call(&format!("export {name}"));
    assert_eq!(done.code, 0, "{}", done.err());
    done.stdout
}

#[test]
fn the_tree_is_as_the_container_sees_it_running_or_not() {
    let Some(engine) = engine() else { return };
    engine.with("run -d --name web layers sh -c", &[&format!("{CHANGES}; echo ready; sleep 1000")]).ok();
    eventually("the container has made its changes", || engine.call("logs web").out().contains("ready"));
    let running = exported(&engine, "web");
    let tree = look(&running);
    let of_tree: Vec<String> = tree
        .iter()
        .filter(|(name, _)| name.starts_with("tree"))
        .map(|(name, what)| format!("{name} {}", what.trim()))
        .collect();
    insta::assert_snapshot!(of_tree.join("\n"));
    // What the runtime mounted is not there, and what it was mounted on is empty.
    for name in ["proc", "dev", "sys"] {
        let inside: Vec<_> = tree.keys().filter(|path| path.starts_with(&format!("{name}/"))).collect();
        assert_eq!(inside, [&format!("{name}/")]);
    }
    engine.call("kill web").ok();
    eventually("the container has ended", || engine.inspect("web", ".State.Status") == "exited");
    assert!(exported(&engine, "web") == running, "the tree is another one after the end");
}

#[test]
fn what_was_exported_is_imported_and_runs() {
    let Some(engine) = engine() else { return };
    engine.with("run --name web layers sh -c", &[CHANGES]).ok();
    let file = engine.path("web.tar");
    engine.with("export web -o", &[&file]).ok();
    engine.with("import", &[file.to_str().unwrap(), "flat"]).ok();
    assert_eq!(
        engine.call("run --rm flat cat /tree/second /tree/was-dir /tree/kept").ok(),
        "new\nfile\nkept"
    );
}

#[test]
fn a_container_that_never_ran_has_directories_to_mount_on() {
    let Some(engine) = Engine::empty() else { return };
    engine.feed("import - empty", &[] as &[&str], Tar::new().dir("data").end()).ok();
    engine.call("run --name never empty /nosuch").fails(127);
    let names: Vec<String> = look(&exported(&engine, "never")).into_keys().collect();
    assert!(
        ["./", "data/", "dev/", "proc/", "sys/"].iter().all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
}

#[test]
fn what_cannot_be_exported_leaves_no_file() {
    let Some(engine) = Engine::empty() else { return };
    let path = engine.path("none.tar");
    assert_eq!(engine.with("export nosuch -o", &[&path]).fails(1), "No such container: nosuch");
    engine.feed("import - web", &[] as &[&str], tars::root()).ok();
    engine.call("run --name web web true").ok();
    assert!(engine.call("export web -o /dev/null").fails(1).contains("it is no regular file"));
    let directory = engine.root().join("layers");
    let layer = crate::harness::names(&directory).pop().unwrap();
    std::fs::rename(directory.join(&layer), engine.path("away")).unwrap();
    let message = engine.with("export web -o", &[&path]).fails(1);
    assert_eq!(message, format!("cannot export `web`: layer `sha256:{layer}` is not unpacked"));
    assert!(!path.exists());
    std::fs::rename(engine.path("away"), directory.join(&layer)).unwrap();
}
