//! The OCI spec's `linux.seccomp`, as chapter 4 takes it. OCI runtime spec, "Seccomp".

use mini_security::seccomp::{
    self, Action, Architecture, CompileError, Condition, Filter, Profile, Rule, Test,
};
use mini_sys::seccomp::FilterFlags;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSeccompOperator,
    LinuxSyscall, Process, Spec,
};

use crate::step::Step;

/// A profile that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Somebody else would have to answer each such call.
    #[error("SCMP_ACT_NOTIFY is not supported: there is nobody to notify")]
    Notify,
    /// The kernel could not return it.
    #[error("errnoRet {0} is no number of errno(3)")]
    Errno(u32),
    /// The spec wants this refused rather than passed over.
    #[error("errnoRet is set for {0}, which returns none")]
    NoErrno(LinuxSeccompAction),
    /// No filter can be made of it.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// The filter of system calls that a process gets, and when.
///
/// Who may still gain rights by a set-user-id program may load a filter only with `CAP_SYS_ADMIN`, so it is the first of
/// the last metres then; else it is the last step before the program, which needs the fewest calls afterwards. runc.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    /// Before capabilities are given up.
    pub(crate) first: Option<Step>,
    /// Right before the program.
    pub(crate) last: Option<Step>,
}

impl Filters {
    /// That of `spec`, for `process`.
    pub(crate) fn of(spec: &Spec, process: &Process) -> Result<Self, FilterError> {
        let asked = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
        let filter = asked.map(filter).transpose()?.map(Step::Filter);
        Ok(match process.no_new_privileges().unwrap_or(false) {
            true => Self { first: None, last: filter },
            false => Self { first: filter, last: None },
        })
    }
}

/// The filter that a bundle asks for.
///
/// # Errors
/// What [`FilterError`] lists.
pub fn filter(asked: &LinuxSeccomp) -> Result<Filter, FilterError> {
    Ok(seccomp::compile(&profile(asked)?)?)
}

fn profile(asked: &LinuxSeccomp) -> Result<Profile, FilterError> {
    Ok(Profile {
        otherwise: action(asked.default_action(), asked.default_errno_ret())?,
        architectures: asked.architectures().iter().flatten().filter_map(|one| architecture(*one)).collect(),
        flags: flags(asked),
        rules: asked.syscalls().iter().flatten().map(rule).collect::<Result<_, _>>()?,
    })
}

fn rule(asked: &LinuxSyscall) -> Result<Rule, FilterError> {
    Ok(Rule {
        names: asked.names().clone(),
        action: action(asked.action(), asked.errno_ret())?,
        conditions: asked.args().iter().flatten().map(condition).collect(),
    })
}

fn action(asked: LinuxSeccompAction, number: Option<u32>) -> Result<Action, FilterError> {
    use LinuxSeccompAction as Asked;
    const EPERM: u32 = 1;
    // MAX_ERRNO: what is above is no error to who made the call.
    let small = |most| match number.unwrap_or(EPERM) {
        number if number <= most => Ok(number as u16),
        number => Err(FilterError::Errno(number)),
    };
    let action = match asked {
        Asked::ScmpActErrno => return Ok(Action::Errno(small(4095)?)),
        Asked::ScmpActTrace => return Ok(Action::Trace(small(u16::MAX.into())?)),
        Asked::ScmpActNotify => return Err(FilterError::Notify),
        Asked::ScmpActKill | Asked::ScmpActKillThread => Action::KillThread,
        Asked::ScmpActKillProcess => Action::KillProcess,
        Asked::ScmpActTrap => Action::Trap,
        Asked::ScmpActLog => Action::Log,
        Asked::ScmpActAllow => Action::Allow,
    };
    if number.is_some() { Err(FilterError::NoErrno(asked)) } else { Ok(action) }
}

/// Those of machines that ours cannot be are passed over: no program of theirs runs here.
fn architecture(asked: Arch) -> Option<Architecture> {
    Some(match asked {
        Arch::ScmpArchNative => Architecture::OWN,
        Arch::ScmpArchX86_64 => Architecture::X86_64,
        Arch::ScmpArchX86 => Architecture::X86,
        Arch::ScmpArchX32 => Architecture::X32,
        Arch::ScmpArchAarch64 => Architecture::Aarch64,
        Arch::ScmpArchArm => Architecture::Arm,
        _ => return None,
    })
}

/// The others change nothing here: the process that loads the filter has one thread, and notifies nobody.
fn flags(asked: &LinuxSeccomp) -> FilterFlags {
    let flag = |flag: &LinuxSeccompFilterFlag| match flag {
        LinuxSeccompFilterFlag::SeccompFilterFlagLog => FilterFlags::SECCOMP_FILTER_FLAG_LOG,
        LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => FilterFlags::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
        LinuxSeccompFilterFlag::SeccompFilterFlagTsync
        | LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => FilterFlags::empty(),
    };
    asked.flags().iter().flatten().map(flag).collect()
}

fn condition(asked: &LinuxSeccompArg) -> Condition {
    let value = asked.value();
    let test = match asked.op() {
        LinuxSeccompOperator::ScmpCmpEq => Test::Equal(value),
        LinuxSeccompOperator::ScmpCmpNe => Test::NotEqual(value),
        LinuxSeccompOperator::ScmpCmpLt => Test::Less(value),
        LinuxSeccompOperator::ScmpCmpLe => Test::LessOrEqual(value),
        LinuxSeccompOperator::ScmpCmpGt => Test::Greater(value),
        LinuxSeccompOperator::ScmpCmpGe => Test::GreaterOrEqual(value),
        LinuxSeccompOperator::ScmpCmpMaskedEq => {
            Test::Masked { mask: value, value: asked.value_two().unwrap_or(0) }
        }
    };
    // A number that is none is refused with the rest that makes no sense.
    Condition { argument: u8::try_from(asked.index()).unwrap_or(u8::MAX), test }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Profile, FilterError> {
        profile(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn every_word_of_a_profile_is_understood() {
        let words = json!({
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_S390X"],
            "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
            "syscalls": [
                { "names": ["read", "write"], "action": "SCMP_ACT_ALLOW" },
                { "names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 9, "args": [
                    { "index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" },
                    { "index": 1, "value": 5, "op": "SCMP_CMP_LE" }
                ] }
            ]
        });
        let rule = |names: &[&str], action, conditions| Rule {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            action,
            conditions,
        };
        let masked = Condition { argument: 0, test: Test::Masked { mask: 2_114_060_288, value: 0 } };
        let less = Condition { argument: 1, test: Test::LessOrEqual(5) };
        let expected = Profile {
            otherwise: Action::Errno(38),
            architectures: vec![Architecture::X86_64, Architecture::X86],
            flags: FilterFlags::SECCOMP_FILTER_FLAG_LOG,
            rules: vec![
                rule(&["read", "write"], Action::Allow, Vec::new()),
                rule(&["clone"], Action::Trace(9), vec![masked, less]),
            ],
        };
        assert_eq!(read(words), Ok(expected));
    }

    #[test]
    fn what_cannot_be_done_is_refused_and_not_left_out() {
        let refused = |value| read(value).unwrap_err().to_string();
        let texts = [
            refused(json!({ "defaultAction": "SCMP_ACT_NOTIFY" })),
            refused(json!({ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000 })),
            refused(json!({ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1 })),
        ];
        insta::assert_snapshot!(texts.join("\n"), @"
        SCMP_ACT_NOTIFY is not supported: there is nobody to notify
        errnoRet 5000 is no number of errno(3)
        errnoRet is set for SCMP_ACT_ALLOW, which returns none
        ");
    }
}
