//! What a process passes on to every program it runs: resource limits, and its place in the queue of the
//! out-of-memory killer. setrlimit(2), proc(5) `oom_score_adj`; book ch. 4.

use std::path::Path;

use mini_sys::process::{self, Resource};
use mini_sys::{Errno, Result};

/// The limits of setrlimit(2) by the names that Docker's `--ulimit` and the OCI spec (`RLIMIT_…`) use.
const RESOURCES: [(&str, Resource); 16] = [
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("rttime", Resource::RLIMIT_RTTIME),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
    ("as", Resource::RLIMIT_AS),
];

/// The resource of this name: `nofile`, `RLIMIT_NOFILE`. None for a name that setrlimit(2) does not have.
pub fn resource(name: &str) -> Option<Resource> {
    let lower = name.to_ascii_lowercase();
    let name = lower.strip_prefix("rlimit_").unwrap_or(&lower);
    RESOURCES.iter().find(|(known, _)| *known == name).map(|(_, resource)| *resource)
}

/// One thing that is inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The soft and hard limit of a resource.
    Rlimit(Resource, u64, u64),
    /// -1000 (never killed) to 1000 (killed first).
    OomScoreAdj(i64),
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::Rlimit(resource, soft, hard) => format!("setrlimit({resource:?}, {soft}, {hard})"),
            Self::OomScoreAdj(score) => format!("write(\"{score}\", /proc/self/oom_score_adj)"),
        }
    }

    /// Why it is done.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Rlimit(..) => "every program in the container inherits it",
            Self::OomScoreAdj(_) => "who is killed first when the machine runs out of memory",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of setrlimit(2) and write(2). Lowering the score needs `CAP_SYS_RESOURCE`, which even root may
    /// lack; the container runs well without, so that one is not an error.
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::Rlimit(resource, soft, hard) => process::setrlimit(*resource, *soft, *hard),
            Self::OomScoreAdj(score) => {
                match mini_sys::file::write_existing(
                    Path::new("/proc/self/oom_score_adj"),
                    &score.to_string(),
                ) {
                    Err(error) if matches!(error.errno(), Errno::EACCES | Errno::EPERM) => Ok(()),
                    other => other,
                }
            }
        }
    }
}
