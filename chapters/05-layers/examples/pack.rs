//! Writes a directory to standard output as a layer's tar: the upper directory of an overlay, for example.
//!
//! `cargo run -p mini-layers --example pack -- DIRECTORY | tar -t`

use std::path::Path;

use anyhow::Context as _;
use mini_layers::{Packing, write_tar};

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).context("usage: pack DIRECTORY > LAYER.tar")?;
    write_tar(Path::new(&directory), std::io::stdout().lock(), Packing::default())?;
    Ok(())
}
