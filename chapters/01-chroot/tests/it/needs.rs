//! What a test requires of the machine. An unmet need skips the test, and fails it where `MINI_REQUIRE_ALL=1`
//! says that this machine has everything.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Whether to go on: when `met`, or else after saying what is missing.
pub(crate) fn need(what: &str, met: bool) -> bool {
    let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(met || !required, "needs {what}, and MINI_REQUIRE_ALL is set");
    if !met {
        eprintln!("skipped: needs {what}");
    }
    met
}

pub(crate) fn root() -> bool {
    need("root", mini_sys::Uid::effective().is_root())
}

pub(crate) fn gcc() -> bool {
    need("gcc", Command::new("gcc").arg("--version").output().is_ok_and(|output| output.status.success()))
}

/// Runs one of this crate's examples: libtest has threads, so what clones or calls chroot(2) is a process
/// of its own.
pub(crate) fn example(name: &str, arguments: &[&str]) -> Output {
    // The tests are in target/<profile>/deps, the examples beside that.
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", name]);
    assert!(path.exists(), "{} is missing: `cargo build -p mini-chroot --examples` first", path.display());
    Command::new(path).args(arguments).output().unwrap()
}

/// What an example printed, after it has succeeded.
pub(crate) fn stdout(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}
