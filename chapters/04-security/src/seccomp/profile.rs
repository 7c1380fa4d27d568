//! A profile, as data. OCI runtime spec, "Seccomp".

use mini_sys::seccomp::FilterFlags;

use super::architecture::Architecture;

/// What a process may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What happens to a call that no rule is about.
    pub otherwise: Action,
    /// The architectures whose calls may be made at all, beside the machine's own. Those of other machines are passed over.
    pub architectures: Vec<Architecture>,
    /// How the filter is loaded.
    pub flags: FilterFlags,
    /// What happens to calls by name. A rule without conditions goes before those with, and the first rule that holds
    /// before later ones.
    pub rules: Vec<Rule>,
}

/// What happens to some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Their names; one that no architecture here has is passed over.
    pub names: Vec<String>,
    /// What happens to them.
    pub action: Action,
    /// When: all of these must hold. Where two are about the same argument each counts for itself, and one that holds is
    /// enough, which is what runc makes of it.
    pub conditions: Vec<Condition>,
}

/// What the kernel does with a call. seccomp(2), "return value".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process dies of `SIGSYS`.
    KillProcess,
    /// Only the thread that made the call.
    KillThread,
    /// It gets `SIGSYS`, which it may handle.
    Trap,
    /// The call is not made, and fails with this number of errno(3).
    Errno(u16),
    /// Whoever traces the process is asked, and told this number; without a tracer the call fails with `ENOSYS`.
    Trace(u16),
    /// The call is made, and logged.
    Log,
    /// The call is made.
    Allow,
}

impl Action {
    /// As the kernel takes it: `SECCOMP_RET_*`, with the number in the lower half.
    pub fn value(self) -> u32 {
        match self {
            Self::KillProcess => 0x8000_0000,
            Self::KillThread => 0,
            Self::Trap => 0x0003_0000,
            Self::Errno(number) => 0x0005_0000 | u32::from(number),
            Self::Trace(number) => 0x7ff0_0000 | u32::from(number),
            Self::Log => 0x7ffc_0000,
            Self::Allow => 0x7fff_0000,
        }
    }

    /// Whether a call may come through. A tracer is believed to know what it does.
    pub(super) fn lets_through(self) -> bool {
        matches!(self, Self::Allow | Self::Log | Self::Trace(_))
    }
}

/// A condition on one argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, from 0 to 5.
    pub argument: u8,
    /// What must be true of it.
    pub test: Test,
}

/// What must be true of an argument: of all its 64 bits without a sign, or of the lower 32 where the architecture has no
/// more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// It is this.
    Equal(u64),
    /// It is not this.
    NotEqual(u64),
    /// It is less.
    Less(u64),
    /// It is this or less.
    LessOrEqual(u64),
    /// It is more.
    Greater(u64),
    /// It is this or more.
    GreaterOrEqual(u64),
    /// What of it is in the mask is the value.
    Masked {
        /// The bits that count.
        mask: u64,
        /// What they are.
        value: u64,
    },
}
