//! A new root without pivot_root(2), which refuses to put away the root that the kernel itself began with: on a ramdisk
//! (`initramfs`) there is no other way.
//!
//! The new root is moved over the old one, which stays beneath it. So everything else is taken down before: what is left
//! under the container is an empty tree of directories, and who may mount could still get there. pivot_root(2), "NOTES";
//! runc's `--no-pivot`.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use mini_sys::mount::{self, MntFlags, MsFlags};
use mini_sys::process::chdir;
use mini_sys::{Errno, Error, Result};

const MOUNTS: &str = "/proc/self/mountinfo";

/// Makes `root`, a mount point, the root of this process, and takes down all mounts that are not in it.
///
/// # Errors
/// `EBUSY` when a mount cannot be taken down, as in a user namespace those of the host cannot; those of mount(2).
pub(crate) fn move_root(root: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::from_io(format!("read({MOUNTS})"), &error);
    // Opened once: it is itself in what is taken down.
    let mut list = File::open(MOUNTS).map_err(failed)?;
    let mut read = || {
        let mut text = String::new();
        list.rewind().and_then(|()| list.read_to_string(&mut text)).map_err(failed)?;
        Ok::<_, Error>(outside(&text, root))
    };
    chdir(root)?;
    for point in read()?.iter().rev() {
        // Those below it went with it, and whether any is left is looked at in the end.
        let _ = mount::umount2(point, MntFlags::MNT_DETACH);
    }
    if let Some(left) = read()?.first() {
        return Err(Error::new(format!("umount2(\"{}\", MNT_DETACH)", left.display()), Errno::EBUSY));
    }
    mount::mount(".", Path::new("/"), "", MsFlags::MS_MOVE, "")?;
    mount::chroot(Path::new("."))?;
    chdir(Path::new("/"))
}

/// The mount points that are neither in `root` nor on the way to it, in the order of their making.
fn outside(mountinfo: &str, root: &Path) -> Vec<PathBuf> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    points.filter(|point| !point.starts_with(root) && !root.starts_with(point)).collect()
}

/// Blanks and backslashes are written as three octal digits. proc_pid_mountinfo(5).
fn unescape(text: &str) -> PathBuf {
    let mut path = text.to_owned();
    for (written, meant) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        path = path.replace(written, meant);
    }
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_new_root_and_on_the_way_to_it_stays() {
        let line = |point: &str| format!("1 2 0:3 / {point} rw - tmpfs tmpfs rw\n");
        let text: String =
            ["/", "/proc", "/srv", "/srv/a\\040b", "/srv/a\\040b/etc", "/srv/a"].map(line).concat();
        let points = outside(&text, Path::new("/srv/a b"));
        assert_eq!(points, [PathBuf::from("/proc"), PathBuf::from("/srv/a")]);
    }
}
