//! Maps as the kernel shows them from inside: invariant 3 of the book's chapter 2.

use std::process::Command;

use crate::needs;

/// Requires root.
#[test]
fn root_maps_any_ids_and_keeps_setgroups() {
    if !needs::root() {
        return;
    }
    let output = needs::stdout(&needs::example("idmap").output().unwrap());
    for line in ["uid_map: 0 70000 10", "gid_map: 0 70000 10", "setgroups: allow"] {
        assert!(output.contains(line), "{output}");
    }
}

/// The example as the user `nobody`, with `subids` as the machine's `/etc/subuid` and `/etc/subgid`, in a mount
/// namespace of its own. The example has to be where that user can reach it.
fn as_nobody(subids: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let (file, copy) = (directory.path().join("subids"), directory.path().join("idmap"));
    std::fs::write(&file, subids).unwrap();
    std::fs::copy(needs::example_path("idmap"), &copy).unwrap();
    let script = "mount --bind \"$1\" /etc/subuid && mount --bind \"$1\" /etc/subgid && \
                  exec setpriv --reuid nobody --regid 65534 --clear-groups \"$2\"";
    for path in [directory.path(), &file] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "--propagation", "private", "sh", "-c", script, "sh"]).args([&file, &copy]);
    needs::stdout(&unshare.output().unwrap())
}

fn can_be_nobody() -> bool {
    let files = ["/etc/subuid", "/etc/subgid"].iter().all(|path| std::path::Path::new(path).exists());
    needs::root()
        && needs::program("unshare")
        && needs::program("setpriv")
        && needs::need("/etc/subuid and /etc/subgid", files)
        && needs::need("user namespaces", mini_namespaces::why_no_user_namespaces().is_none())
}

/// Requires root (to become somebody else), unshare(1), setpriv(1) and user namespaces.
#[test]
fn an_ordinary_user_without_subordinate_ids_is_root_and_nobody_else() {
    if !can_be_nobody() {
        return;
    }
    let output = as_nobody("");
    for line in ["uid_map: 0 65534 1", "gid_map: 0 65534 1", "setgroups: deny"] {
        assert!(output.contains(line), "{output}");
    }
}

/// Requires what the test before does, and newuidmap(1).
#[test]
fn an_ordinary_user_with_subordinate_ids_gets_all_of_them() {
    if !can_be_nobody() || !needs::program("newuidmap") || !needs::program("newgidmap") {
        return;
    }
    let output = as_nobody("nobody:200000:65536\n");
    for line in
        ["uid_map: 0 65534 1; 1 200000 65536", "gid_map: 0 65534 1; 1 200000 65536", "setgroups: allow"]
    {
        assert!(output.contains(line), "{output}");
    }
}
