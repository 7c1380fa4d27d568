//! Layers that several processes unpack at once, and what is left when one of them is killed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use mini_layers::layers::LayerError;
use mini_layers::{ChangeKind, Digest, Layers, Owners, chain_id, changes};

use crate::looks::looks;
use crate::tars::{Tar, apply, chain};

fn sample() -> Vec<u8> {
    (0..300).fold(Tar::new(), |tar, number| tar.file(&format!("d{}/f{number}", number % 7), b"content")).end()
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn a_layer_is_unpacked_once_and_named_by_its_chain() {
    if !crate::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let layers = Layers::open(directory.path()).unwrap();
    let base_tar = Tar::new().dir("etc").file("etc/passwd", b"root").end();
    let base = layers.apply(None, None, &base_tar[..], Owners::Keep).unwrap();
    assert_eq!((base.chain_id, base.diff_id, base.size), (Digest::of(&base_tar), Digest::of(&base_tar), 4));
    let tree = fs::metadata(layers.diff_path(&base.chain_id)).unwrap().ino();
    // Expected and there: the archive is not even read.
    let again = layers.apply(None, Some(&base.diff_id), &b"not read"[..], Owners::Keep).unwrap();
    let unexpected = layers.apply(None, None, &base_tar[..], Owners::Keep).unwrap();
    assert_eq!((&again, &unexpected), (&base, &base));
    assert_eq!(fs::metadata(layers.diff_path(&base.chain_id)).unwrap().ino(), tree);

    let top_tar = Tar::new().file("etc/.wh.passwd", b"").file("etc/group", b"new").end();
    let top = layers.apply(Some(&base.chain_id), None, &top_tar[..], Owners::Keep).unwrap();
    assert_eq!(top.chain_id, chain_id(Some(&base.chain_id), &Digest::of(&top_tar)));
    assert_eq!(layers.chain(&top.chain_id).unwrap(), vec![top.clone(), base.clone()]);
    assert_eq!(layers.list().unwrap().len(), 2);
    assert!(layers.find_file(&top.chain_id, Path::new("/etc/passwd")).unwrap().is_none());
    let mut group = layers.find_file(&top.chain_id, Path::new("etc/group")).unwrap().unwrap();
    let mut text = String::new();
    group.read_to_string(&mut text).unwrap();
    assert_eq!(text, "new");

    assert!(layers.remove(&top.chain_id).unwrap() && !layers.remove(&top.chain_id).unwrap());
    assert!(matches!(layers.get(&top.chain_id), Err(LayerError::Missing(_))));
    assert_eq!(entries(directory.path()), 1);
}

#[test]
fn a_directory_that_no_entry_describes_looks_as_it_does_below() {
    if !crate::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let layers = Layers::open(directory.path()).unwrap();
    let mut tar = Tar::new();
    (tar.mode, tar.owner) = (Some(0o1777), (5, 6));
    let base = layers.apply(None, None, &tar.dir("tmp").end()[..], Owners::Keep).unwrap();
    let tar = Tar::new().file("tmp/new/file", b"").end();
    let top = layers.apply(Some(&base.chain_id), None, &tar[..], Owners::Keep).unwrap();
    let all = looks(&layers.diff_path(&top.chain_id));
    let (tmp, new) = (&all[Path::new("tmp")], &all[Path::new("tmp/new")]);
    assert_eq!((tmp.mode, tmp.owner, new.mode, new.owner), (0o041_777, (5, 6), 0o040_755, (0, 0)));
}

#[test]
fn another_tar_than_the_expected_one_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let layers = Layers::open(directory.path()).unwrap();
    let (tar, expected) = (Tar::new().end(), Digest::of(b"another"));
    let error = layers.apply(None, Some(&expected), &tar[..], Owners::Mine).unwrap_err();
    let text = format!("layer: expected the diff id `{expected}`, unpacked `{}`", Digest::of(&tar));
    assert_eq!((chain(&error), entries(directory.path())), (text, 0));
    let orphan = layers.apply(Some(&expected), None, &tar[..], Owners::Mine).unwrap_err();
    assert_eq!(chain(&orphan), format!("layer `{expected}` is not unpacked"));
}

#[test]
fn a_tree_that_is_there_already_can_be_adopted() {
    let directory = tempfile::tempdir().unwrap();
    let layers = Layers::open(&directory.path().join("layers")).unwrap();
    let tree = directory.path().join("tree");
    let diff_id = Digest::of(b"vouched for");
    for _ in 0..2 {
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join("file"), "x").unwrap();
        let layer = layers.adopt(None, &tree, &diff_id, 1).unwrap();
        assert!(layers.diff_path(&layer.chain_id).join("file").is_file() && !tree.exists());
    }
    assert_eq!(entries(&directory.path().join("layers")), 1);
}

#[test]
fn processes_that_unpack_the_same_layer_at_once_end_with_one_tree() {
    if !crate::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tar = directory.path().join("tar");
    fs::write(&tar, sample()).unwrap();
    let store = directory.path().join("layers");
    let run = |_| crate::probe().arg("apply").args([&store, &tar]).stdout(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..8).map(run).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert!(output.stdout.starts_with(Digest::of(&sample()).to_string().as_bytes()));
    }
    assert_eq!(entries(&store), 1);
}

#[test]
fn what_a_killed_process_left_is_swept_and_what_a_living_one_makes_is_not() {
    if !crate::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("tar");
    let mode = mini_sys::file::Mode::from_bits_truncate(0o600);
    let fifo = mini_sys::file::FileType::Fifo;
    mini_sys::file::mknodat(mini_sys::file::CWD, &pipe, fifo, mode, (0, 0)).unwrap();
    let store = directory.path().join("layers");
    let mut child = crate::probe().arg("apply").args([&store, &pipe]).stdout(Stdio::null()).spawn().unwrap();
    let mut writer = fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(&sample()[..100_000]).unwrap();
    while !store.is_dir() || entries(&store) == 0 {
        std::thread::yield_now();
    }
    let layers = Layers::open(&store).unwrap();
    assert_eq!(layers.sweep().unwrap(), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((entries(&store), layers.list().unwrap().len()), (1, 0));
    assert_eq!((layers.sweep().unwrap(), entries(&store)), (1, 0));
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing() {
    if !crate::is_root() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let output = crate::probe().arg("full").arg(room.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(lines[0].starts_with("store blobs: write \"") && lines[0].ends_with(": No space left on device"));
    assert_eq!(
        lines[1..],
        ["unpack a layer: make tar entry `large`: write: No space left on device", "0", "0"]
    );
}

#[test]
fn changes_are_listed_as_docker_lists_them() {
    if !crate::is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let layers = Layers::open(&directory.path().join("layers")).unwrap();
    let base = Tar::new()
        .dir("etc")
        .file("etc/passwd", b"root")
        .file("etc/gone", b"")
        .dir("same")
        .dir("old")
        .file("old/x", b"");
    let base = layers.apply(None, None, &base.end()[..], Owners::Keep).unwrap();
    let upper = directory.path().join("upper");
    fs::create_dir(&upper).unwrap();
    let tar = Tar::new()
        .dir("etc")
        .file("etc/passwd", b"changed")
        .file("etc/.wh.gone", b"")
        .dir("same")
        .dir("new")
        .file("new/file", b"")
        .dir("old")
        .file("old/.wh..wh..opq", b"")
        .file("old/y", b"");
    apply(&tar.end(), &upper).unwrap();
    let list = changes(&upper, &layers.stack(&base.chain_id).unwrap()).unwrap();
    let text: Vec<String> = list.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        ["C /etc", "D /etc/gone", "C /etc/passwd", "A /new", "A /new/file", "D /old", "A /old/y"]
    );
    assert_eq!(list[0].kind, ChangeKind::Changed);
}
