//! A machine that does not play along: read-only, full, damaged, odd.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::harness::{Done, Engine, binary, finish, names};
use crate::needs;
use crate::tars::Tar;

/// Runs a shell script in a mount namespace of its own: `$0` is the binary, `$1` the state directory.
fn in_own_mounts(engine: &Engine, script: &str) -> Done {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-ec", script])
        .arg(binary())
        .arg(engine.root());
    command.current_dir(engine.path("")).env_remove("MINI_DOCKER_ROOT");
    finish(&mut command, None)
}

#[test]
fn a_read_only_state_directory_is_told_with_a_way_out() {
    let Some(engine) = Engine::new() else { return };
    if !needs::program("unshare") {
        return;
    }
    engine.call("run --name old host true").ok();
    let before = engine.listing();
    for (verb, status) in [
        ("run --rm host true", 125),
        ("run -d host true", 125),
        ("import archive", 1),
        ("rm old", 1),
        ("rmi -f host", 1),
    ] {
        engine.file("archive", Tar::new().file("a", b"").end());
        let done = in_own_mounts(
            &engine,
            &format!("mount --bind $1 $1; mount -o remount,bind,ro $1; exec $0 --root $1 {verb}"),
        );
        let message = done.fails(status);
        assert!(
            message.contains("Read-only file system")
                && message.contains(&engine.root().display().to_string()),
            "{verb}: {message}"
        );
        engine.assert_unchanged(&before, verb);
    }
    // Looking works.
    let done = in_own_mounts(
        &engine,
        "mount --bind $1 $1; mount -o remount,bind,ro $1; $0 --root $1 ps -aq; $0 --root $1 images -q; $0 --root $1 logs old; $0 --root $1 inspect old >/dev/null",
    );
    assert_eq!(done.ok().lines().count(), 2);
}

#[test]
fn a_state_directory_that_cannot_be_is_told_with_a_way_out() {
    let engine = Engine::anywhere();
    if !needs::root() {
        return;
    }
    engine.file("file", "I am no directory");
    for root in ["/proc/nosuch", "/sys/nosuch", "/dev/null/x", "file", "file/below"] {
        for (verb, status) in [("run --rm host true", 125), ("import -", 1), ("images", 1)] {
            let mut command = Command::new(binary());
            command.current_dir(engine.path("")).args(["--root", root]).args(verb.split(' '));
            let done = finish(&mut command, Some(Tar::new().end()));
            let message = done.fails(status);
            assert!(message.contains(root), "{root}: {message}");
            assert!(done.err().contains("hint: ") && done.err().contains("--root"), "{root}: {}", done.err());
        }
    }
    assert_eq!(fs::read_to_string(engine.path("file")).unwrap(), "I am no directory");
}

#[test]
fn the_state_directory_may_be_relative_deep_or_oddly_named() {
    let Some(engine) = Engine::new() else { return };
    let deep = format!("{}/{}", "d".repeat(200), "e".repeat(200));
    let long = format!("{deep}/{deep}/{deep}");
    for root in [
        "relative",
        "./a/../b/",
        "with space",
        "comma,and:colon",
        "back\\slash",
        "umläut",
        "quote'\"$x",
        &deep,
        &long,
    ] {
        let mut command = Command::new(binary());
        command
            .current_dir(engine.path(""))
            .arg("--root")
            .arg(root)
            .args(["run", "--name", "web", "host", "echo", "works"]);
        let done = finish(&mut command, None);
        assert_eq!(done.ok(), "works", "{root}");
        let mut command = Command::new(binary());
        command.current_dir(engine.path("")).arg("--root").arg(root).args(["rm", "-f", "web"]);
        finish(&mut command, None).ok();
        fs::remove_dir_all(engine.path(root.trim_start_matches("./")))
            .or_else(|_| fs::remove_dir_all(engine.path("b")))
            .unwrap();
    }
    // As the environment says it.
    let mut command = Command::new(binary());
    command.env("MINI_DOCKER_ROOT", engine.root()).args(["images", "-q"]);
    assert_eq!(finish(&mut command, None).ok().lines().count(), 1);
}

#[test]
fn a_full_disk_is_told_with_a_way_out_and_nothing_is_left() {
    let Some(engine) = Engine::empty() else { return };
    if !needs::program("unshare") {
        return;
    }
    engine.file("large.tar", Tar::new().file("large", &vec![7; 6_000_000]).end());
    engine.file("small.tar", crate::tars::root());
    let list = "find $1 -not -name '*lock' -not -name $(basename $1) | sort";
    let full = "mkdir -p $1; mount -t tmpfs -o size=3m tmpfs $1; $0 --root $1 images > /dev/null;";
    let script = format!(
        "{full} {list} > before; set +e; $0 --root $1 import large.tar web; code=$?; {list} > after; cmp before after || diff before after; exit $code"
    );
    let done = in_own_mounts(&engine, &script);
    let message = done.fails(1);
    assert!(
        message.starts_with("cannot import `large.tar`") && message.contains("No space left on device"),
        "{message}"
    );
    assert!(done.err().contains("hint: the disk is full"), "{}", done.err());
    assert_eq!(done.out(), "", "left behind");
    let script = format!("{full} $0 --root $1 run --rm host true");
    let done = in_own_mounts(&engine, &script);
    assert!(done.fails(125).contains("No space left on device"), "{}", done.err());
}

#[test]
fn a_disk_that_fills_up_while_containers_run_does_not_stop_them() {
    let Some(engine) = Engine::empty() else { return };
    if !needs::program("unshare") {
        return;
    }
    engine.file("small.tar", crate::tars::root());
    let size = fs::metadata(engine.path("small.tar")).unwrap().len() * 3 + (2 << 20);
    // The claim is about a container that runs, and one runs when its record says so, which is a moment after its
    // program's first instruction. A program that fills the disk within that moment is a start that failed, and told.
    let script = format!(
        "mkdir -p $1; mount -t tmpfs -o size={size} tmpfs $1; $0 --root $1 import small.tar web > /dev/null; \
         $0 --root $1 run --name writer web sh -c 'sleep 2; cat /dev/zero > /fill 2>/dev/null; echo full; echo still here' || echo run said $?; \
         set +e; $0 --root $1 run --name late web true; echo late $?; $0 --root $1 ps -aq | wc -l; $0 --root $1 rm -f writer late; $0 --root $1 run --rm web echo room again"
    );
    let done = in_own_mounts(&engine, &script);
    let out = done.out();
    assert!(
        out.starts_with("full\nstill here\n"),
        "what the program writes arrives though the log cannot: {out} {}",
        done.err()
    );
    assert!(out.contains("late 125") && out.ends_with("room again\n"), "{out} {}", done.err());
    assert!(done.err().contains("No space left on device"), "{}", done.err());
}

#[test]
fn a_damaged_record_is_reported_and_does_not_hide_the_others() {
    let Some(engine) = Engine::new() else { return };
    for name in ["good", "bad", "empty"] {
        engine.call(&format!("run --name {name} host true")).ok();
    }
    let record =
        |name: &str| engine.root().join("containers").join(engine.inspect(name, ".Id")).join("record.json");
    let (bad, empty) = (record("bad"), record("empty"));
    let text = fs::read_to_string(&bad).unwrap();
    fs::write(&bad, &text[..text.len() / 2]).unwrap();
    fs::write(&empty, "").unwrap();
    let done = engine.call("ps -a --format {{.Names}}");
    assert_ne!(done.code, 0);
    assert_eq!(done.out(), "good\n");
    assert_eq!(done.err().matches("record.json is damaged").count(), 2, "{}", done.err());
    let verbs = "logs bad,inspect bad,stop bad,kill bad,rm bad,start bad,restart bad,pause bad,unpause bad,wait bad,\
                 rename bad new,top bad,port bad,diff bad,attach bad,update -m 64m bad,export bad,commit bad,cp bad:/etc -,\
                 exec bad true";
    for verb in verbs.split(',').map(str::trim) {
        let message = engine.call(verb).fails(1);
        assert!(message.contains("record.json is damaged"), "{verb}: {message}");
    }
    engine.call("run --rm host true").ok();
    let images = engine.call("images -q");
    images.ok();
    assert_eq!(engine.call("rm -f bad empty").ok(), "bad\nempty");
    assert_eq!(engine.call("ps -a --format {{.Names}}").ok(), "good");
    assert_eq!(names(&engine.root().join("names")), ["good"]);
}

#[test]
fn damaged_images_are_told_by_what_is_damaged() {
    let Some(engine) = Engine::new() else { return };
    let index = engine.root().join("images/index.json");
    let text = fs::read_to_string(&index).unwrap();
    for (content, verbs) in
        [("", ["images", "run --rm host true"]), ("{\"manifests\": 7}", ["rmi host", "inspect host"])]
    {
        fs::remove_file(&index).unwrap();
        fs::write(&index, content).unwrap();
        for verb in verbs {
            let done = engine.call(verb);
            assert!(
                done.fails(if verb.starts_with("run") { 125 } else { 1 }).contains("index.json"),
                "{}",
                done.err()
            );
        }
    }
    fs::write(&index, text).unwrap();
    // A layer that is gone, though its image is listed.
    let layers = engine.root().join("layers");
    let layer = names(&layers).pop().unwrap();
    fs::remove_dir_all(layers.join(&layer)).unwrap();
    let done = engine.call("run --rm host true");
    assert!(done.fails(125).contains(&layer[..12]), "{}", done.err());
    assert_eq!(engine.call("images --format {{.Size}}").ok(), "N/A");
    engine.call("rmi host").ok();
    assert_eq!(engine.call("run --rm host echo made anew").ok(), "made anew");
}

#[test]
fn odd_standard_streams_are_no_problem() {
    let Some(engine) = Engine::new() else { return };
    let run = |redirect: &str| {
        let script = format!(
            "\"$0\" --root \"$1\" run --rm -i host sh -c 'cat; echo out; echo err >&2; exit 6' {redirect}"
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(binary()).arg(engine.root());
        finish(&mut command, None)
    };
    for redirect in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</", ">/dev/null"] {
        assert_eq!(run(redirect).code, 6, "{redirect}: {}", run(redirect).err());
    }
    for redirect in [">/dev/full", "2>/dev/full"] {
        let done = run(redirect);
        assert!(matches!(done.code, 6 | 125) && !done.err().contains("panicked"), "{}", done.err());
    }
    for verb in ["ps -a", "images", "info", "version", "--help", "run --help"] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("\"$0\" --root \"$1\" {verb} >&-")]).arg(binary()).arg(engine.root());
        assert!(!finish(&mut command, None).err().contains("panicked"), "{verb}");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("\"$0\" --root \"$1\" {verb} > /dev/full")])
            .arg(binary())
            .arg(engine.root());
        assert!(!finish(&mut command, None).err().contains("panicked"), "{verb}");
    }
}

#[test]
fn other_users_cannot_look_into_the_state_directory() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web -e SECRET=1 host true").ok();
    let mode = |path: &str| fs::metadata(engine.root().join(path)).unwrap().permissions().mode() & 0o777;
    let id = engine.inspect("web", ".Id");
    assert_eq!(mode("containers") & 0o066, 0);
    assert_eq!(mode(&format!("containers/{id}")) & 0o007, 0, "the record and the log are the owner's");
}
