//! `course doctor`: what this machine can do for the exercises.

use std::process::Command;

use anstream::println;
use anstyle::AnsiColor;
use anyhow::Result;
use course::Ability;

use crate::status::Status;

enum Verdict {
    Ok,
    Degraded,
    Missing,
}

struct Line {
    name: String,
    verdict: Verdict,
    found: String,
    fix: String,
}

impl Line {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Ok, found: found.into(), fix: String::new() }
    }

    fn bad(
        name: impl Into<String>,
        verdict: Verdict,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), verdict, found: found.into(), fix: fix.into() }
    }
}

pub(crate) fn run() -> Result<Status> {
    let mut lines = vec![program("cargo", "install Rust from https://rustup.rs", Verdict::Missing)];
    lines.push(program(
        "cc",
        "install a C compiler (`apt install gcc`); chapter 5 needs one",
        Verdict::Degraded,
    ));
    lines.push(the_box());
    lines.extend(Ability::WISHED.into_iter().map(ability));
    lines.push(inotify());
    for line in &lines {
        let (word, color) = match line.verdict {
            Verdict::Ok => ("OK", AnsiColor::Green),
            Verdict::Degraded => ("DEGRADED", AnsiColor::Yellow),
            Verdict::Missing => ("MISSING", AnsiColor::Red),
        };
        let style = color.on_default();
        println!("{style}{word:<8}{style:#}  {:<16}  {}", line.name, line.found);
        if !line.fix.is_empty() {
            println!("{:28}hint: {}", "", line.fix);
        }
    }
    let is_missing = lines.iter().any(|line| matches!(line.verdict, Verdict::Missing));
    Ok(if is_missing { Status::CannotRunHere } else { Status::Pass })
}

fn program(name: &str, fix: &str, otherwise: Verdict) -> Line {
    let output = Command::new(name).arg("--version").output().ok().filter(|output| output.status.success());
    match output {
        Some(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Line::ok(name, text.lines().next().unwrap_or_default())
        }
        None => Line::bad(name, otherwise, format!("`{name} --version` does not work"), fix),
    }
}

fn the_box() -> Line {
    match outer_box::run(&outer_box::Request::new(["true"])) {
        Ok(outcome) if outcome.end == outer_box::End::Exited(0) => {
            Line::ok("box", "checks run apart from the machine")
        }
        Ok(outcome) => Line::bad(
            "box",
            Verdict::Missing,
            format!("`true` in the box: {:?}", outcome.end),
            "work in a virtual machine",
        ),
        Err(error) => {
            let fix = error.hint().unwrap_or_else(|| "work in a virtual machine".to_owned());
            Line::bad("box", Verdict::Missing, error.to_string(), fix)
        }
    }
}

/// Without one, some exercises cannot run; without the box, none.
fn ability(ability: Ability) -> Line {
    match ability.missing() {
        None => Line::ok(ability.to_string(), "there"),
        Some(missing) => Line::bad(ability.to_string(), Verdict::Degraded, missing.reason, missing.fix),
    }
}

fn inotify() -> Line {
    match inotify::Inotify::init() {
        Ok(_) => Line::ok("inotify", "`check --watch` hears of a save at once"),
        Err(error) => Line::bad(
            "inotify",
            Verdict::Degraded,
            format!("`check --watch` looks twice a second: {error}"),
            "as root: `sysctl -w fs.inotify.max_user_instances=256`",
        ),
    }
}
