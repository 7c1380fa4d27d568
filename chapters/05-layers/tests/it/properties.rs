//! Random trees come back as they were; random archives never reach outside their directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use mini_layers::{Packing, write_tar};
use mini_sys::file::{self, FileType, Mode, Timespec, Timestamps};
use mini_sys::{inode, xattr};
use proptest::prelude::*;

use crate::looks::{Look, looks};
use crate::tars::{Tar, apply};

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    Directory,
    Symlink(String),
    LinkTo(usize),
    Fifo,
    Device(u32, u32),
}

#[derive(Debug, Clone)]
struct Thing {
    path: Vec<String>,
    node: Node,
    mode: u32,
    owner: (u32, u32),
    mtime: i64,
    attribute: Option<Vec<u8>>,
}

fn thing() -> impl Strategy<Value = Thing> {
    let name = prop_oneof![
        4 => "[a-c]",
        1 => "[a-z ]{1,12}",
        1 => Just("x".repeat(130)),
        1 => Just("grün\n\\".to_owned()),
    ];
    let node = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..1500).prop_map(Node::File),
        2 => Just(Node::Directory),
        1 => prop_oneof!["[a-z./]{1,20}", Just("/y".repeat(70))].prop_map(Node::Symlink),
        1 => any::<usize>().prop_map(Node::LinkTo),
        1 => Just(Node::Fifo),
        1 => (1u32..300, 0u32..5000).prop_map(|(major, minor)| Node::Device(major, minor)),
    ];
    let owner = prop_oneof![Just((0, 0)), (0u32..70_000, 0u32..70_000), Just((3_000_000_000, 2_097_152))];
    let mtime = prop_oneof![0i64..2_000_000_000, -10_000i64..0];
    let attribute = prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    (prop::collection::vec(name, 1..4), node, 0u32..0o10000, owner, mtime, attribute).prop_map(
        |(path, node, mode, owner, mtime, attribute)| Thing { path, node, mode, owner, mtime, attribute },
    )
}

/// Makes what can be made of `things`: a name that is taken, or below a file, is passed over.
fn build(root: &Path, things: &[Thing]) {
    let mut made: Vec<PathBuf> = Vec::new();
    let mut looks: BTreeMap<PathBuf, &Thing> = BTreeMap::new();
    for thing in things {
        let path: PathBuf = root.join(thing.path.iter().collect::<PathBuf>());
        let Some(parent) = path.parent() else { continue };
        if fs::create_dir_all(parent).is_err() || fs::symlink_metadata(&path).is_ok() {
            continue;
        }
        let mode = Mode::from_bits_truncate(0o600);
        let node = |kind, device| file::mknodat(file::CWD, &path, kind, mode, device).is_ok();
        let done = match &thing.node {
            Node::File(content) => fs::write(&path, content).is_ok(),
            Node::Directory => fs::create_dir(&path).is_ok(),
            Node::Symlink(text) => symlink(text, &path).is_ok(),
            Node::LinkTo(index) if made.is_empty() => index % 2 == 2,
            Node::LinkTo(index) => {
                let _ = fs::hard_link(&made[index % made.len()], &path);
                continue;
            }
            Node::Fifo => node(FileType::Fifo, (0, 0)),
            Node::Device(major, minor) => node(FileType::CharacterDevice, (*major, *minor)),
        };
        if done {
            if !matches!(thing.node, Node::Directory) {
                made.push(path.clone());
            }
            looks.insert(path, thing);
        }
    }
    // Deeper ones first, so that their making does not move the times of those above.
    for (path, thing) in looks.into_iter().rev() {
        inode::lchownat(file::CWD, &path, thing.owner.0, thing.owner.1).unwrap();
        if !matches!(thing.node, Node::Symlink(_)) {
            fs::set_permissions(&path, fs::Permissions::from_mode(thing.mode)).unwrap();
        }
        if let (Some(value), Node::File(_) | Node::Directory) = (&thing.attribute, &thing.node) {
            xattr::lset(&path, c"user.attribute", value).unwrap();
        }
        let time = Timespec { tv_sec: thing.mtime, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        file::utimensat(file::CWD, &path, &times).unwrap();
    }
}

/// Looks with whole seconds, which is what an archive keeps.
fn whole_seconds(tree: &Path) -> BTreeMap<PathBuf, Look> {
    let mut all = looks(tree);
    for look in all.values_mut() {
        look.mtime.1 = 0;
    }
    all
}

fn packed(tree: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_tar(tree, &mut bytes, Packing::default()).unwrap();
    bytes
}

/// One entry of a hostile archive.
#[derive(Debug, Clone)]
struct Attack {
    flag: u8,
    name: String,
    link: String,
}

fn attack() -> impl Strategy<Value = Attack> {
    let part = prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "c"]),
        1 => prop::sample::select(vec!["..", ".", "", "canary", "file", ".wh.a", ".wh..", ".wh..wh..opq"]),
    ];
    let name = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let link = prop_oneof![
        name.clone(),
        prop::sample::select(vec!["..", "/", ".", "../canary", "../../canary", "CANARY", "CANARY/file"])
            .prop_map(str::to_owned),
    ];
    let flag = prop::sample::select(vec![b'0', b'0', b'1', b'2', b'2', b'3', b'5', b'6']);
    (flag, name, link).prop_map(|(flag, name, link)| Attack { flag, name, link })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, fork: false, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_comes_back_as_it_was_and_always_as_the_same_bytes(things in prop::collection::vec(thing(), 0..14)) {
        if !crate::is_root() {
            return Ok(());
        }
        let directory = tempfile::tempdir().unwrap();
        let (tree, copy) = (directory.path().join("tree"), directory.path().join("copy"));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&copy).unwrap();
        build(&tree, &things);
        let tar = packed(&tree);
        prop_assert!(tar == packed(&tree));
        apply(&tar, &copy).unwrap();
        prop_assert_eq!(whole_seconds(&copy), whole_seconds(&tree));
        prop_assert!(tar == packed(&copy));
    }

    #[test]
    fn no_archive_changes_anything_outside_its_directory(attacks in prop::collection::vec(attack(), 1..24)) {
        if !crate::is_root() {
            return Ok(());
        }
        let directory = tempfile::tempdir().unwrap();
        let (tree, canary) = (directory.path().join("tree"), directory.path().join("canary"));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&canary).unwrap();
        fs::write(canary.join("file"), "untouched").unwrap();
        let before = looks(&canary);
        let mut whole = Tar::new();
        for attack in attacks {
            let link = attack.link.replace("CANARY", canary.to_str().unwrap());
            // No header has room for more.
            let Some(link) = Some(link.as_bytes()).filter(|link| link.len() <= 100) else { continue };
            let name = attack.name.as_bytes();
            whole = whole.entry(attack.flag, name, link, b"harm");
            // One by one, because an archive that is refused halfway would hide the entries behind that.
            let _ = apply(&Tar::new().entry(attack.flag, name, link, b"harm").end(), &tree);
            prop_assert_eq!(&looks(&canary), &before);
        }
        // And together, because the directory of one entry is kept open for the next.
        fs::remove_dir_all(&tree).unwrap();
        fs::create_dir(&tree).unwrap();
        let _ = apply(&whole.end(), &tree);
        prop_assert_eq!(&looks(&canary), &before);
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
