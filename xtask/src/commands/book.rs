//! `cargo x book`: builds the book, or with `--check` proves that a reader can use it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xtask::book::{self, Book};
use xtask::browser::devtools::{self, Chromium};
use xtask::browser::{judge, probe, server};
use xtask::workspace::Workspace;

/// The one version that we build with: another may make other names for headings.
const VERSION: &str = "0.5.4";

/// Builds, and then does what `arguments` say.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let workspace = Workspace::read()?;
    match arguments {
        [] => build(&workspace),
        ["--check"] => {
            build(&workspace)?;
            // Both, so that whoever mends one thing hears of the other.
            let mut complaints = check_text(&workspace)?;
            complaints.extend(check_pages(&workspace.target.join("book"))?);
            ensure!(
                complaints.is_empty(),
                "{} things to mend in the book:\n{}",
                complaints.len(),
                complaints.join("\n")
            );
            println!("book: all is well");
            Ok(())
        }
        ["--serve", options @ ..] => serve(&workspace, options),
        _ => bail!("`cargo x book` takes `--check` or `--serve`, not `{}`", arguments.join(" ")),
    }
}

fn build(workspace: &Workspace) -> Result<()> {
    let mdbook = mdbook(workspace)?;
    let to = workspace.target.join("book");
    let output = Command::new(&mdbook)
        .arg("build")
        .arg(workspace.root.join("book"))
        .arg("--dest-dir")
        .arg(&to)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {}", mdbook.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| is_complaint(line)).collect();
    ensure!(
        output.status.success() && complaints.is_empty(),
        "mdbook does not build the book:\n{}",
        said.trim_end()
    );
    println!("book: built {}", to.join("index.html").display());
    Ok(())
}

/// Whether mdbook says in `line` that something is not as it should be.
fn is_complaint(line: &str) -> bool {
    line.split_whitespace()
        .take(3)
        .any(|word| ["WARN", "ERROR", "WARN:", "ERROR:", "[WARN]", "[ERROR]"].contains(&word))
}

fn check_text(workspace: &Workspace) -> Result<Vec<String>> {
    let complaints = book::check(&Book::read(&workspace.root)?);
    println!("book: read the text; {} to mend", complaints.len());
    Ok(complaints.iter().map(ToString::to_string).collect())
}

fn check_pages(folder: &Path) -> Result<Vec<String>> {
    let Some(program) = devtools::find() else {
        let must_run = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
        ensure!(
            !must_run,
            "skipped, but MINI_REQUIRE_ALL=1: needs chromium\nhint: `apt-get install chromium`"
        );
        println!("skipped: needs chromium (`apt-get install chromium`)");
        return Ok(Vec::new());
    };
    let pages = probe::pages(folder)?;
    let base = server::serve(folder)?;
    let mut chromium = Chromium::start(&program)?;
    let visits = probe::visit(&mut chromium, &base, &pages)?;
    let mut complaints = judge::complaints(&visits, &base, |path| folder.join(path).is_file());
    if probe::search(&mut chromium, &base, "introduction.html", "container")? == 0 {
        complaints.push("introduction.html: the search finds no `container`".to_owned());
    }
    let (pages, width) = (pages.len(), probe::WIDTH);
    println!(
        "book: opened {pages} pages in a browser, {width} pixels wide, light and dark; {} to mend",
        complaints.len()
    );
    Ok(complaints)
}

fn serve(workspace: &Workspace, options: &[&str]) -> Result<()> {
    let mdbook = mdbook(workspace)?;
    let mut serve = Command::new(&mdbook);
    serve
        .arg("serve")
        .arg(workspace.root.join("book"))
        .arg("--dest-dir")
        .arg(workspace.target.join("book-served"));
    let status = serve.args(options).status().with_context(|| format!("run {}", mdbook.display()))?;
    ensure!(status.success(), "`mdbook serve` failed: {status}");
    Ok(())
}

/// mdbook in our version: what is on the path, what was installed here before, or what is installed now.
fn mdbook(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.target.join("tools");
    let ours = tools.join("bin/mdbook");
    if let Some(found) = [PathBuf::from("mdbook"), ours.clone()].into_iter().find(|program| is_ours(program))
    {
        return Ok(found);
    }
    println!(
        "book: installing mdbook {VERSION} into {} (once; some four minutes on two cores)",
        tools.display()
    );
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["install", "--quiet", "mdbook", "--version", &format!("={VERSION}"), "--locked", "--root"])
        .arg(&tools);
    let status = cargo.status().context("run `cargo install`")?;
    ensure!(
        status.success(),
        "`cargo install mdbook` failed: {status}\nhint: it comes from crates.io; without a network, put mdbook {VERSION} on the path"
    );
    Ok(ours)
}

fn is_ours(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .any(|word| word.trim_start_matches('v') == VERSION)
    })
}

#[cfg(test)]
mod tests {
    use super::is_complaint;

    #[test]
    fn mdbooks_warnings_are_told_from_its_progress() {
        assert!(is_complaint(" WARN no such file"));
        assert!(is_complaint("2026-11-25 10:00:00 [ERROR] (mdbook): no anchor"));
        assert!(!is_complaint(" INFO Book building has started"));
    }
}
