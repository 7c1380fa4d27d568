//! What a test requires of the machine. An unmet need skips the test, and fails it where `MINI_REQUIRE_ALL=1`
//! says that this machine has everything.

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

/// A program of the machine.
pub(crate) fn program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    need(name, std::env::split_paths(&path).any(|directory| directory.join(name).is_file()))
}

/// One of this crate's examples.
pub(crate) fn example(name: &str) -> Command {
    Command::new(example_path(name))
}

pub(crate) fn example_path(name: &str) -> std::path::PathBuf {
    // The tests are in target/<profile>/deps, the examples beside that.
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", name]);
    assert!(
        path.exists(),
        "{} is missing: `cargo build -p mini-namespaces --examples` first",
        path.display()
    );
    path
}

/// What a command printed, after it has succeeded.
pub(crate) fn stdout(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    out.into_owned()
}
