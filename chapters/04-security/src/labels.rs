//! Labels of the security modules of others: what AppArmor and SELinux will take the program for.
//!
//! A module decides by a label on the process, and the label of a program is set before it is there: by a line in
//! `/proc/self/attr`, which counts at the next execve(2). What a label allows stands in the host's own policy, so a
//! machine without the module can only refuse. apparmor(7), selinux(8), proc_pid_attr(5); book ch. 4.

use std::path::Path;

use mini_sys::{Errno, Result, file};

/// A label for the program to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The name of an AppArmor profile.
    AppArmor(String),
    /// An SELinux context.
    Selinux(String),
}

/// Where AppArmor is asked, since Linux 5.8; before, all modules shared the file of the other.
const APPARMOR: &str = "/proc/self/attr/apparmor/exec";
const SHARED: &str = "/proc/self/attr/exec";

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::AppArmor(profile) => format!("write(\"exec {profile}\", {APPARMOR})"),
            Self::Selinux(label) => format!("write(\"{label}\", {SHARED})"),
        }
    }

    /// Why it is done.
    pub fn why(&self) -> &'static str {
        "the host's own policy for such programs holds from the program on"
    }

    /// Does it.
    ///
    /// # Errors
    /// `EINVAL` or `ENOENT` for a label that the policy does not know, or where the module is not there.
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::AppArmor(profile) => {
                let line = format!("exec {profile}");
                match file::write_existing(Path::new(APPARMOR), &line) {
                    Err(error) if error.errno() == Errno::ENOENT => {
                        file::write_existing(Path::new(SHARED), &line)
                    }
                    other => other,
                }
            }
            Self::Selinux(label) => file::write_existing(Path::new(SHARED), label),
        }
    }
}

/// Whether AppArmor is at work.
pub fn has_apparmor() -> bool {
    std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.starts_with('Y'))
}

/// Whether SELinux is at work, be it that it only tells.
pub fn has_selinux() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}
