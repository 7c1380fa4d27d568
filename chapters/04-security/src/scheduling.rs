//! How much of the machine's attention a process gets, and which kernel it takes the machine's for: what it passes on to
//! every program it runs, beside its limits. sched(7), ioprio_set(2), personality(2); book ch. 4.

use mini_sys::Result;
use mini_sys::sched::{self, SchedAttr};

/// One thing of this kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// By which rules it gets processors.
    Scheduler(SchedAttr),
    /// When its requests to disks are served: the class, and the level in it.
    Disks(u8, u8),
    /// Which kernel it sees.
    Personality(u32),
}

/// The policies by the names that sched(7) and the OCI spec use.
const POLICIES: [(&str, u32); 6] = [
    ("SCHED_OTHER", 0),
    ("SCHED_FIFO", 1),
    ("SCHED_RR", 2),
    ("SCHED_BATCH", 3),
    ("SCHED_IDLE", 5),
    ("SCHED_DEADLINE", 6),
];

/// The number of a policy.
pub fn policy(name: &str) -> Option<u32> {
    POLICIES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

impl Step {
    /// The system call, as strace(1) would show it.
    pub fn call(&self) -> String {
        match self {
            Self::Scheduler(how) => {
                let name = POLICIES.iter().find(|(_, number)| *number == how.policy);
                let name = name.map_or("policy", |(name, _)| *name);
                format!("sched_setattr({name}, nice {}, priority {})", how.nice, how.priority)
            }
            Self::Disks(class, level) => format!("ioprio_set(class {class}, level {level})"),
            Self::Personality(persona) => format!("personality({persona:#x})"),
        }
    }

    /// Why it is done, and why here.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Scheduler(_) | Self::Disks(..) => "set while there is the right to more than others get",
            Self::Personality(_) => "what the program takes the kernel for",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of sched_setattr(2), ioprio_set(2) and personality(2).
    pub fn perform(&self) -> Result<()> {
        match self {
            Self::Scheduler(how) => sched::sched_setattr(how),
            Self::Disks(class, level) => sched::ioprio_set(*class, *level),
            Self::Personality(persona) => sched::personality(*persona),
        }
    }
}
