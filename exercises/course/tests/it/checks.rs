//! What a check says. Requires cargo, and root or user namespaces.
//!
//! All tests here share one copy and take turns: cargo builds one thing at a time anyway, and a second copy would be
//! built all over again. Each puts its own work into the exercise `pivot`. They build where the checker itself is
//! built, since most of what they need is there; a proof, which does so too, has to wait.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use course::Ability;

use crate::desk::{Said, command, copy_in, course, project, said};

const ROOT_RS: &str = "exercises/01-chroot/pivot/src/root.rs";

static TURN: Mutex<()> = Mutex::new(());

/// The copy, while it is this test's turn.
struct Turn {
    copy: PathBuf,
    _turn: MutexGuard<'static, ()>,
    _no_proof: File,
}

impl Turn {
    /// None where this machine can make no box.
    fn take() -> Option<Self> {
        if let Some(missing) = Ability::UserNamespaces.missing() {
            let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!required, "needs user namespaces, and MINI_REQUIRE_ALL is set");
            eprintln!("skipped: needs user namespaces: {}", missing.reason);
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = project().join("target/exercises-proof");
        fs::create_dir_all(&scratch).unwrap();
        let no_proof = File::create(scratch.join("lock")).unwrap();
        no_proof.lock().unwrap();
        // The same copy each time, brought up to date: cargo then builds again only what has changed.
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checks");
        let copy = base.join("containers");
        let is_fresh =
            course(&copy, &["reset", "pivot"]).status == 0 && course(&copy, &["update"]).status == 0;
        if !is_fresh {
            let _ = fs::remove_dir_all(&copy);
            fs::create_dir_all(&base).unwrap();
            copy_in(&base);
        }
        let _ = fs::remove_file(copy.join(".course/progress.json"));
        Some(Self { copy, _turn: turn, _no_proof: no_proof })
    }

    fn course(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut command = command(&self.copy, arguments);
        command.env("CARGO_TARGET_DIR", target);
        command
    }

    /// Solves the exercise, with something done before the swap.
    fn solve(&self, with: &str) {
        let finished = fs::read_to_string(self.copy.join("chapters/01-chroot/src/root.rs")).unwrap();
        let text = finished.replace("    // ANCHOR: pivot\n", &format!("    // ANCHOR: pivot\n    {with}\n"));
        assert!(with.is_empty() || text != finished);
        fs::write(self.copy.join(ROOT_RS), text).unwrap();
    }
}

#[test]
fn from_the_untouched_starter_to_a_pass() {
    let Some(turn) = Turn::take() else { return };
    turn.course(&["check", "pivot"]).with(
        1,
        &["not solved yet", "That is expected", ROOT_RS, "not yet implemented: make `root` the root mount"],
    );
    turn.solve("");
    turn.course(&["check", "pivot", "--seed", "7"])
        .with(0, &["passed: `pivot`", "invariants 1, 2; seed 7", "next: "]);
    turn.course(&["solution", "pivot"]).with(0, &["pivot_root(Path::new(\".\"), Path::new(\".\"))"]);
    turn.course(&["list"]).with(0, &["solved", "1 of "]);
    let json = turn.course(&["check", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.with(0, &[]).out).unwrap();
    assert_eq!((json["exercise"].as_str(), json["result"].as_str()), (Some("pivot"), Some("passed")));
}

#[test]
fn a_broken_solution_is_told_by_invariant_expectation_finding_and_cause() {
    let Some(turn) = Turn::take() else { return };
    turn.solve("");
    let text = fs::read_to_string(turn.copy.join(ROOT_RS)).unwrap();
    let broken = text.replace("    mount::umount2(Path::new(\".\"), MntFlags::MNT_DETACH)?;\n", "");
    assert_ne!(text, broken);
    fs::write(turn.copy.join(ROOT_RS), broken).unwrap();
    turn.course(&["check", "pivot"]).with(
        1,
        &[
            "failed: `pivot`",
            "invariant 2: No name leads to the host's files",
            "expected  one mount",
            "found     ",
            "likely    the old root is still mounted",
            "what holds: invariants 1",
            "book/src/01-chroot.md#invariants",
            "hint: `cargo course hint pivot`",
        ],
    );
}

#[test]
fn the_compilers_own_words_are_shown() {
    let Some(turn) = Turn::take() else { return };
    turn.solve("let x: u32 = \"seven\";");
    turn.course(&["check", "pivot"]).with(
        1,
        &[
            "error[E0308]: mismatched types",
            "expected `u32`, found `&str`",
            "root.rs",
            "`pivot` does not compile",
        ],
    );
}

#[test]
fn a_program_that_hangs_is_told_and_ended() {
    let Some(turn) = Turn::take() else { return };
    turn.solve("loop { std::thread::sleep(std::time::Duration::from_secs(1)); }");
    turn.course(&["check", "pivot"]).with(1, &["pivot-driver hangs: no line and no end in 5 s"]);
}

#[test]
fn a_program_that_forks_without_end_is_told_and_ended() {
    let Some(turn) = Turn::take() else { return };
    turn.solve("loop { let _ = std::process::Command::new(\"/bin/sleep\").arg(\"1000\").spawn(); }");
    turn.course(&["check", "pivot"]).with(1, &["forks without end"]);
}

#[test]
fn a_program_that_prints_without_end_is_told() {
    let Some(turn) = Turn::take() else { return };
    turn.solve("for _ in 0..100 { print!(\"{}\", \"x\".repeat(1 << 20)); }");
    turn.course(&["check", "pivot"]).with(1, &["pivot-driver printed more than 1 MiB and was stopped"]);
}

#[test]
fn a_program_that_mounts_over_proc_is_told_and_the_machine_keeps_its_own() {
    let Some(turn) = Turn::take() else { return };
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    turn.solve(
        "let up = std::fs::File::open(format!(\"/proc/{}/ns/mnt\", std::os::unix::process::parent_id())).unwrap();
    mini_sys::namespace::setns(&up, mini_sys::clone::CloneFlags::CLONE_NEWNS)?;
    mount::mount(\"tmpfs\", Path::new(\"/proc\"), \"tmpfs\", MsFlags::empty(), \"\")?;",
    );
    turn.course(&["check", "pivot"]).with(1, &["/proc"]);
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

#[test]
fn a_watched_exercise_is_checked_again_when_it_is_saved_and_ends_with_a_pass() {
    for options in [&["check", "pivot", "--watch"][..], &["check", "pivot", "--watch", "--poll"]] {
        let Some(turn) = Turn::take() else { return };
        let mut command = turn.command(options);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let waits = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(waits.into_iter().any(|line| line.starts_with("waiting for you to save")));
        turn.solve("");
        end_after(&mut child, Duration::from_secs(300));
        said(&child.wait_with_output().unwrap()).with(0, &["not solved yet", "passed: `pivot`"]);
    }
}

/// Waits for the end of a program that waits for what may never come, or ends it.
fn end_after(child: &mut Child, time: Duration) {
    let until = Instant::now() + time;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
