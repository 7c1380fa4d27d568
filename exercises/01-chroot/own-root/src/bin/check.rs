//! All of the chapter's claims about a process that goes into a root, checked on a host whose mounts are shared.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use course_check::{Check, Program, kernel};
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
        let secret = check.directory("outside")?.join(check.word());
        fs::write(&secret, check.word())?;

        let jail = check.jail("jail")?;
        let later = jail.join(check.word());
        fs::create_dir(&later)?;

        check.proving(1);
        the_weak_way(check, &jail)?;

        let before = mounts_of_the_host()?;
        let mut program = check
            .start("driver", ["enter".as_ref(), jail.as_os_str(), "/probe".as_ref(), secret.as_os_str()])?;
        let seen = program.seen();
        let new: Vec<String> = mounts_of_the_host()?.difference(&before).cloned().collect();
        check
            .invariant(3, "entering changes nothing on the host")
            .expected("the host's mountinfo as it was before")
            .found(if new.is_empty() { "the same".to_owned() } else { format!("new: {}", new.join(", ")) })
            .cause("a mount was made before the tree, all of it, was private")
            .holds(new.is_empty());
        take_back(&jail);
        let seen = seen?;
        stands_inside(check, "enter", program.pid(), &jail)?;
        alone(check, program.pid())?;

        let read = seen.text(&secret).map_or("no file".to_owned(), |text| format!("its text, `{text}`"));
        check
            .invariant(2, "`..` leads nowhere, and a file of the host has no name")
            .expected(format!("`{}` above `/`, and no file", seen.root.join(" ")))
            .found(format!("`{}`, and {read}", seen.above.join(" ")))
            .cause("the old root is still stacked at `/`, and `..` steps onto it")
            .holds(seen.above == seen.root && seen.text(&secret).is_none());
        nothing_arrives(check, &program, &later)?;
        program.finish()?;
        at_the_top(check, &jail)
    })
}

fn the_weak_way(check: &mut Check, jail: &Path) -> Result<(), Box<dyn Error>> {
    let mut program = check.start("driver", ["chroot".as_ref(), jail.as_os_str(), "/probe".as_ref()])?;
    program.seen()?;
    stands_inside(check, "chroot", program.pid(), jail)?;
    program.finish()?;
    Ok(())
}

fn stands_inside(check: &mut Check, way: &str, pid: u32, jail: &Path) -> Result<(), Box<dyn Error>> {
    let inside = kernel::identity(jail)?;
    let word = |found| if found == inside { "the jail" } else { "another directory" };
    let (root, directory) = (kernel::root(pid)?, kernel::working_directory(pid)?);
    check
        .invariant(1, format!("after `{way}` its root and its working directory are the jail"))
        .expected("root: the jail, working directory: the jail")
        .found(format!("root: {}, working directory: {}", word(root), word(directory)))
        .cause("neither chroot(2) nor pivot_root(2) promises to move the working directory: chdir(2)")
        .holds(root == inside && directory == inside);
    Ok(())
}

/// mountinfo hides what is outside the root, so it shows the same after chroot(2) into a mount: [`at_the_top`] can tell.
fn alone(check: &mut Check, pid: u32) -> Result<(), Box<dyn Error>> {
    let mounts = kernel::mounts(pid)?;
    let points: Vec<String> =
        mounts.iter().map(|mount| format!("{} on {}", mount.kind, mount.point)).collect();
    check
        .invariant(2, "its mount table holds the jail and nothing else")
        .expected("one mount")
        .found(format!("{} mounts: {}", mounts.len(), points.join(", ")))
        .cause("the old root is still mounted: umount2(2) was not called, or on another mount")
        .holds(mounts.len() == 1);
    Ok(())
}

/// The host mounts something in the jail's directory while the container runs.
fn nothing_arrives(check: &mut Check, program: &Program, later: &Path) -> Result<(), Box<dyn Error>> {
    mount::mount("later", later, "tmpfs", MsFlags::empty(), "")?;
    let arrived = kernel::mounts(program.pid())?.into_iter().any(|mount| mount.source == "later");
    mount::umount2(later, MntFlags::MNT_DETACH)?;
    check
        .invariant(3, "a mount that the host makes later does not arrive inside")
        .expected("no new mount in the container's mountinfo")
        .found(if arrived { "the host's new mount" } else { "none" })
        .cause("the container's mounts still listen to the host's: MS_SLAVE instead of MS_PRIVATE")
        .holds(!arrived);
    Ok(())
}

/// Whether the root is the top of the mount tree: the probe inside tries to walk out, as in the exercise `escape`.
fn at_the_top(check: &mut Check, jail: &Path) -> Result<(), Box<dyn Error>> {
    check.proving(1);
    let mut program = check
        .start("driver", ["enter".as_ref(), jail.as_os_str(), "/probe".as_ref(), "--break-out".as_ref()])?;
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
    let line = |mount: kernel::Mount| {
        format!("{} of {} on {} (mount {})", mount.root, mount.kind, mount.point, mount.id)
    };
    Ok(mounts.into_iter().map(line).collect())
}
