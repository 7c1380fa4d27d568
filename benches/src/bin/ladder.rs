//! Measures the cost ladder and prints it as JSON: `cargo x bench ladder` builds this, runs it as root, and
//! shows the result.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use anyhow::{Context as _, Result, bail};
use mini_benches::ladder::{Stage, measure};
use mini_benches::needs;

/// Enough for a median that holds still, and done in half a minute.
const ROUNDS: u32 = 100;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match &arguments[..] {
        [] => ROUNDS,
        [option, number] if option == "--rounds" => {
            number.parse().with_context(|| format!("read `--rounds {number}`"))?
        }
        _ => bail!("usage: ladder [--rounds N]"),
    };
    let is_possible = needs::overlay() && needs::cgroups().is_some();
    let (true, Some(mini_docker)) = (is_possible, needs::mini_docker()) else {
        bail!("the ladder cannot be measured here");
    };
    let ladder = measure(&Stage::new(mini_docker)?, rounds)?;
    println!("{}", serde_json::to_string_pretty(&ladder)?);
    Ok(())
}
