//! Does the attack lead out of a chroot, and nowhere after pivot_root?

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::kernel::{self, Identity};
use course_check::{Check, Program};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        // A file of the host, to be read as a process outside would.
        let secret = check.directory("outside")?.join(check.word());
        let text = check.word();
        fs::write(&secret, &text)?;
        let host = kernel::identity("/")?;

        // How deep the jail lies is different each time.
        let (jail, depth) = deep_jail(check, "first")?;
        let mut program = attack(check, "chroot", &jail)?;
        let found = place(program.pid(), &jail, host)?;
        check
            .invariant(2, format!("out of a chroot that lies {depth} directories deep: `/` is the host's"))
            .expected("`/` is the host's root directory")
            .found(&found)
            .cause("`..` stops at the root only for who stands in it: put the root below you, go up, make `/` what you reach")
            .holds(found == HOST);
        let read = secret_of(program.pid(), &secret);
        check
            .invariant(2, "from there a file of the host can be read by its name")
            .expected(format!("`{text}` in {}", secret.display()))
            .found(read.as_deref().unwrap_or("no such file"))
            .cause("the working directory may be outside; names that begin with `/` begin at the root")
            .holds(read.as_deref() == Some(text.as_str()));
        program.finish()?;

        let (jail, _) = deep_jail(check, "second")?;
        let mut program = attack(check, "pivot_root", &jail)?;
        let found = place(program.pid(), &jail, host)?;
        let read = secret_of(program.pid(), &secret);
        check
            .invariant(2, "the same attack after pivot_root ends in the jail")
            .expected(format!("`/` is the jail or a directory in it, and {} is not there", secret.display()))
            .found(format!("{found}; {}", if read.is_some() { "the file was read" } else { "no such file" }))
            .cause("you found another door, such as /proc/PID/root: that one is shut by a pid namespace, chapter 2. Use chroot(2) and chdir(2)")
            .holds(found != HOST && read.is_none());
        program.finish()?;
        Ok(())
    })
}

const HOST: &str = "`/` is the host's root directory";

fn deep_jail(check: &mut Check, name: &str) -> Result<(PathBuf, u64), Box<dyn Error>> {
    let mut path = check.directory(name)?;
    let depth = check.number(5..=20);
    for _ in 0..depth {
        path.push(check.word());
    }
    fs::create_dir_all(&path)?;
    Ok((path, depth + 2))
}

fn attack(check: &Check, way: &str, jail: &Path) -> Result<Program, Box<dyn Error>> {
    let mut program = check.start("driver", [way.as_ref(), jail.as_os_str()])?;
    program.line()?;
    Ok(program)
}

/// What `/` means to the process, by the kernel's link, and where it stands.
fn place(pid: u32, jail: &Path, host: Identity) -> Result<String, Box<dyn Error>> {
    let (root, directory) = (kernel::root(pid)?, kernel::working_directory(pid)?);
    if root == host {
        return Ok(HOST.to_owned());
    }
    let is_jail = root == kernel::identity(jail)?;
    let root = if is_jail { "`/` is the jail" } else { "`/` is another directory" };
    Ok(if directory == host {
        format!("{root}, and the process stands in the host's root directory")
    } else {
        root.to_owned()
    })
}

/// The secret as the process would read it.
fn secret_of(pid: u32, secret: &Path) -> Option<String> {
    let inside = secret.strip_prefix("/").unwrap_or(secret);
    fs::read_to_string(Path::new(&format!("/proc/{pid}/root")).join(inside)).ok()
}
