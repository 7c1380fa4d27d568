//! From the name of an image to its files: manifest, configuration, layers, trees. Each text is checked as it is read.
//!
//! `cargo run -p mini-images --example walk -- STORE NAME`, with the store of mini-docker, `/var/lib/mini-docker`
#![allow(clippy::print_stdout, reason = "a demo shows what it does")]

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use mini_images::{Images, Reference};
use mini_layers::Owners;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, name] = &arguments[..] else { anyhow::bail!("usage: walk STORE NAME") };
    let store = Path::new(store);
    let images = Images::open(&store.join("images"), &store.join("layers"), Owners::Keep)?;

    println!("{name} is short for {}", name.parse::<Reference>()?);
    let image = images.find(name)?;
    println!("its manifest is {}", image.manifest);
    println!("its configuration is {}, and that is the image id", image.id);
    println!("it is for {}/{}", image.config.os, image.config.architecture);
    let chain_ids = image.chain_ids();
    for (diff_id, chain_id) in image.config.rootfs.diff_ids.iter().zip(&chain_ids) {
        println!("a layer is {diff_id}\n  with those below it {chain_id}");
    }
    let top = chain_ids.last().context("an image without layers")?;
    for tree in images.layers.trees(top)? {
        println!("a tree has {} names at its top", fs::read_dir(tree)?.count());
    }
    Ok(())
}
