//! `driver MERGED UPPER WORK LOWER…`: mounts the overlay with your code, in a mount namespace of its own, and keeps
//! it until standard input ends.

use std::error::Error;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ex_upper_and_work::{Overlay, Upper};
use mini_sys::mount::{MsFlags, mount};
use mini_sys::namespace::{CloneFlags, unshare};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [merged, tree, work, lower @ ..] = &paths[..] else {
        return Err("usage: driver MERGED UPPER WORK LOWER…".into());
    };
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    let upper = Some(Upper { tree: tree.clone(), work: work.clone() });
    Overlay { lower: lower.to_vec(), upper, userxattr: false }.mount_at(merged)?;
    println!("mounted");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
