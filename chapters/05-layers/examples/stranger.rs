//! A stranger's archive unpacked twice: by a loop that checks names and nothing else, and by this crate.
//!
//! `cargo run -p mini-layers --example stranger`
#![allow(clippy::print_stdout, reason = "a demo shows what it does")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use anyhow::ensure;
use mini_layers::{Layers, Owners};
use tar::{Archive, Builder, EntryType, Header};

fn main() -> anyhow::Result<()> {
    let room = tempfile::tempdir()?;
    let (tree, diary) = (room.path().join("tree"), room.path().join("diary"));
    fs::create_dir(&tree)?;
    fs::write(&diary, "mine")?;

    let tar = archive()?;
    naive(&tar, &tree)?;
    println!("the naive loop made tree/ and the diary beside it says: {}", fs::read_to_string(&diary)?);

    fs::write(&diary, "mine")?;
    let layers = Layers::open(&room.path().join("layers"))?;
    let refused = layers.apply(None, None, &tar[..], Owners::Mine).map_err(anyhow::Error::from);
    println!("mini-layers: {:#}", refused.expect_err("the archive was accepted"));
    println!("the diary says: {}", fs::read_to_string(&diary)?);
    println!("left in the store: {}", fs::read_dir(room.path().join("layers"))?.count());
    Ok(())
}

// ANCHOR: archive
fn archive() -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    let mut link = Header::new_ustar();
    link.set_entry_type(EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "up", "..")?;
    let mut file = Header::new_ustar();
    file.set_size(4);
    builder.append_data(&mut file, "up/diary", &b"harm"[..])?;
    builder.into_inner()
}
// ANCHOR_END: archive

// ANCHOR: naive
fn naive(tar: &[u8], tree: &Path) -> anyhow::Result<()> {
    for entry in Archive::new(tar).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        ensure!(name.components().all(|part| matches!(part, Component::Normal(_))), "`..` in a name");
        match entry.link_name()? {
            Some(target) => symlink(target, tree.join(&name))?,
            None => fs::write(tree.join(&name), std::io::read_to_string(&mut entry)?)?,
        }
    }
    Ok(())
}
// ANCHOR_END: naive
