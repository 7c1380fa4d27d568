//! Out of a chroot, with what a process inside may do: make directories, chroot(2), chdir(2).

use std::error::Error;
use std::fs;
use std::path::Path;

use mini_sys::{mount, process};

/// Makes `/` mean the host's root directory again.
///
/// The process is root inside a chroot that was made with care: its root directory and its working directory are both the
/// jail. It may write there.
pub fn escape() -> Result<(), Box<dyn Error>> {
    // ANCHOR: escape
    fs::create_dir("/below")?;
    // The root is now below the place where the process stands, and out of its way.
    mount::chroot(Path::new("/below"))?;
    for _ in 0..64 {
        process::chdir(Path::new(".."))?;
    }
    mount::chroot(Path::new("."))?;
    Ok(())
    // ANCHOR_END: escape
}
