//! Archives that would do harm: each is refused with the name of the entry, and nothing is left behind.

use std::fs;
use std::path::Path;

use mini_layers::{Layers, Owners};

use crate::looks::looks;
use crate::tars::{Tar, chain};

/// Applies the archive as a layer beside a directory that must not change; returns what the user reads.
fn refusal(tar: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let canary = directory.path().join("canary");
    fs::create_dir(&canary).unwrap();
    fs::write(canary.join("file"), "untouched").unwrap();
    let before = looks(&canary);
    let layers = Layers::open(&directory.path().join("layers")).unwrap();
    let error = match layers.apply(None, None, tar, Owners::Keep) {
        Ok(layer) => {
            panic!("{tar:?} was accepted as {layer:?}", tar = names(&layers.diff_path(&layer.chain_id)))
        }
        Err(error) => chain(&error),
    };
    assert_eq!(looks(&canary), before);
    let left: Vec<_> = fs::read_dir(directory.path().join("layers")).unwrap().collect();
    assert!(left.is_empty(), "{left:?} was left behind");
    error.strip_prefix("unpack a layer: ").unwrap_or(&error).to_owned()
}

fn names(tree: &Path) -> Vec<std::path::PathBuf> {
    looks(tree).into_keys().collect()
}

#[test]
fn names_that_lead_out_of_the_tree_are_refused() {
    for (name, why) in [
        ("../canary/file", "`..` in its name leads out of the tree"),
        ("a/../../canary/file", "`..` in its name leads out of the tree"),
        ("a/..", "`..` in its name leads out of the tree"),
        ("/canary/file", "its name is absolute"),
        ("//canary", "its name is absolute"),
    ] {
        let expected = format!("tar entry `{name}` is refused: {why}");
        assert_eq!(refusal(&Tar::new().file("a/b", b"").file(name, b"harm").end()), expected);
        assert_eq!(refusal(&Tar::new().dir(name).end()), expected);
        assert_eq!(refusal(&Tar::new().symlink(name, "x").end()), expected);
    }
    let nul = Tar::new().pax(&[("path", b"a\0b")]).file("x", b"");
    assert_eq!(refusal(&nul.end()), "tar entry `a\\0b` is refused: its name holds a NUL byte");
    let long = Tar::new().pax(&[("path", b"../long")]).file("harmless", b"");
    assert_eq!(
        refusal(&long.end()),
        "tar entry `../long` is refused: `..` in its name leads out of the tree"
    );
    let empty = Tar::new().file("", b"");
    assert_eq!(refusal(&empty.end()), "tar entry `` is refused: its name is empty");
    let deep = Tar::new().pax(&[("path", "d/".repeat(600).as_bytes())]).dir("x");
    assert!(refusal(&deep.end()).ends_with("its name is more than 512 directories deep"));
}

#[test]
fn nothing_is_written_through_a_symbolic_link() {
    for target in ["../../../canary", "/", "/etc", "..", ".", "real", "missing"] {
        let begun = Tar::new().dir("real").symlink("link", target);
        let expected =
            "tar entry `link/file` is refused: `link` is a symbolic link, and links are not followed";
        assert_eq!(refusal(&begun.clone().file("link/file", b"harm").end()), expected);
        assert_eq!(refusal(&begun.clone().symlink("link/file", "x").end()), expected);
        let deeper = begun.clone().file("real/x", b"").file("link/deeper/file", b"harm");
        assert!(refusal(&deeper.end()).contains("`link` is a symbolic link"));
        let whiteout = begun.file("link/.wh.file", b"");
        assert!(refusal(&whiteout.end()).starts_with("tar entry `link/.wh.file` is refused: `link` is a"));
    }
    // A directory that becomes a link after it was used, and a link that becomes one of many.
    let turned = Tar::new().file("d/a", b"").symlink("d", "..").file("d/b", b"harm");
    assert!(refusal(&turned.end()).starts_with("tar entry `d/b` is refused: `d` is a symbolic link"));
    let inner = Tar::new().dir("d/e").symlink("d/e", "../..").dir("d/e/f");
    assert!(refusal(&inner.end()).starts_with("tar entry `d/e/f` is refused: `d/e` is a symbolic link"));
    let opaque = Tar::new().symlink("d", "..").file("d/.wh..wh..opq", b"");
    assert!(
        refusal(&opaque.end()).starts_with("tar entry `d/.wh..wh..opq` is refused: `d` is a symbolic link")
    );
}

#[test]
fn hard_links_reach_only_what_this_archive_made() {
    let link = |tar: Tar, target: &str| refusal(&tar.link("link", target).end());
    let text =
        |target: &str, why: &str| format!("tar entry `link` is refused: its hard link to `{target}`: {why}");
    let out = "`..` in its name leads out of the tree";
    assert_eq!(link(Tar::new(), "../canary/file"), text("../canary/file", out));
    assert_eq!(link(Tar::new(), "/etc/passwd"), text("/etc/passwd", "no such file in this layer"));
    assert_eq!(link(Tar::new(), "missing"), text("missing", "no such file in this layer"));
    assert_eq!(link(Tar::new().dir("d"), "d"), text("d", "it is a directory"));
    assert_eq!(link(Tar::new(), "/"), text("/", "it is a directory"));
    assert_eq!(link(Tar::new().file(".wh.x", b""), "x"), text("x", "no such file in this layer"));
    let through = "`s` is a symbolic link, and links are not followed";
    assert_eq!(link(Tar::new().symlink("s", "/etc"), "s/passwd"), text("s/passwd", through));
    assert_eq!(link(Tar::new().symlink("s", "../../canary"), "s/file"), text("s/file", through));
    assert_eq!(link(Tar::new().file("f", b""), "f/x"), text("f/x", "`f` is not a directory"));
    // A link to a link is a second name of the link, and writing to it replaces the name.
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    fs::write(&secret, "untouched").unwrap();
    let tree = directory.path().join("tree");
    fs::create_dir(&tree).unwrap();
    let tar = Tar::new().symlink("s", secret.to_str().unwrap()).link("l", "s").file("l", b"harm");
    if crate::is_root() {
        crate::tars::apply(&tar.end(), &tree).unwrap();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "untouched");
    }
}

#[test]
fn whiteouts_of_nothing_in_particular_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "a/.wh..", ".wh..wh.x", ".wh..wh.plnk"] {
        let expected = format!("tar entry `{name}` is refused: its name is no proper whiteout");
        assert_eq!(refusal(&Tar::new().file(name, b"").end()), expected);
    }
    let below = "a whiteout is not a directory";
    for name in [".wh.x/y", ".wh..wh..opq/y", "a/.wh.b/c"] {
        assert_eq!(
            refusal(&Tar::new().file(name, b"").end()),
            format!("tar entry `{name}` is refused: {below}")
        );
    }
    let directory = refusal(&Tar::new().dir(".wh.x").end());
    assert_eq!(directory, "tar entry `.wh.x` is refused: a whiteout is an empty file");
    let link = refusal(&Tar::new().symlink(".wh.x", "/etc").end());
    assert_eq!(link, "tar entry `.wh.x` is refused: a whiteout is an empty file");
}

#[test]
fn the_root_stays_a_directory() {
    for name in ["./", ".", "./."] {
        let expected = format!("tar entry `{name}` is refused: the root of the tree is a directory");
        assert_eq!(refusal(&Tar::new().file(name, b"").end()), expected);
        assert_eq!(refusal(&Tar::new().symlink(name, "/etc").end()), expected);
    }
}

#[test]
fn a_file_is_no_directory() {
    let tar = Tar::new().file("a", b"").file("a/b/c", b"");
    assert_eq!(refusal(&tar.end()), "tar entry `a/b/c` is refused: `a` is not a directory");
}

#[test]
fn owners_that_are_no_ids_are_refused() {
    // The kernel takes -1 for "leave it as it is".
    for id in ["4294967295", "4294967296", "18446744073709551615"] {
        let tar = Tar::new().pax(&[("uid", id.as_bytes())]).file("a", b"");
        assert_eq!(
            refusal(&tar.end()),
            format!("tar entry `a` is refused: its owner {id} is no user or group id")
        );
    }
}

#[test]
fn archives_that_end_too_early_are_refused() {
    let whole = Tar::new().file("first", b"").file("second", &[7; 2000]).end();
    for length in [512 + 100, 1024 + 1, 1024 + 1999, 1024 + 2047] {
        let error = refusal(&whole[..length]);
        assert!(error.starts_with("the tar archive is cut short in or after `"), "{length}: {error}");
    }
    let extended = Tar::new().file("first", b"").pax(&[("path", b"x")]).unended();
    assert_eq!(refusal(&extended), "the tar archive is cut short in or after `first`");
    assert_eq!(refusal(&whole[..100]), "the tar archive is cut short at its start");
}

#[test]
fn damaged_headers_and_trailing_data_are_refused() {
    let mut damaged = Tar::new().file("first", b"").file("second", b"x").end();
    damaged[512] ^= 1;
    assert_eq!(refusal(&damaged), "the tar header in or after `first` has a wrong checksum");
    let mut trailing = Tar::new().file("first", b"").end();
    trailing.extend_from_slice(b"more");
    assert_eq!(refusal(&trailing), "data follow the end of the tar archive in or after `first`");
    assert_eq!(refusal(&[b'x'; 600]), "the tar header at its start has a wrong checksum");
    let unknown = Tar::new().entry(b'M', b"volume", b"", b"");
    assert_eq!(refusal(&unknown.end()), "tar entry `volume`: its type 'M' is unknown");
}

#[test]
fn absurd_sizes_are_refused_without_being_allocated() {
    let tar = Tar::new();
    let huge = tar.header(b'0', b"huge", b"", i64::MAX as u64);
    assert_eq!(
        refusal(&tar.clone().raw(&huge, b"").end()),
        "tar entry `huge`: its size is no sensible number"
    );
    let large = tar.header(b'0', b"large", b"", 1 << 60);
    assert_eq!(
        refusal(&tar.clone().raw(&large, b"").end()),
        "the tar archive is cut short in or after `large`"
    );
    let names = tar.header(b'L', b"././@LongLink", b"", 1 << 40);
    assert_eq!(
        refusal(&tar.clone().raw(&names, b"").end()),
        format!(
            "the extended tar header at its start takes {} bytes, more than the limit of 1 MiB",
            1u64 << 40
        )
    );
    let size = tar.clone().pax(&[("size", b"99999999999999999999")]).file("a", b"");
    assert!(refusal(&size.end()).contains("its extended header says `size=99999999999999999999`"));
    let mut sparse = tar.header(b'S', b"sparse", b"", 0);
    sparse.as_gnu_mut().unwrap().set_real_size(i64::MAX as u64);
    sparse.set_cksum();
    let error = refusal(&tar.raw(&sparse, b"").end());
    assert!(error.starts_with("make tar entry `sparse`"), "{error}");
}

#[test]
fn maps_of_holes_that_contradict_themselves_are_refused() {
    for map in ["0,512,100,512", "512,512,0,512", "0,512", "0,1024,4096", "18446744073709551615,1024", "x,1"]
    {
        let tar = Tar::new()
            .pax(&[("GNU.sparse.size", b"1048576"), ("GNU.sparse.map", map.as_bytes())])
            .file("sparse", &[1; 1024]);
        assert_eq!(refusal(&tar.end()), "tar entry `sparse`: its map of holes is malformed", "{map}");
    }
}
