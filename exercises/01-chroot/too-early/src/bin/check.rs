//! Does a container come and go without leaving a mount on the host?
//!
//! The check plays the host: it is in a mount namespace in which everything is shared, as systemd leaves it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use course_check::{Check, Seen, kernel};
use mini_sys::clone::CloneFlags;
use mini_sys::mount::{self, MntFlags, MsFlags};
use mini_sys::namespace;

fn main() -> ExitCode {
    course_check::main(|check| {
        namespace::unshare(CloneFlags::CLONE_NEWNS)?;
        // Private first: what was shared before stays tied to where it came from.
        for propagation in [MsFlags::MS_PRIVATE, MsFlags::MS_SHARED] {
            mount::mount("", Path::new("/"), "", MsFlags::MS_REC | propagation, "")?;
        }
        let jail = check.jail("jail")?;
        let later = jail.join(check.word());
        fs::create_dir(&later)?;

        let before = mounts_of_the_host()?;
        let mut program = check.start("driver", [jail.as_os_str(), "/probe".as_ref()])?;
        let seen = program.seen();
        let new: Vec<String> = mounts_of_the_host()?.difference(&before).cloned().collect();
        check
            .invariant(3, "entering the jail changes nothing on the host")
            .expected("the host's mountinfo as it was before")
            .found(if new.is_empty() { "the same".to_owned() } else { format!("new: {}", new.join(", ")) })
            .cause("a mount was made while the tree was still shared: from the copy it travels to the host")
            .holds(new.is_empty());
        take_back(&jail);

        check.proving(2);
        no_way_out(check, program.pid(), &seen?)?;

        // The host mounts something in the jail's directory when the container runs.
        mount::mount("later", &later, "tmpfs", MsFlags::empty(), "")?;
        let arrived = kernel::mounts(program.pid())?.into_iter().any(|mount| mount.source == "later");
        mount::umount2(&later, MntFlags::MNT_DETACH)?;
        check
            .invariant(3, "a mount that the host makes later does not arrive inside")
            .expected("no new mount in the container's mountinfo")
            .found(if arrived { "the host's new mount" } else { "none" })
            .cause("the container's mounts still listen to the host's: MS_SLAVE or MS_SHARED instead of MS_PRIVATE")
            .holds(!arrived);
        program.finish()?;
        at_the_top(check, &jail)
    })
}

/// mountinfo hides what is outside the root, so it shows the same after chroot(2) into a mount: [`at_the_top`] can tell.
fn no_way_out(check: &mut Check, pid: u32, seen: &Seen) -> Result<(), Box<dyn Error>> {
    let mounts = kernel::mounts(pid)?;
    check
        .invariant(2, "`..` leads nowhere, and no other mount is there")
        .expected("one mount, and `/..` is `/`")
        .found(format!("{} mounts, and `/..` holds `{}`", mounts.len(), seen.above.join(" ")))
        .cause("the old root is still stacked at `/`")
        .holds(mounts.len() == 1 && seen.above == seen.root);
    Ok(())
}

/// Whether the root is the top of the mount tree: the probe inside tries to walk out, as in the exercise `escape`.
fn at_the_top(check: &mut Check, jail: &Path) -> Result<(), Box<dyn Error>> {
    check.proving(1);
    let mut program = check.start("driver", [jail.as_os_str(), "/probe".as_ref(), "--break-out".as_ref()])?;
    let seen = program.seen()?;
    check
        .invariant(1, "`/` is the root of its mount namespace: who breaks out of it is still in the jail")
        .expected(format!("`{}`, and what the attack made", seen.root.join(" ")))
        .found(format!("`{}`", seen.above.join(" ")))
        .cause("chroot(2) moves a name; pivot_root(2) moves the mount")
        .holds(seen.root.iter().all(|name| seen.above.contains(name)));
    program.finish()?;
    take_back(jail);
    Ok(())
}

/// Unmounts what has come from the container, so that the check leaves nothing.
fn take_back(jail: &Path) {
    // EINVAL: nothing is mounted there any more.
    while mount::umount2(jail, MntFlags::MNT_DETACH).is_ok() {}
}

/// The list as a set: what a mount shows and where.
fn mounts_of_the_host() -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mounts = kernel::mounts(std::process::id())?;
    Ok(mounts
        .into_iter()
        .map(|mount| format!("{} of {} on {} (mount {})", mount.root, mount.kind, mount.point, mount.id))
        .collect())
}
