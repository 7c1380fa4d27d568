//! The image `host`: a root filesystem made of this machine's own shell and core utilities.
//!
//! It needs no network and no registry, and its programs are ones that the reader knows. A shell is required;
//! of everything else, the image has what the machine has. Where a program is missing and the machine has a
//! static busybox with it inside, busybox stands in. The files in `/etc` are ours and say as little as
//! programs can live with: nothing about the host's users, its names or its network goes in.
//!
//! hier(7), nsswitch.conf(5), os-release(5), terminfo(5); book ch. 1.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::assemble::{AssembleError, Assembly, Plan, Scripts};
use crate::busybox;
use crate::elf::{Executable, Object};
use crate::host::Host;
use crate::tree::{self, Entry, PerformError};

/// The name that this image has in the engine.
pub const NAME: &str = "host";

/// Programs to take from the machine, where it has them.
const PROGRAMS: &str = "
    [ awk base64 basename bash capsh cat chgrp chmod chown chroot cksum cmp comm cp cut date dd df diff
    dir dirname dmesg du echo egrep env expand expr factor false fgrep find findmnt flock fmt fold free
    getconf getent getopt grep groups gzip head hostname id install ionice ip ipcs join kill less link
    ln logger logname losetup ls lsns md5sum mkdir mkfifo mknod mktemp more mount mountpoint mv nice nl
    nohup nproc nsenter numfmt od paste pgrep pidof ping pivot_root pkill printenv printf prlimit ps pwd
    readlink realpath renice rev rm rmdir sed seq setpriv setsid sha1sum sha256sum sha512sum shuf sleep
    sort split ss stat stdbuf stty sum sync sysctl tac tail tar taskset tee test timeout top touch tr
    true truncate tsort tty umount uname unexpand uniq unlink unshare uptime users vmstat w wc which who
    whoami xargs yes
";

/// Programs that only a busybox may bring: the machine's own are large, scripts, or need files of their own.
const SMALL_ONLY: &str = "
    arping clear gunzip httpd nc netstat nslookup reset traceroute vi watch wget zcat
";

/// Descriptions of the terminals that people have.
const TERMINALS: &str = "
    ansi dumb linux screen screen-256color tmux tmux-256color vt100 vt220 xterm xterm-256color
";

/// Where ncurses looks for them.
const TERMINFO: &[&str] = &["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"];

/// The directories that programs expect, with their permission bits.
const DIRECTORIES: &[(&str, u32)] = &[
    ("/dev", 0o755),
    ("/etc", 0o755),
    ("/home", 0o755),
    ("/mnt", 0o755),
    ("/proc", 0o555),
    ("/root", 0o700),
    ("/run", 0o755),
    ("/srv", 0o755),
    ("/sys", 0o555),
    ("/tmp", 0o1777),
    ("/usr/local/bin", 0o755),
    ("/usr/bin", 0o755),
    ("/usr/sbin", 0o755),
    ("/var", 0o755),
    ("/var/tmp", 0o1777),
];

/// The files that we write, and what is in them.
const FILES: &[(&str, &str)] = &[
    ("/etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"),
    (
        "/etc/os-release",
        "NAME=\"mini-docker host image\"\nPRETTY_NAME=\"mini-docker host image\"\nID=mini-docker-host\n",
    ),
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("/etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
    ("/etc/shells", "/bin/sh\n/bin/bash\n"),
];

/// Why the image `host` could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostImageError {
    /// This machine has no shell that we can take.
    #[error("cannot assemble the image `{NAME}` from this machine's programs")]
    Plan(#[source] AssembleError),
    /// The tree could not be made.
    #[error("cannot write the image `{NAME}`")]
    Perform(#[source] PerformError),
}

/// Makes the image `host` in the directory `root`, which must be empty or not there yet; returns what it is
/// made of.
///
/// # Errors
/// When there is no shell, and when the tree cannot be written.
pub fn host_image(root: &Path) -> Result<Plan, HostImageError> {
    let plan = plan(&mut Host::new("/")).map_err(HostImageError::Plan)?;
    tree::perform(&plan.tree, root).map_err(HostImageError::Perform)?;
    Ok(plan)
}

/// What the image `host` consists of on this machine.
///
/// # Errors
/// When there is no shell.
pub fn plan(host: &mut Host) -> Result<Plan, AssembleError> {
    let mut assembly = Assembly::new(host, Scripts::Refuse);
    assembly.require("sh")?;
    let mut missing: BTreeSet<&str> = SMALL_ONLY.split_whitespace().collect();
    missing.extend(PROGRAMS.split_whitespace().filter(|program| !assembly.offer(program)));
    fill_in(&mut assembly, &missing)?;
    name_services(&mut assembly)?;
    for terminal in TERMINALS.split_whitespace() {
        for directory in TERMINFO {
            let path = Path::new(directory).join(&terminal[..1]).join(terminal);
            if assembly.offer_file(&path)? {
                break;
            }
        }
    }
    for (path, mode) in DIRECTORIES {
        assembly.put(Entry::directory(path, *mode));
    }
    for (path, content) in FILES {
        assembly.put(Entry::text(path, *content, 0o644));
    }
    assembly.finish()
}

/// Lets busybox stand in for what is `missing`, where it is static (a dynamic one is what the whole machine
/// is made of, and then nothing is missing that it has).
fn fill_in(assembly: &mut Assembly<'_>, missing: &BTreeSet<&str>) -> Result<(), AssembleError> {
    let Ok(walk) = assembly.find("busybox") else { return Ok(()) };
    let executable = assembly.host().executable(&walk.path);
    let is_static = executable.is_ok_and(|executable| {
        matches!(&*executable, Executable::Object(Object { interpreter: None, needed, .. }) if needed.is_empty())
    });
    if !is_static {
        return Ok(());
    }
    let file = fs::read(assembly.host().outside(&walk.path)).unwrap_or_default();
    let applets = busybox::applets(&file);
    let stand_ins: Vec<&&str> = missing.iter().filter(|program| applets.contains(**program)).collect();
    if stand_ins.is_empty() || !assembly.offer("busybox") {
        return Ok(());
    }
    let directory = walk.path.parent().unwrap_or(Path::new("/")).to_owned();
    let name = walk.path.file_name().unwrap_or_default();
    for program in stand_ins {
        assembly.stand_in(program, Entry::symlink(directory.join(program), name));
    }
    Ok(())
}

/// Before glibc 2.34 looking up a user's name took a plug-in; it lies beside the C library.
fn name_services(assembly: &mut Assembly<'_>) -> Result<(), AssembleError> {
    let shell = assembly.find("sh")?;
    let Ok(executable) = assembly.host().executable(&shell.path) else { return Ok(()) };
    let Executable::Object(object) = &*executable else { return Ok(()) };
    for directory in crate::search::default_directories(object.machine) {
        for library in ["libnss_files.so.2", "libnss_dns.so.2"] {
            assembly.offer_file(&directory.join(library))?;
        }
    }
    Ok(())
}
