//! The same commands to Docker and to this engine: what they print, and how they end, is the same.
//!
//! `cases` are lines as a user types them, `dockerd` starts the engine to compare with, `plain` makes texts
//! comparable: ids, times and names by chance become words. What stays different stands in `differences` with its
//! reason; a difference that is not there, or no more, fails the test.

mod cases;
mod differences;
mod dockerd;
mod plain;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use self::cases::{CASES, Case};
use self::differences::{DIFFERENCES, Difference};
use self::dockerd::Dockerd;
use self::plain::Plain;
use crate::harness::{Engine, binary, finish};

/// What every line can use beside `docker`.
const PRELUDE: &str = "docker() { command \"$PROGRAM\" \"$@\"; }
until_ended() { while [ \"$(docker inspect -f '{{.State.Status}}' \"$1\")\" != exited ]; do sleep 0.05; done; }
";

/// One of the two.
struct Side<'a> {
    program: &'a Path,
    /// Where it finds its engine.
    environment: (&'a str, String),
    /// The test's own files, of this side.
    directory: std::path::PathBuf,
}

impl Side<'_> {
    fn sh(&self, line: &str) -> crate::harness::Done {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{PRELUDE}{line}")).current_dir(&self.directory);
        command.env("PROGRAM", self.program).env(self.environment.0, &self.environment.1);
        command.env("DOCKER_CLI_HINTS", "false").stdin(std::process::Stdio::null());
        finish(&mut command, None)
    }

    /// What the lines of a case answer, one text each.
    fn answers(&self, case: &Case) -> Vec<String> {
        let mut plain = Plain::default();
        let lines = case.lines();
        let answers = lines.iter().map(|line| {
            let done = self.sh(line);
            let (out, err) = (plain.text(&done.out()), plain.errors(&done.err()));
            format!(
                "{out}{}[{}]\n",
                err.lines().map(|line| format!("! {line}\n")).collect::<String>(),
                done.code
            )
        });
        let answers = answers.collect();
        // The next case begins with nothing.
        self.sh("docker ps -aq | xargs -r \"$PROGRAM\" rm -f; docker images -q | sort -u | xargs -r \"$PROGRAM\" rmi -f");
        self.sh("docker import rootfs.tar box").ok();
        answers
    }
}

#[test]
fn docker_and_this_engine_answer_alike() {
    let Some(engine) = Engine::empty() else { return };
    let Some(dockerd) = Dockerd::start(&engine) else { return };
    let rootfs = dockerd::rootfs();
    let side = |name: &str, program, environment| {
        let directory = engine.path(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("rootfs.tar"), &rootfs).unwrap();
        let side = Side { program, environment, directory };
        side.sh("docker import rootfs.tar box").ok();
        side
    };
    let docker = dockerd::found("docker");
    let theirs = side("theirs", &docker, ("DOCKER_HOST", dockerd.address()));
    let root = engine.root().display().to_string();
    let ours = side("ours", binary(), ("MINI_DOCKER_ROOT", root));
    let mut report = String::new();
    let mut found = Vec::new();
    for case in CASES {
        let (theirs, ours) = (theirs.answers(case), ours.answers(case));
        for ((line, theirs), ours) in case.lines().iter().zip(&theirs).zip(&ours) {
            if theirs == ours {
                continue;
            }
            let known = DIFFERENCES.iter().position(|known| {
                known.counts(dockerd.version) && known.case == case.name && *line == known.line
            });
            found.extend(known);
            let seen = format!("\n# {}\n$ {line}\n--- docker\n{theirs}--- mini-docker\n{ours}", case.name);
            if let Some(number) = known {
                // `cargo test … -- --nocapture` shows the known ones too.
                eprint!("{seen}known: {}\n", DIFFERENCES[number].why);
            } else {
                report.push_str(&seen);
            }
        }
    }
    for (number, known) in DIFFERENCES.iter().enumerate() {
        if known.counts(dockerd.version) && !found.contains(&number) {
            let Difference { case, line, why, .. } = known;
            let _ = write!(report, "\n# {case}\n$ {line}\nno difference any more, which was: {why}\n");
        }
    }
    assert!(report.is_empty(), "{report}");
}
