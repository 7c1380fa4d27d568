//! What this machine can do for containers: each ability tried, not guessed from version numbers.
//!
//! Every check asks the kernel for the very thing a container needs, in a way that leaves nothing behind, and
//! names one thing to do when the answer is no. Book ch. 10.

use std::fs;
use std::path::Path;

use mini_cgroups::{Controller, Layout};
use mini_sys::mount_api::FsContext;
use mini_sys::{Errno, Pid, pidfd};

use crate::home::Home;

/// How well it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Ok,
    /// Containers run, with something less.
    Degraded,
    /// No container runs.
    Missing,
}

/// One ability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; empty when there is nothing to do.
    pub fix: String,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), fix: String::new() }
    }

    fn bad(name: &'static str, verdict: Verdict, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict, found: found.into(), fix: fix.into() }
    }
}

/// Looks at everything.
pub fn examine(home: &Home) -> Vec<Check> {
    let root = mini_sys::process::is_root();
    let mut checks = vec![kernel(), privileges(root), namespaces(), pidfds(), mounts(root), overlay(root)];
    match Layout::detect() {
        Ok(layout) => checks.extend([cgroups(&layout), controllers(&layout), devices(&layout, root)]),
        Err(error) => checks.push(Check::bad("cgroups", Verdict::Missing, error.to_string(), "mount /proc")),
    }
    checks.push(state(home));
    checks
}

/// What the kernel must be at least: mount_setattr(2) came with it.
const OLDEST: (u32, u32) = (5, 12);

fn kernel() -> Check {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim_end();
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= OLDEST {
        return Check::ok("kernel", release);
    }
    let fix = format!("Linux {}.{} or newer is needed", OLDEST.0, OLDEST.1);
    Check::bad("kernel", Verdict::Missing, release, fix)
}

fn privileges(root: bool) -> Check {
    const NAME: &str = "privileges";
    if root {
        return Check::ok(NAME, "root");
    }
    match mini_namespaces::why_no_user_namespaces() {
        None => Check::ok(NAME, "an ordinary user, in a user namespace"),
        Some(why) => Check::bad(NAME, Verdict::Missing, "an ordinary user, and no user namespaces", why),
    }
}

fn namespaces() -> Check {
    let wanted = ["cgroup", "ipc", "mnt", "net", "pid", "uts"];
    let missing: Vec<&str> =
        wanted.into_iter().filter(|name| !Path::new("/proc/self/ns").join(name).exists()).collect();
    if missing.is_empty() {
        return Check::ok("namespaces", wanted.join(" "));
    }
    let fix = "a kernel built with CONFIG_NAMESPACES and its parts";
    Check::bad("namespaces", Verdict::Missing, format!("no {}", missing.join(", no ")), fix)
}

fn pidfds() -> Check {
    match pidfd::pidfd_open(Pid::this()) {
        Ok(_) => Check::ok("pidfd", "processes by descriptor"),
        Err(error) => Check::bad("pidfd", Verdict::Missing, error.to_string(), forbidden(error.errno())),
    }
}

fn mounts(root: bool) -> Check {
    const NAME: &str = "mount API";
    match FsContext::fsopen("tmpfs") {
        Ok(_) => Check::ok(NAME, "fsopen, fsmount, move_mount"),
        // A user namespace brings the right along; outside of one there is nothing to try.
        Err(error) if error.errno() == Errno::EPERM && !root => {
            Check::ok(NAME, "tried when a container starts")
        }
        Err(error) => Check::bad(NAME, Verdict::Missing, error.to_string(), forbidden(error.errno())),
    }
}

fn overlay(root: bool) -> Check {
    const NAME: &str = "overlayfs";
    let listed = fs::read_to_string("/proc/filesystems").unwrap_or_default().contains("\toverlay\n");
    // Asking for it loads the module, where there is one.
    match FsContext::fsopen("overlay") {
        Ok(_) => Check::ok(NAME, "layers without copies"),
        Err(_) if listed => Check::ok(NAME, "layers without copies"),
        Err(error) if error.errno() == Errno::EPERM && !root => {
            Check::bad(NAME, Verdict::Degraded, "not loaded", "`modprobe overlay` as root")
        }
        Err(error) => Check::bad(
            NAME,
            Verdict::Missing,
            error.to_string(),
            "`modprobe overlay`, or a kernel with CONFIG_OVERLAY_FS",
        ),
    }
}

fn cgroups(layout: &Layout) -> Check {
    const NAME: &str = "cgroups";
    match (&layout.unified, layout.hierarchies.is_empty()) {
        (Some(_), true) => Check::ok(NAME, "v2"),
        (Some(_), false) => Check::ok(NAME, "v1, with v2 beside it (hybrid)"),
        (None, false) => Check::ok(NAME, "v1"),
        (None, true) => Check::bad(
            NAME,
            Verdict::Degraded,
            "none that we may use: containers run without limits",
            "as an ordinary user, log in through systemd, or run below a delegated cgroup",
        ),
    }
}

fn controllers(layout: &Layout) -> Check {
    const NAME: &str = "controllers";
    let wanted = [Controller::Memory, Controller::Cpu, Controller::Pids, Controller::Cpuset, Controller::Io];
    let has = |controller: &Controller| {
        let unified = layout.unified.iter().any(|unified| unified.offered.contains(controller));
        unified || layout.hierarchies.iter().any(|hierarchy| hierarchy.controllers.contains(controller))
    };
    let (there, missing): (Vec<Controller>, Vec<Controller>) = wanted.into_iter().partition(has);
    let names = |list: &[Controller]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    if missing.is_empty() {
        return Check::ok(NAME, names(&there));
    }
    let found = format!("no {}: those limits are refused", names(&missing));
    Check::bad(
        NAME,
        Verdict::Degraded,
        found,
        "enable them: cgroup_enable=memory on the kernel's command line, or systemd's Delegate=",
    )
}

fn devices(layout: &Layout, root: bool) -> Check {
    const NAME: &str = "device rules";
    if layout.enforces_devices() {
        Check::ok(NAME, "enforced")
    } else if root {
        let fix = "a cgroup v2 tree and CAP_SYS_ADMIN, or the v1 controller `devices`";
        Check::bad(NAME, Verdict::Missing, "a container's root could use any device", fix)
    } else {
        Check::ok(NAME, "not needed by an ordinary user")
    }
}

fn state(home: &Home) -> Check {
    const NAME: &str = "state";
    let fix = "`--root DIR` (or MINI_DOCKER_ROOT) keeps everything elsewhere";
    if let Err(error) = home.prepare() {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        return Check::bad(NAME, Verdict::Missing, format!("{error}{cause}"), fix);
    }
    match mini_sys::access::writable(home.path()) {
        Ok(()) => Check::ok(NAME, home.path().display().to_string()),
        Err(error) => Check::bad(NAME, Verdict::Missing, error.to_string(), fix),
    }
}

/// Why a call that this kernel should have is refused.
fn forbidden(errno: Errno) -> &'static str {
    match errno {
        Errno::EPERM => "a sandbox around us forbids the call: run outside of it",
        _ => "a newer kernel",
    }
}
