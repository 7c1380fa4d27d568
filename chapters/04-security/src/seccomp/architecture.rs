//! The architectures whose calls a kernel takes, and the numbers that they give to the names of calls.
//!
//! A kernel for x86_64 runs programs for the 32-bit x86 too, with other numbers for the same names: a filter that knew one
//! set only would be passed by way of the other. `linux/audit.h`, syscall(2).

use std::str::FromStr as _;

use syscalls::{aarch64, arm, x86, x86_64};

/// An architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// 64 bits, of Intel and AMD.
    X86_64,
    /// The 32 bits before it.
    X86,
    /// The registers of `X86_64` with addresses of 32 bits.
    X32,
    /// 64 bits, of ARM.
    Aarch64,
    /// The 32 bits before it.
    Arm,
}

/// What tells the numbers of `X32` from those of `X86_64`, with which it shares all else.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// The calls for which `X32` has numbers of its own, from the first on: the arguments of these have other sizes there.
const X32_OWN: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];
const X32_FIRST: u32 = 512;

/// Calls that `Arm` has beside the numbered list. `asm/unistd.h` of that architecture.
const ARM_OWN: [(&str, u32); 5] = [
    ("breakpoint", 0xf_0001),
    ("cacheflush", 0xf_0002),
    ("usr26", 0xf_0003),
    ("usr32", 0xf_0004),
    ("set_tls", 0xf_0005),
];

/// The calls that 32-bit `X86` also makes through one call, which is told by its first argument which one is meant.
const SOCKET_CALLS: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];
const IPC_CALLS: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

impl Architecture {
    /// The one that this program is for.
    pub const OWN: Self = if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 };

    /// The architectures whose programs a kernel for this one may run.
    pub fn family(self) -> &'static [Self] {
        match self {
            Self::X86_64 | Self::X86 | Self::X32 => &[Self::X86_64, Self::X86, Self::X32],
            Self::Aarch64 | Self::Arm => &[Self::Aarch64, Self::Arm],
        }
    }

    /// How the kernel tells it to a filter: `AUDIT_ARCH_*`.
    pub fn audit_number(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// Whether arguments have 64 bits. Those of `X32` count as 32, as they do in libseccomp.
    pub(super) fn is_wide(self) -> bool {
        matches!(self, Self::X86_64 | Self::Aarch64)
    }

    /// The number of the call `name`; none where it has no such call.
    pub fn number(self, name: &str) -> Option<u32> {
        match self {
            Self::X86_64 => x86_64::Sysno::from_str(name).ok().map(|call| call as u32),
            Self::X86 => x86::Sysno::from_str(name).ok().map(|call| call as u32),
            Self::X32 => {
                let own = X32_OWN.iter().position(|own| *own == name).map(|place| X32_FIRST + place as u32);
                own.or_else(|| Self::X86_64.number(name)).map(|number| number | X32_BIT)
            }
            Self::Aarch64 => {
                // The table has the kernel's word for it, profiles have the C library's.
                let name = if name == "newfstatat" { "fstatat" } else { name };
                aarch64::Sysno::from_str(name).ok().map(|call| call as u32)
            }
            Self::Arm => {
                let own = ARM_OWN.iter().find(|(own, _)| *own == name).map(|(_, number)| *number);
                own.or_else(|| arm::Sysno::from_str(name).ok().map(|call| call as u32))
            }
        }
    }

    /// The other way to make the call `name`: a call's number, and its first argument then.
    pub fn multiplexed(self, name: &str) -> Option<(u32, u64)> {
        if self != Self::X86 {
            return None;
        }
        let socket = SOCKET_CALLS.iter().position(|call| *call == name);
        let socket = socket.map(|place| (x86::Sysno::socketcall as u32, place as u64 + 1));
        let ipc = IPC_CALLS.iter().find(|(call, _)| *call == name);
        socket.or(ipc.map(|(_, number)| (x86::Sysno::ipc as u32, *number)))
    }
}

#[cfg(test)]
mod tests {
    use super::Architecture::{Aarch64, Arm, X32, X86, X86_64};

    #[test]
    fn a_name_has_a_number_of_its_own_in_each_architecture() {
        let numbers = |name: &str| [X86_64, X86, X32, Aarch64, Arm].map(|it| it.number(name));
        let x32 = |number: u32| Some(0x4000_0000 | number);
        assert_eq!(numbers("openat"), [Some(257), Some(295), x32(257), Some(56), Some(322)]);
        assert_eq!(numbers("execve"), [Some(59), Some(11), x32(520), Some(221), Some(11)]);
        assert_eq!(numbers("pwritev2"), [Some(328), Some(379), x32(547), Some(287), Some(393)]);
        assert_eq!(numbers("newfstatat"), [Some(262), None, x32(262), Some(79), None]);
        assert_eq!(numbers("set_tls"), [None, None, None, None, Some(0xf_0005)]);
        assert_eq!(numbers("nosuchcall"), [None; 5]);
    }

    #[test]
    fn calls_that_x86_makes_through_another_are_known() {
        assert_eq!(X86.multiplexed("socket"), Some((102, 1)));
        assert_eq!(X86.multiplexed("sendmmsg"), Some((102, 20)));
        assert_eq!(X86.multiplexed("shmctl"), Some((117, 24)));
        assert_eq!((X86.multiplexed("read"), X86_64.multiplexed("socket")), (None, None));
    }
}
