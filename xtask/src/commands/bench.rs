//! `cargo x bench [FILTER]`: the benchmarks of every chapter, timed by criterion; `cargo x bench ch07 --keep`: those of
//! one chapter, kept as numbers and as the table of its page.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xtask::measured::{Measured, table};
use xtask::workspace::Workspace;

use super::ladder::write;

/// Runs the benchmarks whose names contain the words of `filter`; criterion takes its own options there too.
pub(crate) fn run(filter: &[&str]) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--package", "mini-benches", "--bench", &programs(filter), "--"]).args(filter);
    let status = cargo.status().context("run `cargo bench`")?;
    ensure!(status.success(), "`cargo bench` failed: {status}");
    Ok(())
}

/// Runs the benchmarks of `chapter`, and keeps what came of them.
pub(crate) fn keep(chapter: &str) -> Result<()> {
    if chapter_of(chapter) != Some(chapter) {
        bail!("`--keep` comes after a chapter such as `ch07`, not after `{chapter}`");
    }
    let workspace = Workspace::read()?;
    // What is measured beside the functions is the program.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--package", "mini-docker", "--package", "mini-benches", "--bins"]);
    ensure!(cargo.status().context("run `cargo build`")?.success(), "`cargo build` failed");
    run(&[chapter])?;
    let program = workspace.target.join("release/keep");
    let output = Command::new(&program).arg(chapter).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("run {}", program.display()))?;
    ensure!(output.status.success(), "what was measured cannot be read: {}", output.status);
    let json = String::from_utf8(output.stdout).context("read the measurements")?;
    let table = table(&Measured::parse(&json)?);
    print!("{table}");
    write(&workspace.root, &format!("benches/results/{chapter}.json"), &json)?;
    write(&workspace.root, &format!("benches/results/{chapter}.txt"), &table)
}

/// `ch07`, if the filter begins with a chapter.
fn chapter_of(filter: &str) -> Option<&str> {
    let chapter = filter.get(..4)?;
    let is_chapter = chapter.starts_with("ch") && chapter[2..].bytes().all(|byte| byte.is_ascii_digit());
    is_chapter.then_some(chapter)
}

/// The programs to build, as cargo takes a pattern: the chapter's alone where the filter begins with one, since
/// each takes its time to link, else all.
fn programs(filter: &[&str]) -> String {
    let chapter = filter.first().and_then(|word| chapter_of(word));
    format!("{}*", chapter.unwrap_or("ch"))
}

#[cfg(test)]
mod tests {
    use super::{chapter_of, programs};

    #[test]
    fn a_filter_that_names_a_chapter_builds_that_one_alone() {
        assert_eq!(programs(&["ch05"]), "ch05*");
        assert_eq!(programs(&["ch05/mount", "--test"]), "ch05*");
        assert_eq!(programs(&["overlay"]), "ch*");
        assert_eq!(programs(&["change"]), "ch*");
        assert_eq!(programs(&[]), "ch*");
        assert_eq!(chapter_of("ch07"), Some("ch07"));
        assert_eq!(chapter_of("change"), None);
    }
}
