//! Which devices a container may use: rules, the last one that matches decides.
//!
//! A device file is only a pair of numbers with a name, so whoever may make one reaches the device, whatever
//! lies in `/dev`. The rules stand where the device is opened. Docker lets a container make any device file
//! and open almost none. OCI runtime specification, "Allowed Device list"; book ch. 3.

use std::fmt;

/// Whether a rule is about block devices, character devices, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Both: `a`.
    All,
    /// Block devices: `b`.
    Block,
    /// Character devices: `c`.
    Char,
}

bitflags::bitflags! {
    /// What is done with a device. The values are those of the kernel's `BPF_DEVCG_ACC_*`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Access: u32 {
        /// To make a device file: `m`.
        const MKNOD = 1;
        /// To open for reading: `r`.
        const READ = 2;
        /// To open for writing: `w`.
        const WRITE = 4;
    }
}

impl Access {
    /// Reads `rwm`, or some of these letters; none for anything else.
    pub fn from_letters(letters: &str) -> Option<Self> {
        let mut access = Self::empty();
        for letter in letters.chars() {
            access |= match letter {
                'r' => Self::READ,
                'w' => Self::WRITE,
                'm' => Self::MKNOD,
                _ => return None,
            };
        }
        (!access.is_empty()).then_some(access)
    }
}

/// Allows or denies some ways to use some devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRule {
    /// Allow, or deny.
    pub allow: bool,
    /// Block, character, or all devices.
    pub kind: DeviceKind,
    /// The driver's number; none for any.
    pub major: Option<u32>,
    /// The device's number within its driver; none for any.
    pub minor: Option<u32>,
    /// What the rule is about.
    pub access: Access,
}

impl DeviceRule {
    /// A rule that allows.
    pub fn allow(kind: DeviceKind, major: Option<u32>, minor: Option<u32>, access: Access) -> Self {
        Self { allow: true, kind, major, minor, access }
    }

    /// The same rule in parts that name one kind each: cgroup v1 takes `a` for all devices and all uses, and
    /// reads no further.
    pub(crate) fn by_kind(&self) -> Vec<Self> {
        match self.kind {
            DeviceKind::All => {
                [DeviceKind::Block, DeviceKind::Char].map(|kind| Self { kind, ..self.clone() }).into()
            }
            DeviceKind::Block | DeviceKind::Char => vec![self.clone()],
        }
    }

    /// Whether the rule decides for every device and every use, so that no rule before it counts.
    pub(crate) fn is_total(&self) -> bool {
        self.kind == DeviceKind::All
            && self.major.is_none()
            && self.minor.is_none()
            && self.access == Access::all()
    }
}

impl fmt::Display for DeviceRule {
    /// As cgroup v1 takes it in `devices.allow` and `devices.deny`: `c 1:3 rwm`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DeviceKind::All => 'a',
            DeviceKind::Block => 'b',
            DeviceKind::Char => 'c',
        };
        let number = |number: Option<u32>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
        write!(out, "{kind} {}:{} ", number(self.major), number(self.minor))?;
        for (bit, letter) in [(Access::READ, "r"), (Access::WRITE, "w"), (Access::MKNOD, "m")] {
            if self.access.contains(bit) {
                out.write_str(letter)?;
            }
        }
        Ok(())
    }
}

/// What Docker allows a container that asks for nothing: to make any device file, and to use those devices
/// that every program takes for granted.
pub fn default_devices() -> Vec<DeviceRule> {
    const USABLE: [(u32, Option<u32>); 9] = [
        (1, Some(3)), // null
        (1, Some(5)), // zero
        (1, Some(7)), // full
        (1, Some(8)), // random
        (1, Some(9)), // urandom
        (5, Some(0)), // tty
        (5, Some(1)), // console
        (5, Some(2)), // ptmx
        (136, None),  // pts/*
    ];
    let make =
        [DeviceKind::Char, DeviceKind::Block].map(|kind| DeviceRule::allow(kind, None, None, Access::MKNOD));
    let usable =
        USABLE.map(|(major, minor)| DeviceRule::allow(DeviceKind::Char, Some(major), minor, Access::all()));
    make.into_iter().chain(usable).collect()
}

/// What `rules` come to: whether a device that none of the returned rules matches is allowed, and the rules
/// that still count. Without any rule everything is allowed; with some, what they do not mention is not.
pub(crate) fn in_effect(rules: &[DeviceRule]) -> (bool, &[DeviceRule]) {
    match rules.iter().rposition(DeviceRule::is_total) {
        Some(last) => (rules[last].allow, &rules[last + 1..]),
        None => (rules.is_empty(), rules),
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, DeviceKind, DeviceRule, default_devices, in_effect};

    #[test]
    fn a_rule_reads_as_cgroup_v1_takes_it() {
        let rule = DeviceRule::allow(DeviceKind::Block, Some(8), None, Access::READ | Access::MKNOD);
        assert_eq!(rule.to_string(), "b 8:* rm");
        assert_eq!(Access::from_letters("mr"), Some(Access::READ | Access::MKNOD));
        assert_eq!((Access::from_letters("rx"), Access::from_letters("")), (None, None));
    }

    #[test]
    fn docker_allows_to_make_any_device_and_to_use_nine() {
        let texts: Vec<String> = default_devices().iter().map(DeviceRule::to_string).collect();
        assert_eq!(texts[..2], ["c *:* m", "b *:* m"]);
        assert_eq!(texts[2..].len(), 9);
        assert!(texts[2..].iter().all(|text| text.ends_with(" rwm")));
    }

    #[test]
    fn rules_before_a_total_one_do_not_count() {
        let total = |allow| DeviceRule {
            allow,
            kind: DeviceKind::All,
            major: None,
            minor: None,
            access: Access::all(),
        };
        let null = DeviceRule::allow(DeviceKind::Char, Some(1), Some(3), Access::all());
        assert_eq!(in_effect(&[]), (true, &[][..]));
        assert_eq!(in_effect(std::slice::from_ref(&null)), (false, &[null.clone()][..]));
        assert_eq!(in_effect(&[null.clone(), total(false), null.clone()]), (false, &[null.clone()][..]));
        assert_eq!(in_effect(&[null, total(true)]), (true, &[][..]));
    }
}
