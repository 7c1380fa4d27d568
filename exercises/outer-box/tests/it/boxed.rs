//! Driving the program `outer-box`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// A word that is nowhere else on this machine.
pub(crate) fn word() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("outer-box-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The program with `options`, about to run `script` in a box. Every process in there has `word` in its environment.
pub(crate) fn command(options: &[&str], script: &str, word: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outer-box"));
    command.args(options).args(["--", "sh", "-c", script]);
    command.env("OUTER_BOX_TEST", word).stdin(Stdio::null()).current_dir("/");
    command
}

/// The options of a box in which the engine is in sight, wherever it was built.
pub(crate) fn with_engine(mini_docker: &Path) -> [&str; 4] {
    let directory = mini_docker.parent().and_then(Path::to_str).unwrap();
    ["--timeout", "60", "--readable", directory]
}

/// Runs `script` in a box, and checks that nothing of it is left on the machine.
pub(crate) fn run(options: &[&str], script: &str) -> Ran {
    let word = word();
    let mut command = command(options, script, &word);
    crate::host::unchanged(&word, || {
        let begun = Instant::now();
        let output = command.output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: begun.elapsed(),
        }
    })
}

impl Ran {
    /// The lines about leaks, without what comes before the kind.
    pub(crate) fn leaks(&self) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix("outer-box: left: ")).collect()
    }

    /// The script did what it should and left nothing.
    #[track_caller]
    pub(crate) fn is_clean(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert!(self.leaks().is_empty(), "{self:#?}");
        self
    }

    /// What was told on how it ended.
    pub(crate) fn ended(&self) -> &str {
        let line = self.stderr.lines().find_map(|line| line.strip_prefix("outer-box: ")).unwrap_or_default();
        line.split(" after ").next().unwrap_or_default()
    }
}
