//! The container's first process: `/inside NAME` prints `ready`, then what your attack finds.

use std::io::Write as _;

#[path = "../attack.rs"]
mod attack;

fn main() -> std::io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    out.flush()?;
    match attack::read_key(&name) {
        Ok(text) => writeln!(out, "key {}", text.trim_end()),
        Err(error) => writeln!(out, "error: {error}"),
    }
}
