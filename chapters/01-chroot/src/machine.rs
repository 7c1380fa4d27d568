//! The kinds of processor that an ELF file can be for, and the names that Linux distributions give them.
//!
//! A loader takes a library only when its class (32 or 64 bits), its byte order and its processor are the
//! program's own. The same processor has three more names that matter here: the directory of Debian's
//! "multiarch" layout, the `$PLATFORM` of ld.so(8), and a number in the loader's cache.
//!
//! elf(5), ld.so(8); book ch. 1.

use std::fmt;

use goblin::elf::header;

/// What machine code an ELF file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Machine {
    /// `e_machine`, one of the `EM_` numbers of elf(5).
    pub number: u16,
    /// 32 or 64 (`EI_CLASS`).
    pub bits: u8,
    /// The byte order (`EI_DATA`).
    pub little_endian: bool,
}

/// What is known of a machine by name.
struct Known {
    machine: Machine,
    name: &'static str,
    /// Debian's directory below `/lib` and `/usr/lib`.
    triplet: &'static str,
    /// The `flags` of its libraries in `ld.so.cache`; the low byte 3 means "for glibc".
    cache_flags: u32,
}

const fn little(number: u16, bits: u8) -> Machine {
    Machine { number, bits, little_endian: true }
}

const KNOWN: &[Known] = &[
    Known {
        machine: little(header::EM_X86_64, 64),
        name: "x86_64",
        triplet: "x86_64-linux-gnu",
        cache_flags: 0x0303,
    },
    Known {
        machine: little(header::EM_AARCH64, 64),
        name: "aarch64",
        triplet: "aarch64-linux-gnu",
        cache_flags: 0x0a03,
    },
    Known {
        machine: little(header::EM_386, 32),
        name: "i686",
        triplet: "i386-linux-gnu",
        cache_flags: 0x0003,
    },
    Known {
        machine: little(header::EM_ARM, 32),
        name: "arm",
        triplet: "arm-linux-gnueabihf",
        cache_flags: 0x0903,
    },
    Known {
        machine: little(header::EM_RISCV, 64),
        name: "riscv64",
        triplet: "riscv64-linux-gnu",
        cache_flags: 0x1003,
    },
    Known {
        machine: little(header::EM_PPC64, 64),
        name: "powerpc64le",
        triplet: "powerpc64le-linux-gnu",
        cache_flags: 0x0503,
    },
    Known {
        machine: Machine { number: header::EM_S390, bits: 64, little_endian: false },
        name: "s390x",
        triplet: "s390x-linux-gnu",
        cache_flags: 0x0403,
    },
];

impl Machine {
    /// The machine that this program was itself built for, or none when it is not in our table.
    pub fn native() -> Option<Self> {
        let native = KNOWN.iter().find(|known| {
            std::env::consts::ARCH == known.name || (std::env::consts::ARCH, known.name) == ("x86", "i686")
        });
        native.map(|known| known.machine)
    }

    /// Whether a kernel for this machine also runs programs for `other`: its own, and on x86_64 those of the
    /// 32-bit processors before it.
    pub fn runs(self, other: Self) -> bool {
        self == other || (self, other) == (little(header::EM_X86_64, 64), little(header::EM_386, 32))
    }

    /// The directory of this machine in Debian's layout, such as `x86_64-linux-gnu`.
    pub fn triplet(self) -> Option<&'static str> {
        self.known().map(|known| known.triplet)
    }

    /// What ld.so(8) puts in the place of `$PLATFORM`, such as `x86_64`.
    pub fn platform(self) -> Option<&'static str> {
        self.known().map(|known| known.name)
    }

    /// The flags that mark this machine's libraries in the loader's cache.
    pub fn cache_flags(self) -> Option<u32> {
        self.known().map(|known| known.cache_flags)
    }

    fn known(self) -> Option<&'static Known> {
        KNOWN.iter().find(|known| known.machine == self)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.platform() {
            Some(name) => formatter.write_str(name),
            None => {
                let order = if self.little_endian { "little" } else { "big" };
                let name = header::machine_to_str(self.number);
                write!(formatter, "{name} ({} bits, {order}-endian)", self.bits)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x86_64_runs_its_32_bit_ancestors_and_not_the_other_way_round() {
        let (wide, narrow) = (little(header::EM_X86_64, 64), little(header::EM_386, 32));
        assert!(wide.runs(narrow) && wide.runs(wide));
        assert!(!narrow.runs(wide) && !wide.runs(little(header::EM_AARCH64, 64)));
    }

    #[test]
    fn an_unknown_machine_is_still_named() {
        let sparc = Machine { number: header::EM_SPARC, bits: 32, little_endian: false };
        assert_eq!(sparc.to_string(), "SPARC (32 bits, big-endian)");
    }
}
