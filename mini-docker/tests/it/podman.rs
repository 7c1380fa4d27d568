//! `save` and `load` between this engine and podman: what one writes the other reads, and it is the same image.

use std::path::Path;
use std::process::Command;

use crate::harness::{Done, Engine, finish};
use crate::tars::{self, Tar};
use crate::{leaks, needs};

/// podman with directories among those of the test, which its own containers and images never leave.
struct Podman<'a> {
    engine: &'a Engine,
    parent: String,
}

impl<'a> Podman<'a> {
    fn new(engine: &'a Engine) -> Option<Self> {
        if !needs::program("podman") || !needs::program("runc") {
            return None;
        }
        let directory = |name: &str| engine.path(name).display().to_string();
        // The driver that mounts nothing, the runtime that takes cgroups of either version, locks that are shared with
        // nobody, and no more open files than a machine may allow.
        let settings = format!(
            "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\nnetns = \"none\"\n\
             [engine]\ncgroup_manager = \"cgroupfs\"\nruntime = \"runc\"\nlock_type = \"file\"\n\
             events_logger = \"none\"\ntmp_dir = {:?}\n",
            directory("podman-tmp")
        );
        engine.file("containers.conf", settings);
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            directory("podman"),
            directory("podman-run")
        );
        engine.file("storage.conf", storage);
        let name = engine.root().parent()?.file_name()?.to_string_lossy().into_owned();
        Some(Self { engine, parent: format!("/mini-podman-{name}") })
    }

    fn command<W: AsRef<std::ffi::OsStr>>(&self, line: &str, more: &[W]) -> Command {
        let mut command = Command::new("podman");
        command.args(line.split(' ')).args(more);
        command.env("CONTAINERS_CONF", self.engine.path("containers.conf"));
        command.env("CONTAINERS_STORAGE_CONF", self.engine.path("storage.conf"));
        command
    }

    fn with<W: AsRef<std::ffi::OsStr>>(&self, line: &str, more: &[W]) -> String {
        finish(&mut self.command(line, more), None).ok()
    }

    /// What a container of the image prints.
    fn run(&self, image: &str) -> String {
        self.with(&format!("run --rm --cgroup-parent {}", self.parent), &[image])
    }

    fn id(&self, image: &str) -> String {
        format!("sha256:{}", self.with("image inspect --format {{.Id}}", &[image]))
    }
}

impl Drop for Podman<'_> {
    fn drop(&mut self) {
        // What a failed test left of its containers, and the cgroups in which podman leaves its monitors' own.
        let _ = finish(&mut self.command("rm --all --force", &[] as &[&str]), None);
        leaks::remove_groups(&self.parent[1..]);
    }
}

/// An engine with `web:1` and `web:2`, which print their numbers.
fn engine() -> Option<Engine> {
    let engine = Engine::empty()?;
    for number in ["1", "2"] {
        let tar =
            tars::root_and(Tar::new().file("which", number.as_bytes()).dir("proc").dir("sys").dir("dev"));
        let name = format!("web:{number}");
        engine.feed("import -c", &["CMD [\"cat\", \"/which\"]", "-", &name], tar).ok();
    }
    Some(engine)
}

fn load(engine: &Engine, tar: &Path) -> Done {
    engine.with("load -i", &[tar])
}

#[test]
fn podman_loads_what_we_save_and_runs_it() {
    let Some(engine) = engine() else { return };
    let Some(podman) = Podman::new(&engine) else { return };
    let archive = engine.path("both.tar");
    engine.with("save web:1 web:2 -o", &[&archive]).ok();
    // Names without a registry are podman's own then.
    let told = podman.with("load -q -i", &[&archive]);
    assert_eq!(told, "Loaded image: localhost/web:1\nLoaded image: localhost/web:2");
    for number in ["1", "2"] {
        let name = format!("localhost/web:{number}");
        assert_eq!(podman.id(&name), engine.inspect(&format!("web:{number}"), ".Id"));
        assert_eq!(podman.run(&name), number);
    }
    // One image, from standard input.
    podman.with("rmi -f", &["localhost/web:1", "localhost/web:2"]);
    let saved = engine.call("save web:2").stdout;
    let mut command = podman.command("load -q", &[] as &[&str]);
    assert_eq!(finish(&mut command, Some(saved)).ok(), "Loaded image: docker.io/library/web:2");
    assert_eq!(podman.run("docker.io/library/web:2"), "2");
}

#[test]
fn what_podman_saves_is_loaded_and_is_the_same_image() {
    let Some(engine) = engine() else { return };
    let Some(podman) = Podman::new(&engine) else { return };
    let (ours, theirs) = (engine.path("ours.tar"), engine.path("theirs.tar"));
    let Some(other) = Engine::empty() else { return };
    engine.with("save web:1 web:2 -o", &[&ours]).ok();
    podman.with("load -q -i", &[&ours]);
    let is_same = |told: &str| {
        let name = told.strip_prefix("Loaded image: ").unwrap();
        assert_eq!(name, "localhost/web:1");
        assert_eq!(other.inspect(name, ".Id"), engine.inspect("web:1", ".Id"));
        assert_eq!(other.with("run --rm", &[name]).ok(), "1");
        other.with("rmi", &[name]).ok();
    };
    for kind in ["docker-archive", "oci-archive"] {
        let _ = std::fs::remove_file(&theirs);
        podman.with(&format!("save -q --format {kind} -o"), &[theirs.to_str().unwrap(), "localhost/web:1"]);
        is_same(&load(&other, &theirs).ok());
    }
    // A directory, as a tar of it.
    let directory = engine.path("directory");
    podman.with("save -q --format oci-dir -o", &[directory.to_str().unwrap(), "localhost/web:1"]);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", &directory).unwrap();
    is_same(&other.feed("load", &[] as &[&str], tar.into_inner().unwrap()).ok());
    // Several images at once.
    let _ = std::fs::remove_file(&theirs);
    let names = ["localhost/web:1", "localhost/web:2"];
    podman.with("save -q -m -o", &[&[theirs.to_str().unwrap()], &names[..]].concat());
    assert_eq!(load(&other, &theirs).ok(), "Loaded image: localhost/web:1\nLoaded image: localhost/web:2");
    assert_eq!(other.call("run --rm localhost/web:2").ok(), "2");
}
