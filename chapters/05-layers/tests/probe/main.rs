//! What the kernel tests drive: a process without threads, which may change its namespaces and be killed.
//!
//! `apply LAYERS TAR [mine]` unpacks a layer and prints its chain id and the milliseconds it took.
//! `pack TREE` prints the digest and size of a tree's tar, and the milliseconds.
//! `overlay HOW TARGET UPPER WORK LOWER...` mounts in a mount namespace of its own and obeys lines on standard
//! input. `full DIRECTORY` stores more than fits in a file system of 1 MiB and prints the errors and how many
//! files are left. `rootless PROGRAM...` becomes root of a user namespace that maps nobody else, and then the probe
//! with those arguments.
#![allow(clippy::print_stdout, reason = "its output is what the tests read")]

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use mini_layers::{Blobs, Digest, Hashing, Layers, Overlay, Owners, Packing, Upper, decompress, write_tar};
use mini_sys::mount::{MsFlags, mount};
use mini_sys::namespace::{CloneFlags, unshare};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["apply", layers, tar] => apply(Path::new(layers), Path::new(tar), Owners::Keep),
        ["apply", layers, tar, "mine"] => apply(Path::new(layers), Path::new(tar), Owners::Mine),
        ["pack", tree] => pack(Path::new(tree)),
        ["overlay", how, target, upper, work, lower @ ..] => {
            let upper = (*upper != "-").then(|| Upper { tree: upper.into(), work: work.into() });
            let userxattr = how.ends_with("userxattr");
            let overlay = Overlay { lower: lower.iter().map(PathBuf::from).collect(), upper, userxattr };
            show(&overlay, how.starts_with("classic"), Path::new(target))
        }
        ["full", directory] => full(Path::new(directory)),
        ["rootless", rest @ ..] => rootless(rest),
        _ => bail!("unknown arguments {words:?}"),
    }
}

fn apply(layers: &Path, tar: &Path, owners: Owners) -> anyhow::Result<()> {
    let began = Instant::now();
    let layers = Layers::open(layers)?;
    let layer = layers.apply(None, None, decompress(File::open(tar)?)?, owners)?;
    println!("{} {}", layer.chain_id, began.elapsed().as_millis());
    Ok(())
}

fn pack(tree: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut sink = Hashing::new(io::sink());
    write_tar(tree, &mut sink, Packing::default())?;
    let (_, digest, bytes) = sink.finish();
    println!("{digest} {bytes} {}", began.elapsed().as_millis());
    Ok(())
}

fn packed(tree: &Path) -> anyhow::Result<Digest> {
    let mut sink = Hashing::new(io::sink());
    write_tar(tree, &mut sink, Packing::default())?;
    Ok(sink.finish().1)
}

fn full(room: &Path) -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    mount("tmpfs", room, "tmpfs", MsFlags::empty(), "size=1m")?;
    let blobs = Blobs::open(room)?;
    let error = blobs.put(&mut io::repeat(7).take(4 << 20)).map(drop).map_err(anyhow::Error::from);
    println!("{:#}", error.expect_err("a blob of 4 MiB fits in 1 MiB"));
    let layers = Layers::open(&room.join("layers"))?;
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(4 << 20);
    tar.append_data(&mut header, "large", io::repeat(7).take(4 << 20))?;
    let tar = tar.into_inner()?;
    let error = layers.apply(None, None, &tar[..], Owners::Mine).map(drop).map_err(anyhow::Error::from);
    println!("{:#}", error.expect_err("a layer of 4 MiB fits in 1 MiB"));
    println!("{}", blobs.list()?.len() + fs::read_dir(room.join("ingest"))?.count());
    println!("{}", fs::read_dir(room.join("layers"))?.count());
    Ok(())
}

fn show(overlay: &Overlay, classic: bool, target: &Path) -> anyhow::Result<()> {
    // In a user namespace of ours the mount namespace is ours already.
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    if classic {
        overlay.mount_classic(target)?
    } else {
        overlay.mount_at(target)?
    }
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let done = match words.as_slice() {
            ["read", path] => fs::read_to_string(target.join(path)),
            ["write", path, text] => fs::write(target.join(path), text).map(|()| "written".to_owned()),
            ["mkdir", path] => fs::create_dir(target.join(path)).map(|()| "made".to_owned()),
            ["remove", path] => fs::remove_file(target.join(path))
                .or_else(|_| fs::remove_dir_all(target.join(path)))
                .map(|()| "removed".to_owned()),
            ["pack"] => Ok(packed(target)?.to_string()),
            ["list", path] => list(&target.join(path)),
            _ => bail!("unknown line {line:?}"),
        };
        println!("{}", done.unwrap_or_else(|error| format!("{:?}", error.kind())));
    }
    Ok(())
}

fn list(directory: &Path) -> io::Result<String> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort();
    Ok(names.join(" "))
}

fn rootless(arguments: &[&str]) -> anyhow::Result<()> {
    let (uid, gid) = (mini_sys::Uid::effective(), mini_sys::Gid::effective());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    let program = std::env::current_exe().context("find the probe")?;
    Err(std::process::Command::new(program).args(arguments).exec().into())
}
