//! `cargo x bench [FILTER]`: the benchmarks of every chapter, timed by criterion.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Runs the benchmarks whose names contain the words of `filter`; criterion takes its own options there too.
pub(crate) fn run(filter: &[&str]) -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--package", "mini-benches", "--bench", &programs(filter), "--"]).args(filter);
    let status = cargo.status().context("run `cargo bench`")?;
    ensure!(status.success(), "`cargo bench` failed: {status}");
    Ok(())
}

/// The programs to build, as cargo takes a pattern: the chapter's alone where the filter begins with one, since
/// each takes its time to link, else all.
fn programs(filter: &[&str]) -> String {
    let chapter = filter.first().and_then(|word| word.get(..4));
    let chapter =
        chapter.filter(|word| word.starts_with("ch") && word[2..].bytes().all(|byte| byte.is_ascii_digit()));
    format!("{}*", chapter.unwrap_or("ch"))
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn a_filter_that_names_a_chapter_builds_that_one_alone() {
        assert_eq!(programs(&["ch05"]), "ch05*");
        assert_eq!(programs(&["ch05/mount", "--test"]), "ch05*");
        assert_eq!(programs(&["overlay"]), "ch*");
        assert_eq!(programs(&["change"]), "ch*");
        assert_eq!(programs(&[]), "ch*");
    }
}
