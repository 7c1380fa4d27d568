//! Prints as JSON what criterion has kept of a chapter: `cargo x bench ch07 --keep` builds this, runs it after the
//! benchmarks, and makes the page's table of it.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Result, bail};
use mini_benches::kept::kept;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (chapter, optimised) = match &arguments[..] {
        [chapter] => (chapter, true),
        [chapter, option] if option == "--unoptimised" => (chapter, false),
        _ => bail!("usage: keep CHAPTER [--unoptimised]"),
    };
    println!("{}", serde_json::to_string_pretty(&kept(chapter, optimised)?)?);
    Ok(())
}
