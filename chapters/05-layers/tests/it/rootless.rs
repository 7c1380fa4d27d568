//! Layers and overlays of a user who is root only in a user namespace of their own.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

use crate::tars::Tar;

fn has_user_namespaces() -> bool {
    let made = crate::probe().args(["rootless", "pack", "/nowhere"]).output().unwrap();
    // Any other complaint than about the namespace means that it was made.
    let made = String::from_utf8_lossy(&made.stderr).contains("/nowhere");
    crate::meets("user namespaces", made)
}

#[test]
fn a_layer_is_unpacked_and_shown_without_privileges() {
    if !has_user_namespaces() {
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let mut tar = Tar::new();
    tar.owner = (42, 43);
    let tar = tar
        .file("etc/.wh.gone", b"")
        .file("hidden/.wh..wh..opq", b"")
        .device(b'3', "null", 1, 3)
        .pax(&[("SCHILY.xattr.trusted.x", b"1"), ("SCHILY.xattr.user.x", b"1")])
        .file("file", b"x");
    let archive = room.path().join("tar");
    fs::write(&archive, tar.end()).unwrap();
    let store = room.path().join("layers");
    let output =
        crate::probe().args(["rootless", "apply"]).args([&store, &archive]).arg("mine").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let layers = mini_layers::Layers::open(&store).unwrap();
    let tree = layers.diff_path(&layers.list().unwrap()[0].chain_id);
    let metadata = |name: &str| fs::symlink_metadata(tree.join(name)).unwrap();
    assert!(metadata("etc/gone").file_type().is_char_device());
    assert_eq!(metadata("file").uid(), mini_sys::Uid::effective().as_raw());
    // A device that cannot be made leaves a place to mount one on.
    assert!(metadata("null").is_file() && metadata("null").len() == 0);

    let base = room.path().join("base");
    for (directory, file) in [("etc", "gone"), ("etc", "kept"), ("hidden", "below")] {
        fs::create_dir_all(base.join(directory)).unwrap();
        fs::write(base.join(directory).join(file), "").unwrap();
    }
    let mut command = crate::probe();
    command.args(["rootless", "overlay", "userxattr"]);
    let lines = ["list etc", "list hidden", "write file changed", "remove etc"];
    let answers = crate::overlays::run(command, room.path(), true, &[tree, base], &lines);
    assert_eq!(answers, ["kept", "", "written", "removed"]);
    assert_eq!(fs::read_to_string(room.path().join("upper/file")).unwrap(), "changed");
}
