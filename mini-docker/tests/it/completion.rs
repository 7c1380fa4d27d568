//! `completion`, by the shells themselves on a terminal, and `man`.

use std::process::Command;

use mini_sys::signal::Signal;

use crate::harness::{self, Engine, PATIENCE};
use crate::needs;
use crate::pty::Session;

/// Starts the shell on a terminal, with an engine of its own and no settings of the user's.
fn shell(engine: &Engine, words: &str) -> Session {
    let home = engine.path("home");
    std::fs::create_dir_all(&home).unwrap();
    let programs = harness::binary().parent().unwrap().display();
    let script = format!(
        "export HOME={} PATH={programs}:$PATH MINI_DOCKER_ROOT={}; unset XDG_CONFIG_HOME XDG_DATA_HOME; exec {words}",
        home.display(),
        engine.root().display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(&home);
    Session::start(&mut command, 100, 40)
}

/// Lets the shell complete the name of a container, and of an image, and looks whether the commands were understood.
#[track_caller]
fn completes(words: &str, setup: &str) {
    let program = words.split(' ').next().unwrap();
    let Some(engine) = Engine::new() else { return };
    if !needs::program(program) {
        return;
    }
    engine.call("run --name zebra-one host true").ok();
    engine.call("run --name yak host true").ok();
    let mut session = shell(&engine, words);
    session.keys(setup);
    session.keys("mini-docker run --name by-tab hos\ttrue\n");
    session.keys("mini-docker ren\t\u{15}mini-docker rm --for\t zeb\t\n");
    let begun = std::time::Instant::now();
    let names = || engine.call("ps -a --format {{.Names}}").ok();
    while names() != "by-tab\nyak" {
        assert!(begun.elapsed() < PATIENCE / 4, "{program} shows {:?}", session.text());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    session.keys("exit\n");
    let code = harness::exit_code(&mut session.child, || program.to_owned());
    assert_eq!(code, 0);
}

#[test]
fn bash_completes_names() {
    completes("bash --norc --noprofile -i", "source <(mini-docker completion bash)\n");
}

#[test]
fn zsh_completes_names() {
    let setup = "autoload -Uz compinit; compinit -u -d ~/dump\nsource <(mini-docker completion zsh)\n";
    completes("zsh -f -i", setup);
}

#[test]
fn fish_completes_names() {
    completes("fish --no-config -i", "mini-docker completion fish | source\n");
}

/// What bash is offered for the last of these words.
fn offered(engine: &Engine, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(harness::binary());
    command.args(["--", "mini-docker"]).args(words).env("_MINI_DOCKER_COMPLETE", "bash");
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true");
    command.env("MINI_DOCKER_ROOT", engine.root());
    harness::finish(&mut command, None).ok().lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn commands_flags_and_names_are_offered() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    engine.call("run --name worker host true").ok();
    engine.call("tag host whale:1").ok();
    for (words, expected) in [
        (&["insp"][..], &["inspect"][..]),
        (&["container", "ins"], &["inspect"]),
        (&["ps", "--no"], &["--no-trunc"]),
        (&["start", "w"], &["web", "worker"]),
        (&["rm", "web", "w"], &["web", "worker"]),
        (&["rm", "--force", ""], &["web", "worker"]),
        (&["rmi", "w"], &["whale:1"]),
        (&["inspect", "w"], &["web", "worker", "whale:1"]),
        (&["run", "-it", "wh"], &["whale:1"]),
        (&["run", "whale:1", "h"], &[]),
        (&["completion", ""], &["bash", "fish", "zsh"]),
        (&["run", "--pull", "n"], &["never"]),
        (&["start", "nosuch"], &[]),
    ] {
        assert_eq!(offered(&engine, words), expected, "{words:?}");
    }
    // The engine that is typed counts.
    let other = engine.path("other").display().to_string();
    assert_eq!(offered(&engine, &["--root", &other, "start", "w"]), [] as [&str; 0]);
    assert!(!engine.path("other").exists(), "whoever presses Tab makes no directory");
}

#[test]
fn a_verb_is_offered_what_it_has_a_use_for() {
    let Some(engine) = Engine::new() else { return };
    engine.call("create --name made host true").ok();
    engine.call("run --name ended host true").ok();
    engine.detached("--name runs", "sleep 1000");
    engine.detached("--name still", "sleep 1000");
    engine.call("pause still").ok();
    // As `docker __complete VERB ""` answers.
    for (verbs, expected) in [
        (&["start", "rm"][..], &["ended", "made"][..]),
        (&["stop", "kill", "wait", "top", "stats", "port", "diff", "commit"], &["runs", "still"]),
        (&["pause", "attach", "exec"], &["runs"]),
        (&["unpause"], &["still"]),
        (&["restart", "logs", "rename", "update", "export"], &["ended", "made", "runs", "still"]),
    ] {
        for verb in verbs {
            assert_eq!(offered(&engine, &[verb, ""]), expected, "{verb}");
        }
    }
    assert_eq!(offered(&engine, &["container", "stop", "st"]), ["still"]);
    assert_eq!(offered(&engine, &["rm", "-vf", ""]), ["ended", "made", "runs", "still"]);
    assert_eq!(offered(&engine, &["exec", "-it", "r"]), ["runs"]);
    // A monitor that was killed has its container end with it, whether or not that has been written down.
    let monitor = harness::parent(engine.pid("runs"));
    harness::kill(monitor, Signal::SIGKILL);
    harness::eventually("it is gone", || !harness::is_alive(monitor));
    assert_eq!(offered(&engine, &["stop", ""]), ["still"]);
    assert_eq!(offered(&engine, &["start", "r"]), ["runs"]);
}

#[test]
fn every_command_has_a_man_page_with_its_examples() {
    let engine = Engine::anywhere();
    let pages = engine.path("pages");
    engine.with("man", &[pages.display().to_string()]).ok();
    let names = harness::names(&pages);
    for name in
        ["mini-docker.1", "mini-docker-run.1", "mini-docker-container-ls.1", "mini-docker-system-df.1"]
    {
        assert!(names.iter().any(|own| own == name), "{name} is not in {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains("help")), "{names:?}");
    let stop = std::fs::read_to_string(pages.join("mini-docker-stop.1")).unwrap();
    for part in [
        "mini\\-docker stop [OPTIONS] CONTAINER [CONTAINER...]",
        ".SH OPTIONS",
        ".SH EXAMPLES",
        "mini\\-docker stop \\-t 30 web",
    ] {
        assert!(stop.contains(part), "{part} is not in {stop}");
    }
    let all = engine.call("man").ok();
    assert!(all.contains(".TH mini-docker 1") && all.contains("mini\\-docker\\-run(1)"), "{all}");
    assert!(!engine.root().exists());
}
