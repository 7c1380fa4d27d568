//! `cargo x transcripts [--bless] [PAGE…]`: replays what the book says that commands print.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xtask::book::Page;
use xtask::transcript::{self, Block, Place, Replay};
use xtask::workspace::Workspace;

const PAGES: &str = "book/src";

/// What happened to a block.
enum Verdict {
    Same,
    /// What is wrong, and the outputs that the page should have where only those differ.
    Differs(String, Option<Vec<String>>),
    Skipped(String),
}

/// Replays the blocks of the pages that `arguments` name, or of all.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (bless, pages): (Vec<&str>, Vec<&str>) =
        arguments.iter().partition(|argument| argument.starts_with('-'));
    let bless = match bless[..] {
        [] => false,
        ["--bless"] => true,
        _ => bail!("`cargo x transcripts` has no option {}\nhint: there is `--bless`", bless.join(" ")),
    };
    let workspace = Workspace::read()?;
    let chosen = choose(&workspace.root, &pages)?;
    let blocks: Vec<Block> = chosen.iter().flat_map(|(_, blocks)| blocks.clone()).collect();
    build(&workspace.root, &transcript::builds(&blocks))?;
    let place = place(&workspace)?;
    let mut tally = Tally::default();
    for (page, blocks) in &chosen {
        let mut wanted = Vec::new();
        for block in blocks {
            let begun = Instant::now();
            let verdict = judge(block, &place)?;
            let name = format!("{}:{}", block.page.display(), block.line);
            match verdict {
                Verdict::Same => println!("ok       {name} ({:.1} s)", begun.elapsed().as_secs_f64()),
                Verdict::Differs(_, Some(outputs)) if bless => {
                    println!("blessed  {name}");
                    wanted.push((block, outputs));
                }
                Verdict::Differs(why, _) => {
                    println!("FAILED   {name}\n{why}");
                    tally.failed.push(name);
                    continue;
                }
                Verdict::Skipped(need) => {
                    println!("skipped  {name}: needs {need}");
                    tally.skipped.push((name, need));
                    continue;
                }
            }
            tally.passed += 1;
        }
        if !wanted.is_empty() {
            let blessed = transcript::blessed(&page.source, &wanted);
            fs::write(workspace.root.join(&page.path), blessed)
                .with_context(|| format!("write {}", page.path.display()))?;
        }
    }
    tally.end()
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<(String, String)>,
}

impl Tally {
    fn end(self) -> Result<()> {
        let Self { passed, failed, skipped } = self;
        println!("transcripts: {passed} replayed, {} failed, {} skipped", failed.len(), skipped.len());
        for (name, need) in &skipped {
            println!("skipped: needs {need}: {name}");
        }
        ensure!(
            failed.is_empty(),
            "{} of the pages' console blocks do not say what the machine says\n\
             hint: `cargo x transcripts --bless PAGE` writes what it says; look at the difference before",
            failed.len()
        );
        let must_run = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
        let unmet: Vec<&str> =
            skipped.iter().map(|(_, need)| need.as_str()).filter(|need| !machine_lacks(need)).collect();
        ensure!(!must_run || unmet.is_empty(), "skipped, but MINI_REQUIRE_ALL=1: needs {}", unmet.join(", "));
        Ok(())
    }
}

/// Whether `need` is what no package or setting can give this machine: a kernel that was started with the
/// other version of cgroups.
fn machine_lacks(need: &str) -> bool {
    ["cgroup-v1", "cgroup-v2"].contains(&need)
}

/// The pages that `names` choose, and of each the blocks. A name is a page's path, its file's name, or the
/// beginning of that; `:LINE` after it chooses the block in which that line stands.
fn choose(root: &Path, names: &[&str]) -> Result<Vec<(Page, Vec<Block>)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root.join(PAGES))
        .with_context(|| format!("list {PAGES}"))?
        .filter_map(|entry| Some(Path::new(PAGES).join(entry.ok()?.file_name())))
        .filter(|path| path.extension() == Some(OsStr::new("md")))
        .collect();
    paths.sort();
    let mut used = vec![false; names.len()];
    let (mut chosen, mut complaints) = (Vec::new(), Vec::new());
    for path in paths {
        let mut lines = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let (page, line) =
                name.rsplit_once(':').map_or((*name, None), |(page, line)| (page, line.parse().ok()));
            if is_called(&path, page) {
                used[index] = true;
                lines.push(line);
            }
        }
        if !names.is_empty() && lines.is_empty() {
            continue;
        }
        let source =
            fs::read_to_string(root.join(&path)).with_context(|| format!("read {}", path.display()))?;
        let page = Page::parse(path.clone(), source);
        let (mut blocks, wrong) = transcript::blocks(&page);
        complaints.extend(wrong.into_iter().map(|(line, why)| format!("{}:{line}: {why}", path.display())));
        blocks.retain(|block| {
            let to = block.line + page.source[block.range.clone()].lines().count();
            lines.is_empty()
                || lines.iter().any(|line| line.is_none_or(|line| (block.line..to).contains(&line)))
        });
        chosen.push((page, blocks));
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    if let Some(index) = used.iter().position(|used| !used) {
        bail!("no page `{}` in {PAGES}", names[index]);
    }
    Ok(chosen)
}

fn is_called(path: &Path, name: &str) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path == Path::new(name)
        || path.file_name() == Some(OsStr::new(name))
        || (!name.is_empty() && stem.starts_with(name))
}

/// Builds everything that the blocks run, so that nothing is compiled while a block's clock runs.
fn build(root: &Path, builds: &[Vec<String>]) -> Result<()> {
    for arguments in builds {
        println!("building `cargo build {}`", arguments.join(" "));
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet"]).args(arguments).current_dir(root);
        let status = cargo.status().context("run `cargo build`")?;
        ensure!(status.success(), "`cargo build {}` failed: {status}", arguments.join(" "));
    }
    Ok(())
}

/// Our programs come first on the path, then the toolchain that runs us, then the system's.
fn place(workspace: &Workspace) -> Result<Place> {
    let mut targets = vec![workspace.target.clone(), workspace.root.join("exercises/target")];
    targets.retain(|target| target.exists());
    let mut path = vec![workspace.target.join("debug")];
    path.extend(toolchain());
    let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    path.extend(system.map(PathBuf::from));
    let path: OsString = std::env::join_paths(path).context("put together a search path")?;
    Ok(Place { root: workspace.root.clone(), targets, path })
}

/// Where cargo and rustc are: beside the cargo that runs us, else where the caller's shell finds one.
fn toolchain() -> Option<PathBuf> {
    let ours = std::env::var_os("CARGO").and_then(|cargo| Some(Path::new(&cargo).parent()?.to_owned()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    ours.or_else(|| std::env::split_paths(&path).find(|folder| folder.join("cargo").exists()))
}

fn judge(block: &Block, place: &Place) -> Result<Verdict> {
    for need in &block.requires {
        match transcript::has(need) {
            Some(true) => {}
            Some(false) => return Ok(Verdict::Skipped(need.clone())),
            None => {
                let known = transcript::ABILITIES.join(", ");
                return Ok(Verdict::Differs(format!("  no ability `{need}`; there are {known}"), None));
            }
        }
    }
    let replay = transcript::replay(block, place)
        .with_context(|| format!("replay {}:{}", block.page.display(), block.line))?;
    Ok(compare(block, &replay))
}

fn compare(block: &Block, replay: &Replay) -> Verdict {
    let mut complaints = Vec::new();
    if let Some(why) = &replay.cut_short {
        let at = block.commands.get(replay.answers.len()).map_or("the end", |command| command.text.as_str());
        complaints.push(format!("  ended early ({why}) at `{at}`, after printing:\n{}", replay.rest));
    }
    complaints.extend(replay.leaks.iter().map(|leak| format!("  left behind: {leak}")));
    if let Some(last) =
        replay.answers.last().filter(|last| replay.cut_short.is_none() && last.status != block.status)
    {
        complaints.push(format!("  the last command's status is {}, not {}", last.status, block.status));
    }
    let whole = complaints.is_empty();
    let mut outputs = Vec::new();
    for (command, answer) in block.commands.iter().zip(&replay.answers) {
        let output = transcript::reconcile(&command.expected, &answer.output);
        if output != command.expected {
            let difference = transcript::difference(&command.expected, &output);
            complaints.push(format!("line {}: `{}`\n{difference}", command.line, command.text));
        }
        outputs.push(output);
    }
    if complaints.is_empty() {
        Verdict::Same
    } else {
        Verdict::Differs(complaints.join("\n"), whole.then_some(outputs))
    }
}
