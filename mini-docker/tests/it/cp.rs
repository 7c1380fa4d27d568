//! `cp`: files into a container and out of one, running or not, and never anywhere else.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::harness::{Engine, names};
use crate::tars::Tar;

/// A container that runs, and one that has ended.
fn engine() -> Option<Engine> {
    let engine = Engine::new()?;
    let script = "mkdir -p /data/sub /empty; echo one > /data/one; echo two > /data/sub/two; \
                  ln -s one /data/link; ln -s /data/sub /abs; ln -s /nowhere/x /dangling; touch /ready; $WAIT";
    engine.with("run --name ended host sh -c", &[script]).ok();
    engine.detached("--name running ", &script.replace("$WAIT", "sleep 1000"));
    let root = root(&engine);
    while !root.join("ready").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(engine)
}

fn root(engine: &Engine) -> PathBuf {
    format!("/proc/{}/root", engine.pid("running")).into()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn sorted(directory: &Path) -> Vec<String> {
    let mut names = names(directory);
    names.sort();
    names
}

#[test]
fn files_come_out_of_a_container_as_dockers_rules_say() {
    let Some(engine) = engine() else { return };
    for name in ["running", "ended"] {
        let out = engine.path(name);
        fs::create_dir(&out).unwrap();
        let cp = |from: &str, to: &str| {
            engine.with("cp", &[format!("{name}:{from}"), format!("{}/{to}", out.display())])
        };
        cp("/data/one", "new").ok();
        assert_eq!(read(out.join("new")), "one\n");
        cp("data/sub/two", "").ok();
        assert_eq!(read(out.join("two")), "two\n");
        cp("/data", "renamed").ok();
        assert_eq!(sorted(&out.join("renamed")), ["link", "one", "sub"]);
        cp("/data", "renamed").ok();
        assert_eq!(read(out.join("renamed/data/sub/two")), "two\n");
        cp("/data/.", ".").ok();
        assert_eq!(read(out.join("one")), "one\n");
        assert_eq!(fs::read_link(out.join("link")).unwrap(), Path::new("one"));
        // A link is copied as it is, unless it is followed; with its own name then.
        cp("/abs", "as-link").ok();
        assert_eq!(fs::read_link(out.join("as-link")).unwrap(), Path::new("/data/sub"));
        engine.with("cp -L", &[format!("{name}:/abs"), out.display().to_string()]).ok();
        assert_eq!(read(out.join("abs/two")), "two\n");
        // Over a file that is there.
        cp("/data/sub/two", "new").ok();
        assert_eq!(read(out.join("new")), "two\n");
        for (from, to, message) in [
            ("/nope", "x", format!("Could not find the file /nope in container {name}")),
            ("/data/one/x", "x", format!("Could not find the file /data/one/x in container {name}")),
            ("/data/one/", "x", "not a directory".to_owned()),
            ("/data/one", "missing/", "no such directory".to_owned()),
            ("/data/one", "new/", "not a directory".to_owned()),
            ("/data", "new", "cannot copy directory".to_owned()),
            (
                "/data/one",
                "a/b",
                format!("invalid output path: directory \"{}/a\" does not exist", out.display()),
            ),
        ] {
            let said = cp(from, to).fails(1);
            assert_eq!(said, message);
        }
    }
}

#[test]
fn files_come_into_a_container_as_dockers_rules_say() {
    let Some(engine) = engine() else { return };
    let here = engine.path("here");
    fs::create_dir_all(here.join("tree/below")).unwrap();
    fs::write(here.join("tree/below/file"), "below").unwrap();
    fs::write(here.join("file"), "hello").unwrap();
    fs::set_permissions(here.join("file"), fs::Permissions::from_mode(0o751)).unwrap();
    for name in ["running", "ended"] {
        let cp = |from: &str, to: &str| {
            engine.with("cp", &[format!("{}/{from}", here.display()), format!("{name}:{to}")])
        };
        cp("file", "/data/one").ok();
        cp("file", "/empty").ok();
        cp("file", "/data/link").ok();
        cp("file", "/abs/").ok();
        cp("tree", "/empty").ok();
        cp("tree/.", "/empty").ok();
        cp("tree", "/made").ok();
        for (from, to, message) in [
            ("file", "/none/x", format!("Could not find the file /none in container {name}")),
            ("file", "/none/", "no such directory".to_owned()),
            ("file", "/data/one/", "not a directory".to_owned()),
            ("tree", "/data/one", "cannot copy directory".to_owned()),
            ("nope", "/data", format!("lstat {}/nope: no such file or directory", here.display())),
        ] {
            assert_eq!(cp(from, to).fails(1), message);
        }
        // Kinds are kept: a file named as a directory that is there, and the other way round.
        fs::write(here.join("sub"), "").unwrap();
        let said = cp("sub", "/data").fails(1);
        assert!(said.contains("cannot overwrite directory with non-directory"), "{said}");
        let out = engine.path(&format!("out-{name}"));
        engine.with("cp -a", &[format!("{name}:/"), out.display().to_string()]).ok();
        for (path, content) in [
            ("data/one", "hello"),
            ("empty/file", "hello"),
            ("data/sub/file", "hello"),
            ("empty/tree/below/file", "below"),
            ("empty/below/file", "below"),
            ("made/below/file", "below"),
        ] {
            assert_eq!(read(out.join(path)), content, "{path}");
        }
        // What the kernel makes up is in no copy.
        assert_eq!((sorted(&out.join("proc")), sorted(&out.join("dev"))), (vec![], vec![]));
        assert_eq!(fs::metadata(out.join("empty/file")).unwrap().mode() & 0o7777, 0o751);
        // The link's target was written, and the link is still there.
        assert_eq!(fs::read_link(out.join("data/link")).unwrap(), Path::new("one"));
    }
    assert_eq!(read(root(&engine).join("empty/file")), "hello");
}

#[test]
fn archives_go_in_and_out() {
    let Some(engine) = engine() else { return };
    let tar = Tar::new().file("a/b", b"from a tar").file("c", b"c").end();
    for name in ["running", "ended"] {
        engine.feed("cp -", &[format!("{name}:/empty")], tar.clone()).ok();
        let out = engine.with("cp", &[format!("{name}:/empty"), "-".to_owned()]);
        out.ok();
        let mut archive = tar::Archive::new(out.stdout.as_slice());
        let mut paths: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        paths.sort();
        assert_eq!(paths, ["empty/", "empty/a/", "empty/a/b", "empty/c"]);
        let said = engine.feed("cp -", &[format!("{name}:/data/one")], tar.clone()).fails(1);
        assert_eq!(said, format!("destination \"{name}:/data/one\" must be a directory"));
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web --read-only host true").ok();
    for (line, message) in [
        ("cp web:/a web:/b", "copying between containers is not supported"),
        ("cp a ./b:c", "must specify at least one container source"),
        ("cp web: x", "source can not be empty"),
        ("cp nobody:/a x", "No such container: nobody"),
        ("cp /etc/passwd web:/", "container rootfs is marked read-only"),
    ] {
        assert_eq!(engine.call(line).fails(1), message, "{line}");
    }
}

#[test]
fn links_in_a_container_lead_nowhere_else() {
    let Some(engine) = Engine::new() else { return };
    let secret = engine.path("outside");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("secret"), "secret").unwrap();
    let script = format!(
        "ln -s {0} /abs; ln -s ../../../../../../../../../../../../..{0} /rel; ln -s /proc/self/root{0} /magic; exec sleep 1000",
        secret.display()
    );
    engine.detached("--name web", &script);
    let magic = PathBuf::from(format!("/proc/{}/root/magic", engine.pid("web")));
    while !magic.is_symlink() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let file = engine.file("file", "changed");
    for link in ["abs", "rel", "magic"] {
        let path = format!("web:/{link}/secret");
        engine.with("cp", &[&path, engine.path("got").to_str().unwrap()]).fails(1);
        engine.with("cp", &[file.to_str().unwrap(), &path]).fails(1);
        engine.with("cp -L", &[&format!("web:/{link}"), engine.path("got").to_str().unwrap()]).fails(1);
    }
    assert!(!engine.path("got").exists());
    assert_eq!(sorted(&secret), ["secret"]);
    assert_eq!(read(secret.join("secret")), "secret");
}

#[test]
fn a_directory_that_becomes_a_link_meanwhile_leads_nowhere_else() {
    let Some(engine) = Engine::new() else { return };
    let outside = engine.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    // The container's root has the same path, so that both sides are hit, and can be told apart.
    let inside = outside.display().to_string();
    let script = format!(
        "mkdir -p {inside} /real/deep; echo inside > {inside}/file; echo inside > /real/deep/file; ln -s {inside} /fake; \
         while :; do mv /real /swap; mv /fake /real; mv /real /fake; mv /swap /real; done"
    );
    engine.detached("--name web", &script);
    symlink("/nowhere", engine.path("dangling")).unwrap();
    let (tree, got) = (engine.path("deep"), engine.path("got"));
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("new"), "new").unwrap();
    let mut copied = 0;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        // Each may find that there is no such directory just now; none may leave the container.
        copied += u32::from(engine.with("cp", &[tree.to_str().unwrap(), "web:/real/"]).code == 0);
        copied += u32::from(engine.with("cp", &["web:/real/", got.to_str().unwrap()]).code == 0);
        for file in [got.join("real/file"), got.join("real/deep/file"), got.join("file")] {
            assert_ne!(fs::read_to_string(file).unwrap_or_default(), "outside");
        }
        let _ = fs::remove_dir_all(&got);
    }
    assert!(copied > 0, "nothing was ever copied");
    assert_eq!(sorted(&outside), ["file"]);
    assert_eq!(read(outside.join("file")), "outside");
}

#[test]
fn owners_are_kept_where_they_are_asked_for() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    let file = engine.file("file", "x");
    std::os::unix::fs::chown(&file, Some(1234), Some(4321)).unwrap();
    engine.with("cp", &[file.to_str().unwrap(), "web:/file"]).ok();
    let owner = |name: &str| {
        let metadata = fs::metadata(engine.path(name)).unwrap();
        (metadata.uid(), metadata.gid())
    };
    engine.with("cp", &["web:/file", engine.path("mine").to_str().unwrap()]).ok();
    engine.with("cp -a", &["web:/file", engine.path("kept").to_str().unwrap()]).ok();
    assert_eq!((owner("mine"), owner("kept")), ((0, 0), (1234, 4321)));
    let told = engine.with("cp --quiet=false", &["web:/file", engine.path("told").to_str().unwrap()]);
    assert_eq!(told.err(), format!("Successfully copied 2.05kB to {}\n", engine.path("told").display()));
}
