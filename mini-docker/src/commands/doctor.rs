//! `doctor`: what this machine can do for containers, and how to mend what it cannot.

use mini_engine::Home;
use mini_engine::doctor::{self, Check, Verdict};

pub(crate) fn run(home: &Home) -> anyhow::Result<u8> {
    let checks = doctor::examine(home);
    super::print(&checks.iter().map(line).collect::<String>())?;
    Ok(u8::from(checks.iter().any(|check| check.verdict == Verdict::Missing)))
}

fn line(check: &Check) -> String {
    let verdict = match check.verdict {
        Verdict::Ok => "OK",
        Verdict::Degraded => "DEGRADED",
        Verdict::Missing => "MISSING",
    };
    let fix = if check.fix.is_empty() { String::new() } else { format!("\n{:27}fix: {}", "", check.fix) };
    format!("{verdict:<10}{:<17}{}{fix}\n", check.name, crate::failure::plain(&check.found))
}
