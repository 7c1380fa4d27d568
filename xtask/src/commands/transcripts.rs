//! `cargo x transcripts [--bless] [PAGE[:LINE]…]`: replays what the book says that commands print.

mod choose;
mod vm;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xtask::book::Page;
use xtask::transcript::{self, Block, Place, Replay};
use xtask::workspace::Workspace;

use choose::{Chosen, choose};
use vm::Vm;

/// How the line about a block that failed begins.
const FAILED: &str = "FAILED   ";

/// What happened to a block.
enum Verdict {
    Same,
    /// What is wrong, and the outputs that the page should have where only those differ.
    Differs(String, Option<Vec<String>>),
    Skipped(String),
}

/// What was asked for.
struct Options<'a> {
    /// Write into the pages what the machine says.
    bless: bool,
    /// We are in the virtual machine: nothing can be built here, and everything is slow.
    inside: bool,
    pages: Vec<&'a str>,
}

impl<'a> Options<'a> {
    fn parse(arguments: &[&'a str]) -> Result<Self> {
        let mut options = Self { bless: false, inside: false, pages: Vec::new() };
        for argument in arguments {
            match *argument {
                "--bless" => options.bless = true,
                vm::INSIDE => options.inside = true,
                _ if argument.starts_with('-') => {
                    bail!("`cargo x transcripts` has no option `{argument}`\nhint: there is `--bless`")
                }
                page => options.pages.push(page),
            }
        }
        Ok(options)
    }
}

/// Replays the blocks of the pages that `arguments` name, or of all.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let workspace = if options.inside { vm::workspace()? } else { Workspace::read()? };
    let mut chosen = choose(&workspace.root, &options.pages)?;
    let mut tally = Tally::default();
    if !options.inside {
        let blocks: Vec<Block> = chosen.iter().flat_map(|chosen| chosen.blocks.clone()).collect();
        build(&workspace.root, &transcript::builds(&blocks))?;
        let elsewhere: Vec<&Block> = blocks.iter().filter(|block| needs_only(block, "cgroup-v2")).collect();
        if let Some(vm) = Vm::find(&workspace.root).filter(|_| !elsewhere.is_empty()) {
            let failed = vm.replay(&workspace, &elsewhere, options.bless)?;
            tally.passed += elsewhere.len() - failed.len();
            tally.failed.extend(failed);
            // What was blessed there has moved the lines here.
            chosen = choose(&workspace.root, &options.pages)?;
            for chosen in &mut chosen {
                chosen.blocks.retain(|block| !needs_only(block, "cgroup-v2"));
            }
        }
    }
    let place = place(&workspace)?;
    for chosen in &mut chosen {
        if options.inside {
            chosen.blocks.iter_mut().for_each(|block| block.timeout *= vm::SLOWNESS);
        }
        replay_page(chosen, &workspace, &place, options.bless, &mut tally)?;
    }
    tally.end()
}

fn name(block: &Block) -> String {
    format!("{}:{}", block.page.display(), block.line)
}

/// Whether this machine lacks `ability` for the block, and nothing else.
fn needs_only(block: &Block, ability: &str) -> bool {
    let lacking = block.requires.iter().filter(|need| transcript::has(need) != Some(true));
    lacking.eq([ability])
}

fn replay_page(
    Chosen { page, blocks }: &Chosen,
    workspace: &Workspace,
    place: &Place,
    bless: bool,
    tally: &mut Tally,
) -> Result<()> {
    let mut wanted = Vec::new();
    for block in blocks {
        let begun = Instant::now();
        let name = name(block);
        match judge(block, place)? {
            Verdict::Same => println!("ok       {name} ({:.1} s)", begun.elapsed().as_secs_f64()),
            Verdict::Differs(_, Some(outputs)) if bless => {
                println!("blessed  {name}");
                wanted.push((block, outputs));
            }
            Verdict::Differs(why, _) => {
                println!("{FAILED}{name}\n{why}");
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
    if wanted.is_empty() { Ok(()) } else { write(page, workspace, &wanted) }
}

fn write(page: &Page, workspace: &Workspace, wanted: &[(&Block, Vec<String>)]) -> Result<()> {
    let path = &page.path;
    ensure!(
        workspace.text(path)? == page.source,
        "{} was changed while it was replayed; nothing was written into it",
        path.display()
    );
    let blessed = transcript::blessed(&page.source, wanted);
    fs::write(workspace.root.join(path), blessed).with_context(|| format!("write {}", path.display()))
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

/// Builds everything that the blocks run, so that nothing is compiled while a block's clock runs.
fn build(root: &Path, builds: &[Vec<String>]) -> Result<()> {
    for arguments in builds {
        println!("building `cargo build {}`", arguments.join(" "));
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet"]).args(arguments).current_dir(root);
        // What cargo told this program of its own package some build scripts take for theirs, and the box has none of it.
        let told = |name: &str| name == "CARGO_MANIFEST_DIR" || name.starts_with("CARGO_PKG_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
            cargo.env_remove(name);
        }
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
