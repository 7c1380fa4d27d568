//! Overlays in the kernel, each made by the probe in a mount namespace that ends with it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mini_layers::{Digest, Layers, Owners, Packing, changes, write_merged_tar, write_tar};

use crate::tars::Tar;

/// Mounts `lower` (topmost first) on a directory of `room`, with `upper` and `work` of it on top where
/// `writable`, and has `lines` obeyed there; returns the answers.
pub(crate) fn show(how: &str, room: &Path, writable: bool, lower: &[PathBuf], lines: &[&str]) -> Vec<String> {
    let mut command = crate::probe();
    command.args(["overlay", how]);
    run(command, room, writable, lower, lines)
}

pub(crate) fn run(
    mut command: std::process::Command,
    room: &Path,
    writable: bool,
    lower: &[PathBuf],
    lines: &[&str],
) -> Vec<String> {
    for name in ["merged", "upper", "work"] {
        fs::create_dir_all(room.join(name)).unwrap();
    }
    command.arg(room.join("merged"));
    if writable {
        command.args([room.join("upper"), room.join("work")]);
    } else {
        command.args(["-", "-"]);
    }
    command.args(lower).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The probe may end before it reads: its own message says why.
    let _ = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(room.join("merged")).unwrap().count(), 0, "the mount is seen outside");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Trees with one file each, and one that all have, which says whose it is; topmost first.
fn trees(room: &Path, count: usize) -> Vec<PathBuf> {
    let tree = |number: usize| {
        let tree = room.join(format!("tree-{number}"));
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join(format!("own-{number}")), "x").unwrap();
        fs::write(tree.join("all"), number.to_string()).unwrap();
        tree
    };
    (0..count).map(tree).collect()
}

#[test]
fn the_topmost_tree_wins_and_writes_go_to_the_upper_one() {
    if !crate::has_overlay() {
        return;
    }
    for how in ["new", "classic"] {
        let room = tempfile::tempdir().unwrap();
        let lower = trees(room.path(), 3);
        let lines = ["read all", "list .", "write all changed", "read all", "remove own-1", "list ."];
        let answers = show(how, room.path(), true, &lower, &lines);
        assert_eq!(answers[..4], ["0", "all own-0 own-1 own-2", "written", "changed"], "{how}");
        assert_eq!(answers[4..], ["removed", "all own-0 own-2"], "{how}");
        assert_eq!(fs::read_to_string(lower[0].join("all")).unwrap(), "0");
        assert_eq!(fs::read_to_string(room.path().join("upper/all")).unwrap(), "changed");
    }
}

#[test]
fn a_hundred_and_twenty_eight_layers_are_mounted_in_both_ways() {
    if !crate::has_overlay() {
        return;
    }
    for how in ["new", "classic"] {
        // A path so long that neither a page nor a text of 255 bytes holds many of them.
        let room = tempfile::tempdir().unwrap();
        let deep = room.path().join("d".repeat(200)).join("e".repeat(200));
        fs::create_dir_all(&deep).unwrap();
        let lower = trees(&deep, 128);
        let answers = show(how, &deep, true, &lower, &["read all", "read own-127", "write new x"]);
        assert_eq!(answers, ["0", "x", "written"], "{how}");
        assert!(deep.join("upper/new").is_file());
    }
}

#[test]
fn paths_may_hold_what_separates_options() {
    if !crate::has_overlay() {
        return;
    }
    for how in ["new", "classic"] {
        let room = tempfile::tempdir().unwrap();
        let odd = room.path().join(r"a:b,c\d=e f");
        fs::create_dir(&odd).unwrap();
        let lower = trees(&odd, 2);
        assert_eq!(show(how, &odd, true, &lower, &["read all", "write new x"]), ["0", "written"], "{how}");
        assert!(odd.join("upper/new").is_file());
    }
}

#[test]
fn without_an_upper_tree_the_mount_is_read_only_however_many_layers_it_has() {
    if !crate::has_overlay() {
        return;
    }
    for (how, count) in [("new", 1), ("new", 2), ("classic", 1), ("classic", 2)] {
        let room = tempfile::tempdir().unwrap();
        let lower = trees(room.path(), count);
        let answers = show(how, room.path(), false, &lower, &["read all", "write all x"]);
        assert_eq!(answers, ["0", "ReadOnlyFilesystem"], "{how} {count}");
    }
}

#[test]
fn what_a_container_changed_becomes_a_layer_that_shows_the_same() {
    if !crate::has_overlay() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let layers = Layers::open(&room.path().join("layers")).unwrap();
    let base =
        Tar::new().dir("etc").file("etc/passwd", b"root").file("etc/gone", b"").dir("old").file("old/x", b"");
    let base = layers.apply(None, None, &base.end()[..], Owners::Keep).unwrap();
    let lines = [
        "write etc/passwd changed",
        "remove etc/gone",
        "remove old",
        "mkdir old",
        "write old/y new",
        "list old",
    ];
    let answers = show("new", room.path(), true, &layers.trees(&base.chain_id).unwrap(), &lines);
    assert_eq!(answers, ["written", "removed", "removed", "made", "written", "y"]);

    let upper = room.path().join("upper");
    let list = changes(&upper, &layers.stack(&base.chain_id).unwrap()).unwrap();
    let list: Vec<String> = list.iter().map(ToString::to_string).collect();
    assert_eq!(list, ["C /etc", "D /etc/gone", "C /etc/passwd", "D /old", "A /old/y"]);

    let mut tar = Vec::new();
    write_tar(&upper, &mut tar, Packing::default()).unwrap();
    let top = layers.apply(Some(&base.chain_id), None, &tar[..], Owners::Keep).unwrap();
    let trees = layers.trees(&top.chain_id).unwrap();
    let other = tempfile::tempdir().unwrap();
    let lines = ["list .", "list etc", "list old", "read etc/passwd", "read old/x"];
    let answers = show("new", other.path(), true, &trees, &lines);
    assert_eq!(answers, ["etc old", "passwd", "y", "changed", "NotFound"]);
}

#[test]
fn a_stack_is_packed_without_a_mount_as_the_kernel_shows_it() {
    if !crate::has_overlay() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let layers = Layers::open(&room.path().join("layers")).unwrap();
    let base = Tar::new()
        .dir("etc")
        .file("etc/passwd", b"root")
        .file("etc/gone", b"")
        .dir("old")
        .file("old/x", b"")
        .link("old/y", "old/x")
        .dir("was")
        .file("was/inside", b"")
        .symlink("link", "etc/passwd");
    let top = Tar::new()
        .dir("etc")
        .file("etc/.wh.gone", b"")
        .file("etc/group", b"x")
        .dir("more")
        .file("more/z", b"");
    let base = layers.apply(None, None, &base.end()[..], Owners::Keep).unwrap();
    let top = layers.apply(Some(&base.chain_id), None, &top.end()[..], Owners::Keep).unwrap();
    let mut trees = layers.trees(&top.chain_id).unwrap();
    let lines = [
        "write etc/passwd changed",
        "remove old",
        "mkdir old",
        "write old/y new",
        "remove was",
        "write was text",
        "remove more/z",
        "pack",
    ];
    let answers = show("new", room.path(), true, &trees, &lines);
    trees.insert(0, room.path().join("upper"));
    let mut tar = Vec::new();
    write_merged_tar(&trees, &["etc", "proc"], &mut tar, Packing::default()).unwrap();
    let mut names: Vec<String> = Vec::new();
    for entry in tar::Archive::new(&tar[..]).entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().display().to_string());
    }
    let expected =
        ["./", "etc/", "etc/group", "etc/passwd", "link", "more/", "old/", "old/y", "proc/", "was"];
    assert_eq!(names, expected);
    // Without what is there at least, it is the same to the byte.
    let mut tar = Vec::new();
    write_merged_tar(&trees, &[], &mut tar, Packing::default()).unwrap();
    assert_eq!(answers.last().unwrap(), &Digest::of(&tar).to_string());
}

#[test]
fn a_missing_tree_is_named() {
    if !crate::has_overlay() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let mut command = crate::probe();
    command.args(["overlay", "new"]).arg(room.path()).args(["-", "-", "/nowhere/a", "/nowhere/b"]);
    let output = command.output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("/nowhere/a"), "{message}");
}
