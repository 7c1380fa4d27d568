//! What a container is given inside that no earlier chapter has a step for: devices, sysctls, a umask, how mounts
//! spread, and a look at the program before it is needed. OCI runtime spec, "Linux Container Configuration".

use std::path::{Path, PathBuf};

use mini_sys::file::{self, CWD, FileType, Mode};
use mini_sys::mount::{self, MsFlags};
use mini_sys::{Errno, Result, process};

/// One thing to do inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes a device file.
    Device(Device),
    /// Sets a parameter of the container's own namespaces, such as `net.ipv4.ip_forward`.
    Sysctl(String, String),
    /// Lets mounts below this path spread, or not. mount_namespaces(7).
    Propagate(PathBuf, MsFlags),
    /// Which permission bits new files do not get.
    Umask(u32),
}

/// A device file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Where.
    pub path: PathBuf,
    /// A block device, a character device or a fifo.
    pub kind: FileType,
    /// Major and minor number.
    pub numbers: (u32, u32),
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub(crate) fn call(&self) -> String {
        match self {
            Self::Device(device) => {
                let (major, minor) = device.numbers;
                let path = device.path.display();
                format!("mknod(\"{path}\", {:?}|{:#o}, makedev({major}, {minor}))", device.kind, device.mode)
            }
            Self::Sysctl(name, value) => format!("write(\"{value}\", {})", parameter(name).display()),
            Self::Propagate(path, flags) => mount::describe("", path, "", *flags, ""),
            Self::Umask(mask) => format!("umask({mask:#o})"),
        }
    }

    /// Why it is done, and why here.
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Self::Device(_) => "a device that the spec asks for",
            Self::Sysctl(..) => "set before /proc/sys is made read-only",
            Self::Propagate(..) => "whether mounts made later are seen on the other side",
            Self::Umask(_) => "new files are as private as asked for",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// The system call that fails, with its operands.
    pub(crate) fn perform(&self) -> Result<()> {
        match self {
            Self::Device(device) => device.make(),
            Self::Sysctl(name, value) => file::write_existing(&parameter(name), value),
            Self::Propagate(path, flags) => mount::mount("", path, "", *flags, ""),
            Self::Umask(mask) => {
                process::umask(*mask);
                Ok(())
            }
        }
    }
}

impl Device {
    fn make(&self) -> Result<()> {
        if let Some(parent) = self.path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| {
                mini_sys::Error::from_io(format!("mkdir(\"{}\")", parent.display()), &error)
            })?;
        }
        let before = process::umask(0);
        let made = file::mknodat(CWD, &self.path, self.kind, Mode::from_raw_mode(self.mode), self.numbers);
        process::umask(before);
        match made {
            // Those that every container has are there already.
            Err(error) if error.errno() == Errno::EEXIST => return Ok(()),
            other => other?,
        }
        let (uid, gid) = self.owner;
        if (uid, gid) == (0, 0) {
            return Ok(());
        }
        std::os::unix::fs::lchown(&self.path, Some(uid), Some(gid)).map_err(|error| {
            mini_sys::Error::from_io(format!("chown(\"{}\", {uid}, {gid})", self.path.display()), &error)
        })
    }
}

/// The dots of a name are the slashes of a path, and the other way round, unless it is written as a path. sysctl(8).
fn parameter(name: &str) -> PathBuf {
    let swap = |letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let is_path = name.find(['.', '/']).is_some_and(|first| name[first..].starts_with('/'));
    let path = if is_path { name.to_owned() } else { name.chars().map(swap).collect() };
    Path::new("/proc/sys").join(path)
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_is_a_file() {
        let shown = |name| parameter(name).display().to_string();
        assert_eq!(shown("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
        assert_eq!(shown("net.ipv4.conf.eth0/1.rp_filter"), "/proc/sys/net/ipv4/conf/eth0.1/rp_filter");
        assert_eq!(shown("net/ipv4/conf/eth0.1/rp_filter"), "/proc/sys/net/ipv4/conf/eth0.1/rp_filter");
    }
}
