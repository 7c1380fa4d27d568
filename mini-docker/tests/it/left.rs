//! `leaks` and `restore`: what belongs to no container is listed and taken away, and nothing else is touched.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use mini_sys::mount::{self, MsFlags};
use mini_sys::signal::Signal;

use crate::harness::{self, Engine, eventually, is_alive};

/// Cgroups are the machine's, and so is what `restore` takes away of them: these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An id that no container has.
fn id(letter: &str) -> String {
    letter.repeat(64)
}

/// What `leaks` lists, the columns a space apart.
fn listed(engine: &Engine, status: i32) -> Vec<String> {
    let done = engine.call("leaks");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    done.exits(status).lines().map(words).filter(|line| !line.is_empty()).collect()
}

/// The directories in which a container's cgroup would be.
fn cgroups(id: &str) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let trees = mounts.lines().filter(|line| line.contains(" - cgroup"));
    trees.map(|line| Path::new(line.split(' ').nth(4).unwrap()).join("mini-docker").join(id)).collect()
}

#[test]
fn a_used_engine_leaks_nothing() {
    let Some(engine) = Engine::new() else { return };
    let _turn = turn();
    assert_eq!(listed(&engine, 0), [] as [&str; 0]);
    engine.call("run --name old host true").ok();
    engine.detached("--name web", "sleep 1000");
    assert_eq!(listed(&engine, 0), [] as [&str; 0]);
    assert_eq!(engine.call("restore").ok(), "");
    assert_eq!(engine.inspect("web", ".State.Status"), "running");
}

#[test]
fn files_names_and_mounts_of_no_container_are_listed_and_taken_away() {
    let Some(engine) = Engine::new() else { return };
    let _turn = turn();
    engine.detached("--name web", "sleep 1000");
    let containers = engine.root().join("containers");
    let mounted = containers.join(id("a")).join("merged");
    fs::create_dir_all(&mounted).unwrap();
    mount::mount("tmpfs", &mounted, "tmpfs", MsFlags::empty(), "").unwrap();
    fs::create_dir(containers.join(format!(".trash-{}", id("b")))).unwrap();
    fs::create_dir(containers.join(format!(".making-999999-1-{}", id("c")))).unwrap();
    symlink(id("d"), engine.root().join("names/ghost")).unwrap();
    let others = engine.path("mine");
    fs::create_dir(&others).unwrap();
    mount::mount("tmpfs", &others, "tmpfs", MsFlags::empty(), "").unwrap();

    // The mount's directory has no container in it; a mount in one that is a container's is not ours to judge.
    let found = listed(&engine, 1);
    let at = containers.display();
    for line in [
        format!("files {at}/{}", id("a")),
        format!("files {at}/.trash-{}", id("b")),
        format!("files {at}/.making-999999-1-{}", id("c")),
        format!("name ghost of {}", id("d")),
        format!("mount {}", mounted.display()),
    ] {
        assert!(found.contains(&line), "{line} is not in {found:#?}");
    }
    assert_eq!(found.len(), 5, "{found:#?}");
    assert_eq!(engine.call("restore").ok().lines().count(), 5);
    assert_eq!(listed(&engine, 0), [] as [&str; 0]);
    assert!(!mounted.exists() && !engine.root().join("names/ghost").is_symlink());

    assert_eq!(engine.inspect("web", ".State.Status"), "running", "what runs is left alone");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(mounts.contains(&others.display().to_string()), "a mount that is not ours is left alone");
    mount::umount2(&others, mount::MntFlags::empty()).unwrap();
}

#[test]
fn a_container_without_its_monitor_is_listed_and_mended() {
    let Some(engine) = Engine::new() else { return };
    let _turn = turn();
    engine.detached("--name web", "sleep 1000");
    let pid = engine.pid("web");
    harness::kill(harness::parent(pid), Signal::SIGKILL);
    eventually("the program ends with its monitor", || !is_alive(pid));
    assert!(listed(&engine, 1).contains(&"container web, which nobody sees to any more".to_owned()));
    engine.call("restore").ok();
    assert_eq!(listed(&engine, 0), [] as [&str; 0]);
    assert_eq!(engine.inspect("web", ".State.Status"), "exited");
}

#[test]
fn the_processes_of_a_container_whose_files_are_gone_are_ended() {
    let Some(engine) = Engine::new() else { return };
    let _turn = turn();
    let id = engine.detached("--name web", "sleep 1000");
    let pid = engine.pid("web");
    fs::remove_dir_all(engine.root().join("containers").join(&id)).unwrap();
    let found = listed(&engine, 1);
    assert!(
        found.contains(&format!("process {pid} (sleep)")) || found.contains(&format!("process {pid} (sh)")),
        "{found:#?}"
    );
    assert!(
        found.contains(&format!("name web of {id}")) && found.contains(&format!("cgroup mini-docker/{id}")),
        "{found:#?}"
    );
    engine.call("restore").ok();
    assert!(!is_alive(pid));
    eventually("all of it is gone", || engine.call("leaks").code == 0);
    assert!(cgroups(&id).iter().all(|directory| !directory.exists()));
}

#[test]
fn an_old_empty_cgroup_goes_and_a_young_one_may_be_about_to_be_used() {
    let Some(engine) = Engine::new() else { return };
    let _turn = turn();
    // While a container runs the parent stays.
    engine.detached("", "sleep 1000");
    let ids = [0, 1].map(|_| {
        let random = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().replace('-', "");
        random.trim_end().repeat(2)
    });
    let directories: Vec<Vec<PathBuf>> = ids
        .iter()
        .map(|id| cgroups(id).into_iter().filter(|path| path.parent().unwrap().exists()).collect())
        .collect();
    for directory in directories.iter().flatten() {
        fs::create_dir(directory).unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    for directory in &directories[0] {
        File::open(directory).unwrap().set_times(FileTimes::new().set_modified(long_ago)).unwrap();
    }
    let line = |id: &str| format!("cgroup mini-docker/{id}");
    let found = listed(&engine, 1);
    assert!(found.contains(&line(&ids[0])) && !found.contains(&line(&ids[1])), "{found:#?}");
    engine.call("restore").ok();
    assert!(directories[0].iter().all(|directory| !directory.exists()));
    assert!(directories[1].iter().all(|directory| directory.exists()));
    directories[1].iter().for_each(|directory| fs::remove_dir(directory).unwrap());
}
