//! `driver LAYERS MERGED TAR…`: unpacks the tars over each other with your code and mounts the stack, in a mount
//! namespace of its own; keeps it until standard input ends. `driver LAYERS - TAR` only unpacks.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use ex_whiteouts::{Layers, Overlay, Owners};
use mini_sys::mount::{MsFlags, mount};
use mini_sys::namespace::{CloneFlags, unshare};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, merged, tars @ ..] = &arguments[..] else {
        return Err("usage: driver LAYERS MERGED TAR…".into());
    };
    let layers = Layers::open(Path::new(directory))?;
    let mut top = None;
    for tar in tars {
        let layer = layers.apply(top.as_ref(), None, File::open(tar)?, Owners::Keep).map_err(whole)?;
        top = Some(layer.chain_id);
    }
    let Some(top) = top.filter(|_| merged != "-") else { return Ok(()) };
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    Overlay { lower: layers.trees(&top)?, upper: None, userxattr: false }.mount_at(Path::new(merged))?;
    println!("mounted");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// An error with its causes, in one line.
fn whole(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
