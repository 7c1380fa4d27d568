//! Assembles the image `host`, or a root with the programs named, and prints the list it is made from:
//! `cargo run -p mini-chroot --example assemble -- DIRECTORY [PROGRAM…]`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use mini_chroot::host::Host;
use mini_chroot::{assemble, host_image, tree};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((directory, programs)) = arguments.split_first() else {
        return Err("usage: assemble DIRECTORY [PROGRAM…]".into());
    };
    let start = Instant::now();
    let plan = if programs.is_empty() {
        host_image::plan(&mut Host::new("/"))?
    } else {
        let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
        assemble::plan(&programs, &[], &mut Host::new("/"))?
    };
    let planned = start.elapsed();
    tree::perform(&plan.tree, Path::new(directory))?;
    let performed = start.elapsed() - planned;
    for entry in plan.tree.entries() {
        println!("{entry}");
    }
    for skipped in &plan.skipped {
        println!("skip {}: {}", skipped.program, skipped.reason);
    }
    let (count, mebibytes) = (plan.tree.entries().len(), plan.tree.size() as f64 / 1048576.0);
    println!("{count} entries, {mebibytes:.1} MiB; planned in {planned:.1?}, made in {performed:.1?}");
    Ok(())
}
