//! Two layers stacked, a file changed, and what changed as a third layer. Needs root (or `unshare -r`).
//!
//! `cargo run -p mini-layers --example layers`
#![allow(clippy::print_stdout, reason = "a demo shows what it does")]

use std::fs;
use std::path::Path;

use mini_layers::{Layers, Overlay, Owners, Packing, Upper, changes, write_tar};
use mini_sys::mount::{MntFlags, MsFlags, mount, umount2};
use mini_sys::namespace::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    // From here on, nothing we mount is seen by the host.
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    let room = tempfile::tempdir()?;

    let layers = Layers::open(&room.path().join("layers"))?;
    let base = archive(&[("etc/motd", "hello from below\n"), ("etc/gone", "")])?;
    let base = layers.apply(None, None, &base[..], Owners::Keep)?;
    // A layer takes away with a name: `.wh.gone` removes `gone`.
    let top = archive(&[("etc/.wh.gone", ""), ("etc/hosts", "127.0.0.1 localhost\n")])?;
    let top = layers.apply(Some(&base.chain_id), None, &top[..], Owners::Keep)?;

    let [tree, work, merged] = ["upper", "work", "merged"].map(|name| room.path().join(name));
    for directory in [&tree, &work, &merged] {
        fs::create_dir(directory)?;
    }
    let upper = Some(Upper { tree: tree.clone(), work });
    let overlay = Overlay { lower: layers.trees(&top.chain_id)?, upper, userxattr: false };
    println!("{}\n  {}", overlay.call(), overlay.why());
    overlay.mount_at(&merged)?;
    for entry in fs::read_dir(merged.join("etc"))? {
        println!("the stack shows etc/{}", entry?.file_name().display());
    }
    fs::write(merged.join("etc/motd"), "hello from the container\n")?;
    fs::remove_file(merged.join("etc/hosts"))?;
    umount2(&merged, MntFlags::empty())?;

    for change in changes(&tree, &layers.stack(&top.chain_id)?)? {
        println!("{change}");
    }
    let mut tar = Vec::new();
    write_tar(&tree, &mut tar, Packing::default())?;
    let third = layers.apply(Some(&top.chain_id), None, &tar[..], Owners::Keep)?;
    println!("the third layer of the image is {}", third.diff_id);
    Ok(())
}

fn archive(files: &[(&str, &str)]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes())?;
    }
    builder.into_inner()
}
