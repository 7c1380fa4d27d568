//! What an honest archive becomes.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use mini_layers::{Packing, write_tar};
use mini_sys::xattr;

use crate::looks::{Look, looks};
use crate::tars::{Tar, apply, chain};

fn applied(tar: &[u8]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    apply(tar, directory.path()).unwrap();
    directory
}

fn look(tree: &tempfile::TempDir, name: &str) -> Look {
    looks(tree.path()).remove(Path::new(name)).unwrap_or_else(|| panic!("no `{name}`"))
}

#[test]
fn every_kind_of_file_arrives_with_its_looks() {
    if !crate::is_root() {
        return;
    }
    let mut tar = Tar::new().dir("./").dir("./bin/");
    (tar.mode, tar.owner, tar.mtime) = (Some(0o4755), (7, 8), 1_500_000_000);
    tar = tar.file("./bin/su", b"setuid");
    tar.mode = Some(0o640);
    tar = tar.symlink("./sh", "bin/su").link("./bin/again", "./bin/su").device(b'3', "null", 1, 3);
    tar = tar.device(b'4', "disk", 8, 0).entry(b'6', b"pipe", b"", b"");
    tar.mode = Some(0o2555);
    let tree = applied(&tar.dir("closed/").file("closed/inside", b"x").end());

    let su = look(&tree, "bin/su");
    assert_eq!((su.mode, su.owner, su.mtime), (0o104_755, (7, 8), (1_500_000_000, 0)));
    assert_eq!(look(&tree, "bin/again").same_as, su.same_as);
    let sh = look(&tree, "sh");
    assert_eq!((sh.content.as_slice(), sh.owner, sh.mtime.0), (&b"bin/su"[..], (7, 8), 1_500_000_000));
    let null = look(&tree, "null");
    assert_eq!((null.mode, null.device), (0o020_640, 0x103));
    assert_eq!(look(&tree, "disk").mode & 0o170_000, 0o060_000);
    let pipe = fs::symlink_metadata(tree.path().join("pipe")).unwrap();
    assert!(pipe.file_type().is_fifo() && pipe.mtime() == 1_500_000_000);
    // Filling the directory did not move its time, and being read-only did not keep it from being filled.
    let closed = look(&tree, "closed");
    assert_eq!((closed.mode, closed.mtime.0), (0o042_555, 1_500_000_000));
}

#[test]
fn missing_parents_are_made_for_everybody_to_read() {
    let tree = tempfile::tempdir().unwrap();
    let how = mini_layers::apply::How { owners: mini_layers::Owners::Mine, whiteouts: true, lower: None };
    let target = fs::File::open(tree.path()).unwrap();
    let tar = Tar::new().file("a/b/c", b"x").end();
    mini_layers::apply::apply(&tar[..], std::os::fd::AsFd::as_fd(&target), how).unwrap();
    assert_eq!(look(&tree, "a/b").mode, 0o040_755);
}

#[test]
fn a_later_entry_replaces_an_earlier_one_whatever_both_are() {
    if !crate::is_root() {
        return;
    }
    let tar = Tar::new()
        .file("a", b"a file first")
        .dir("a")
        .file("a/inside", b"x")
        .dir("b")
        .file("b/deep", b"x")
        .file("b", b"a file at last")
        .symlink("c", "a")
        .file("c", b"not written through the link")
        .file("d", b"long content")
        .file("d", b"short")
        .symlink("e", "a")
        .dir("e")
        .file("e/own", b"x");
    let tree = applied(&tar.end());
    assert_eq!(look(&tree, "a/inside").content, b"x");
    assert_eq!(look(&tree, "b").content, b"a file at last");
    assert_eq!(look(&tree, "c").content, b"not written through the link");
    assert_eq!(look(&tree, "d").content, b"short");
    assert_eq!(look(&tree, "e").mode, 0o040_755);
    assert!(!looks(tree.path()).contains_key(Path::new("a/own")));
}

#[test]
fn whiteouts_become_overlays_own_marks_and_spare_this_layers_files() {
    if !crate::is_root() {
        return;
    }
    let tar = Tar::new()
        .file("gone/.wh.file", b"")
        .file("hidden/.wh..wh..opq", b"")
        .file("first", b"kept")
        .file(".wh.first", b"")
        .file(".wh.second", b"")
        .file("second", b"kept")
        .file(".wh.directory", b"")
        .dir("directory")
        .file(".wh.implied", b"")
        .file("implied/deep/file", b"kept")
        .dir("later")
        .file(".wh.later", b"");
    let tree = applied(&tar.end());
    let mark = fs::symlink_metadata(tree.path().join("gone/file")).unwrap();
    assert!(mark.file_type().is_char_device() && mark.rdev() == 0);
    assert_eq!(
        (look(&tree, "first").content, look(&tree, "second").content),
        (b"kept".into(), b"kept".into())
    );
    // What replaces a removed directory must not show what was in it.
    for name in ["hidden", "directory", "implied", "later"] {
        let opaque = xattr::lget(&tree.path().join(name), c"trusted.overlay.opaque").unwrap();
        assert_eq!(opaque.as_deref(), Some(&b"y"[..]), "{name}");
    }
    assert_eq!(xattr::lget(&tree.path().join("implied/deep"), c"trusted.overlay.opaque").unwrap(), None);
}

#[test]
fn what_the_old_header_cannot_say_is_taken_from_the_extended_one() {
    if !crate::is_root() {
        return;
    }
    let long = format!("{}/{}", "d".repeat(180), "f".repeat(200));
    let tar = Tar::new()
        .pax(&[("path", long.as_bytes()), ("uid", b"3000000000"), ("mtime", b"1700000000.123456789")])
        .file("cut", b"x")
        .pax(&[("linkpath", long.as_bytes())])
        .link("again", "cut")
        .pax(&[("linkpath", "l".repeat(300).as_bytes()), ("mtime", b"-1.5")])
        .symlink("symbolic", "cut")
        .pax(&[("SCHILY.xattr.user.a", b"1\n2\0"), ("SCHILY.xattr.trusted.overlay.redirect", b"/etc")])
        .file("attributes", b"x")
        .entry(b'L', b"././@LongLink", b"", format!("{}\0", "g".repeat(120)).as_bytes())
        .file("cut", b"gnu")
        .entry(b'g', b"pax_global_header", b"", b"20 comment=a commit\n");
    let tree = applied(&tar.end());
    let file = look(&tree, &long);
    assert_eq!((file.owner, file.mtime), ((3_000_000_000, 0), (1_700_000_000, 123_456_789)));
    assert_eq!(look(&tree, "again").same_as, file.same_as);
    let symbolic = look(&tree, "symbolic");
    assert_eq!((symbolic.content.len(), symbolic.mtime), (300, (-2, 500_000_000)));
    assert_eq!(look(&tree, "attributes").xattrs, vec![("user.a".to_owned(), b"1\n2\0".to_vec())]);
    assert_eq!(look(&tree, &"g".repeat(120)).content, b"gnu");
}

#[test]
fn large_ids_may_also_stand_in_the_old_header_in_base_256() {
    if !crate::is_root() {
        return;
    }
    let mut tar = Tar::new();
    tar.owner = (2_000_000_000, 4_000_000_000);
    assert_eq!(look(&applied(&tar.file("a", b"").end()), "a").owner, (2_000_000_000, 4_000_000_000));
}

/// A file of 1 MiB with "begin" at its start and "end" at its end.
fn assert_is_sparse(tree: &tempfile::TempDir, name: &str) {
    let content = look(tree, name).content;
    assert!(content.len() == 1 << 20 && content.starts_with(b"begin") && content.ends_with(b"end"), "{name}");
    assert!(content[5..content.len() - 3].iter().all(|&byte| byte == 0), "{name}");
    let blocks = fs::metadata(tree.path().join(name)).unwrap().blocks();
    assert!(blocks < 128, "`{name}` takes {blocks} blocks");
}

#[test]
fn holes_stay_holes_in_each_of_gnu_tars_formats() {
    if !crate::is_root() {
        return;
    }
    const SIZE: u64 = 1 << 20;
    let end = SIZE - 3;
    let mut data = b"begin".to_vec();
    data.resize(512, 0);
    data.extend_from_slice(b"end");

    let mut tar = Tar::new();
    let mut old = tar.header(b'S', b"old", b"", 515);
    let gnu = old.as_gnu_mut().unwrap();
    gnu.set_real_size(SIZE);
    for (place, (offset, length)) in gnu.sparse.iter_mut().zip([(0, 512), (end, 3)]) {
        place.set_offset(offset);
        place.set_length(length);
    }
    old.set_cksum();
    tar = tar.raw(&old, &data);

    let map = format!("0,512,{end},3");
    let size = SIZE.to_string();
    tar = tar
        .pax(&[
            ("GNU.sparse.size", size.as_bytes()),
            ("GNU.sparse.map", map.as_bytes()),
            ("GNU.sparse.name", b"0.1"),
        ])
        .file("x", &data);

    let mut newest = format!("2\n0\n512\n{end}\n3\n").into_bytes();
    newest.resize(512, 0);
    newest.extend_from_slice(&data);
    let version = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.minor", b"0")];
    let rest = [("GNU.sparse.name", &b"1.0"[..]), ("GNU.sparse.realsize", size.as_bytes())];
    tar = tar.pax(&[version, rest].concat()).file("x", &newest);

    let tree = applied(&tar.file("after", b"the next entry").end());
    for name in ["old", "0.1", "1.0"] {
        assert_is_sparse(&tree, name);
    }
    assert_eq!(look(&tree, "after").content, b"the next entry");
}

#[test]
fn marks_of_overlay_become_whiteouts_and_marks_again() {
    if !crate::is_root() {
        return;
    }
    let tar = Tar::new().file("a/.wh.b", b"").file("c/.wh..wh..opq", b"").file("c/d", b"x").end();
    let tree = applied(&tar);
    let mut packed = Vec::new();
    write_tar(tree.path(), &mut packed, Packing::default()).unwrap();
    let mut archive = tar::Archive::new(&packed[..]);
    let names: Vec<PathBuf> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
    let expected = ["./", "a/", "a/.wh.b", "c/", "c/.wh..wh..opq", "c/d"];
    assert_eq!(names, expected.map(PathBuf::from));
    let again = applied(&packed);
    let mut twice = Vec::new();
    write_tar(again.path(), &mut twice, Packing::default()).unwrap();
    assert!(packed == twice);
}

#[test]
fn a_file_that_would_read_as_a_whiteout_is_not_packed() {
    let tree = tempfile::tempdir().unwrap();
    fs::write(tree.path().join(".wh.x"), "").unwrap();
    let error = write_tar(tree.path(), std::io::sink(), Packing::default()).unwrap_err();
    assert_eq!(
        chain(&error),
        "pack `.wh.x`: in a layer, a name that begins with `.wh.` means a removed file"
    );
}

#[test]
fn sockets_are_left_out_and_times_can_be_limited() {
    let tree = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.path().join("socket")).unwrap();
    fs::write(tree.path().join("file"), "").unwrap();
    let mut packed = Vec::new();
    write_tar(tree.path(), &mut packed, Packing { latest: Some(1000), ..Packing::default() }).unwrap();
    let mut archive = tar::Archive::new(&packed[..]);
    let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
    let entries: Vec<_> =
        entries.map(|entry| (entry.path().unwrap().into_owned(), entry.header().mtime().unwrap())).collect();
    assert_eq!(entries, [(PathBuf::from("./"), 1000), (PathBuf::from("file"), 1000)]);
}
