//! A directory with a copy in it, and the program that works there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project that these tests belong to.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// What a command said, and its exit status.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `course ARGUMENTS` in `directory`, without colours and without what cargo told this test.
pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
    command.args(arguments).current_dir(directory).env_remove("CARGO_MANIFEST_DIR").env("NO_COLOR", "1");
    command
}

/// A directory that is not there is status -1.
pub(crate) fn course(directory: &Path, arguments: &[&str]) -> Said {
    match command(directory, arguments).output() {
        Ok(output) => said(&output),
        Err(error) => Said { status: -1, out: String::new(), err: error.to_string() },
    }
}

pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { status: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

impl Said {
    /// Fails unless the status is this one and every text was said, on whichever stream.
    #[track_caller]
    pub(crate) fn with(&self, status: i32, texts: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        for text in texts {
            assert!(self.out.contains(text) || self.err.contains(text), "no `{text}` in {self:#?}");
        }
        self
    }
}

/// A new copy in `directory`, where nothing is built.
pub(crate) fn copy_in(directory: &Path) -> PathBuf {
    let copy = directory.join("containers");
    course(&project(), &["init", copy.to_str().unwrap(), "--no-build"])
        .with(0, &["made ", "cargo course next"]);
    copy
}
