//! `cargo x`: one command per habit, so that nobody needs to remember how it is done here.
//!
//! A verb is a file in `commands`. Each runs ordinary tools, says in one line what it is doing, and stops at
//! the first that fails. CONTRIBUTING.md says when to use which.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to whoever typed `cargo x` is its work"
)]

mod commands {
    pub(crate) mod bench;
    pub(crate) mod book;
    pub(crate) mod ci;
    pub(crate) mod exercises;
    pub(crate) mod ladder;
    pub(crate) mod transcripts;
}

use std::process::ExitCode;

use anyhow::{Result, bail};

use commands::{bench, book, ci, exercises, ladder, transcripts};

const USAGE: &str = "\
usage: cargo x COMMAND

  ci               all that must pass after `cargo test --workspace`: format, lints, documentation,
                   layering, every benchmark run once, the book, and its transcripts
  bench [FILTER]   run the benchmarks, or those whose name contains FILTER (`ch05`, `overlay`)
  bench CHAPTER --keep
                   run those of a chapter (`ch07`), and keep the numbers and the table of its page in
                   benches/results (needs root)
  bench ladder [--rounds N]
                   measure what each part of a container adds; print a table, draw
                   book/src/figures/ladder.svg, keep benches/results/ladder.json (needs root)
  book             build the book into target/book; gets mdbook first where it is missing
  book --check     build it, and check its text and every page in headless Chromium
  book --serve     build it at every change, at http://localhost:3000
  exercises [ID…]  write the starters and packages of all exercises, or of those
  exercises --check [ID…]
                   prove them: what is generated is up to date, and each check fails on the starter,
                   passes on the solution, and fails on every mutant for the right reason
  transcripts [--bless] [PAGE[:LINE]…]
                   replay the console blocks of the book, or of those pages (`01-chroot`), in a box,
                   and compare; with --bless write into the page what the machine says
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo x: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] | ["help" | "-h" | "--help", ..] => {
            print!("{USAGE}");
            Ok(())
        }
        ["ci"] => ci::run(),
        ["bench", "ladder", options @ ..] => ladder::run(options),
        ["bench", chapter, "--keep"] => bench::keep(chapter),
        ["bench", filter @ ..] => bench::run(filter),
        ["book", arguments @ ..] => book::run(arguments),
        ["exercises", arguments @ ..] => exercises::run(arguments),
        ["transcripts", arguments @ ..] => transcripts::run(arguments),
        [other, ..] => {
            bail!("no command `{other}` that takes these arguments\nhint: `cargo x --help` lists them")
        }
    }
}
