//! The same commands to Docker and to this engine: what they print, and how they end, is the same.
//!
//! `cases` are lines as a user types them, `dockerd` starts the engine to compare with, `plain` makes texts
//! comparable: ids, times and names by chance become words. What stays different stands in `differences` with its
//! reason; a difference that is not there, or no more, fails the test.

mod cases;
mod differences;
mod dockerd;
mod edges;
mod plain;
mod scenes;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use self::cases::{CASES, Case};
use self::differences::{DIFFERENCES, Difference};
use self::dockerd::Dockerd;
use self::edges::EDGES;
use self::plain::Plain;
use self::scenes::SCENES;
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
        command.arg("-c").arg(self.script(line)).current_dir(&self.directory);
        command.stdin(std::process::Stdio::null());
        finish(&mut command, None)
    }

    /// A line with what it needs.
    fn script(&self, line: &str) -> String {
        let (name, value) = &self.environment;
        let program = self.program.display();
        format!("export DOCKER_CLI_HINTS=false PROGRAM='{program}' {name}='{value}'\n{PRELUDE}{line}")
    }

    /// Takes away what a case has left: the next one begins with nothing.
    fn clear(&self) {
        self.sh("rm -rf w; docker ps -aq | xargs -r \"$PROGRAM\" rm -f; docker images -q | sort -u | xargs -r \"$PROGRAM\" rmi -f");
        self.sh("docker import rootfs.tar box").ok();
    }

    /// What the lines of a case answer, one text each.
    fn answers(&self, case: &Case) -> Vec<String> {
        let mut plain = Plain::default();
        let lines = case.lines();
        let answers = lines.iter().map(|line| plain.answer(&self.sh(line))).collect();
        self.clear();
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
    let mut comparison = Comparison { version: dockerd.version, report: String::new(), found: Vec::new() };
    for case in CASES.iter().chain(EDGES) {
        let answers = (theirs.answers(case), ours.answers(case));
        comparison.add(case.name, &case.lines(), &answers);
    }
    for scene in SCENES {
        let answers = (scene.play(&theirs), scene.play(&ours));
        comparison.add(scene.name, &scene.lines(), &answers);
    }
    let report = comparison.end();
    assert!(report.is_empty(), "{report}");
}

/// What is different, and not known to be.
struct Comparison {
    /// The Docker that it is about.
    version: &'static str,
    report: String,
    /// Which of [`DIFFERENCES`] have been seen.
    found: Vec<usize>,
}

impl Comparison {
    fn add(&mut self, name: &str, lines: &[&str], (theirs, ours): &(Vec<String>, Vec<String>)) {
        for ((line, theirs), ours) in lines.iter().zip(theirs).zip(ours) {
            if theirs == ours {
                continue;
            }
            let known = DIFFERENCES
                .iter()
                .position(|known| known.counts(self.version) && known.case == name && *line == known.line);
            self.found.extend(known);
            let seen = format!("\n# {name}\n$ {line}\n--- docker\n{theirs}--- mini-docker\n{ours}");
            if let Some(number) = known {
                // `cargo test … -- --nocapture` shows the known ones too.
                eprintln!("{seen}known: {}", DIFFERENCES[number].why);
            } else {
                self.report.push_str(&seen);
            }
        }
    }

    fn end(mut self) -> String {
        for (number, known) in DIFFERENCES.iter().enumerate() {
            if known.counts(self.version) && !self.found.contains(&number) {
                let Difference { case, line, why, .. } = known;
                let _ =
                    write!(self.report, "\n# {case}\n$ {line}\nno difference any more, which was: {why}\n");
            }
        }
        self.report
    }
}
