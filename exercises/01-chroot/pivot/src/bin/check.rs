//! Is the jail's root the root of its mount namespace, and is the old root gone?

use std::fs;
use std::process::ExitCode;

use course_check::kernel;

fn main() -> ExitCode {
    course_check::main(|check| {
        // A file of the host, for the jail to look for. Its name and text differ from run to run.
        let outside = check.directory("outside")?;
        let secret = outside.join(check.word());
        let text = check.word();
        fs::write(&secret, &text)?;
        let root = check.jail("jail")?;

        check.proving(1);
        let mut program = check.start("driver", [root.as_os_str(), "/probe".as_ref(), secret.as_os_str()])?;
        let seen = program.seen()?;
        let mounts = kernel::mounts(program.pid())?;
        let points: Vec<String> =
            mounts.iter().map(|mount| format!("{} on {}", mount.kind, mount.point)).collect();
        // A mount whose parent is not in the list stands on nothing: it is the root.
        let stands_on_another = |parent| mounts.iter().any(|mount| mount.id == parent);
        let root_mount =
            mounts.iter().find(|mount| !stands_on_another(mount.parent) || mount.parent == mount.id);
        check
            .invariant(1, "the jail is the root of its mount namespace")
            .expected("a mount of the directory /jail at `/`, which stands on no other")
            .found(root_mount.map_or("no mount at all".to_owned(), |mount| {
                format!("a mount of the directory {} at `{}`", mount.root, mount.point)
            }))
            .cause("chroot(2) moves a name, and leaves the root mount where it was; pivot_root(2) moves the mount")
            .holds(root_mount.is_some_and(|mount| mount.point == "/" && mount.root.ends_with("/jail")));

        check.proving(2);
        check
            .invariant(2, "its mount table holds the jail and nothing else")
            .expected("one mount")
            .found(format!("{} mounts: {}", mounts.len(), points.join(", ")))
            .cause("the old root is still mounted: umount2(2) was not called, or on another mount")
            .holds(mounts.len() == 1);
        check
            .invariant(2, "`..` leads nowhere, from `/` and from its working directory")
            .expected(format!("`{}`, as in the jail's `/`", seen.root.join(" ")))
            .found(format!("`{}`", seen.above.join(" ")))
            .cause("the old root is stacked at `/`, and `..` steps onto it")
            .holds(seen.above == seen.root);
        check
            .invariant(2, "a file of the host cannot be read by its name")
            .expected(format!("no file {}", secret.display()))
            .found(seen.text(&secret).map_or("no file".to_owned(), |text| format!("its text, `{text}`")))
            .cause("`/` is still the host's: nothing was swapped")
            .holds(seen.text(&secret).is_none());
        program.finish()?;
        Ok(())
    })
}
