//! The device policy of cgroup v2: rules become a program that the kernel runs at every open(2) and mknod(2).
//!
//! The kernel hands over three numbers (kind with access, major, minor) and takes 1 for yes and 0 for no.
//! The rules are tried from the last to the first; the first one that matches answers. This is a chain of
//! comparisons, a few instructions for each rule. `<linux/bpf.h>`, `struct bpf_cgroup_dev_ctx`; bpf(2).

use mini_sys::bpf::Instruction;

use crate::device::{self, Access, DeviceKind, DeviceRule};

// Registers: the answer, the context (given), and what we read from it.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

// Operations, on 32 bits.
const LOAD: u8 = 0x61;
const MOVE: u8 = 0xbc;
const SET: u8 = 0xb4;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const JUMP_IF_EQUAL: u8 = 0x16;
const JUMP_UNLESS_EQUAL: u8 = 0x56;
const EXIT: u8 = 0x95;

/// The program for `rules`, as [`crate::Limits::devices`] explains them.
pub(crate) fn compile(rules: &[DeviceRule]) -> Vec<Instruction> {
    let (otherwise_allowed, rules) = device::in_effect(rules);
    let mut program = vec![
        op(LOAD, KIND, CONTEXT, 0, 0),
        op(MOVE, ACCESS, KIND, 0, 0),
        op(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        op(AND, KIND, 0, 0, 0xffff),
        op(LOAD, MAJOR, CONTEXT, 4, 0),
        op(LOAD, MINOR, CONTEXT, 8, 0),
    ];
    for rule in rules.iter().rev() {
        program.extend(one(rule));
    }
    program.extend(answer(otherwise_allowed));
    program
}

/// The instructions of one rule: each test that fails jumps behind its end.
fn one(rule: &DeviceRule) -> Vec<Instruction> {
    let mut tests = Vec::new();
    let kind = match rule.kind {
        DeviceKind::All => None,
        DeviceKind::Block => Some(1),
        DeviceKind::Char => Some(2),
    };
    for (register, wanted) in [(KIND, kind), (MAJOR, rule.major), (MINOR, rule.minor)] {
        tests.extend(wanted.map(|number| op(JUMP_UNLESS_EQUAL, register, 0, 0, number as i32)));
    }
    // An allowing rule must cover all that is asked for; a denying one answers when it covers a part of it.
    let (mask, no_match) = match rule.allow {
        true => (Access::all().difference(rule.access), JUMP_UNLESS_EQUAL),
        false => (rule.access, JUMP_IF_EQUAL),
    };
    if mask != (if rule.allow { Access::empty() } else { Access::all() }) {
        tests.push(op(MOVE, ANSWER, ACCESS, 0, 0));
        tests.push(op(AND, ANSWER, 0, 0, mask.bits() as i32));
        tests.push(op(no_match, ANSWER, 0, 0, 0));
    }
    let end = tests.len() + 2;
    for (index, test) in tests.iter_mut().enumerate() {
        if matches!(test.code, JUMP_IF_EQUAL | JUMP_UNLESS_EQUAL) {
            // Counted from the instruction after the jump.
            test.offset = (end - index - 1) as i16;
        }
    }
    tests.extend(answer(rule.allow));
    tests
}

fn answer(allow: bool) -> [Instruction; 2] {
    [op(SET, ANSWER, 0, 0, i32::from(allow)), op(EXIT, 0, 0, 0, 0)]
}

fn op(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers: from << 4 | to, offset, immediate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::default_devices;

    const READ: u32 = Access::READ.bits();
    const WRITE: u32 = Access::WRITE.bits();
    const MKNOD: u32 = Access::MKNOD.bits();
    const BLOCK: u32 = 1;
    const CHAR: u32 = 2;

    /// Runs a program as the kernel would, for one question.
    fn allows(program: &[Instruction], access: u32, kind: u32, major: u32, minor: u32) -> bool {
        let context = [access << 16 | kind, major, minor];
        let mut registers = [0_u32; 16];
        let mut next = 0;
        loop {
            let it = program[next];
            let (to, from) = (usize::from(it.registers & 15), usize::from(it.registers >> 4));
            let number = it.immediate as u32;
            next += 1;
            let jump = match it.code {
                LOAD => {
                    registers[to] = context[it.offset as usize / 4];
                    false
                }
                MOVE => {
                    registers[to] = registers[from];
                    false
                }
                SET => {
                    registers[to] = number;
                    false
                }
                AND => {
                    registers[to] &= number;
                    false
                }
                SHIFT_RIGHT => {
                    registers[to] >>= number;
                    false
                }
                JUMP_IF_EQUAL => registers[to] == number,
                JUMP_UNLESS_EQUAL => registers[to] != number,
                EXIT => return registers[0] == 1,
                other => panic!("no operation {other:#x}"),
            };
            if jump {
                next += it.offset as usize;
            }
        }
    }

    #[test]
    fn dockers_rules_let_null_be_used_and_a_disk_only_be_made() {
        let program = compile(&default_devices());
        assert!(allows(&program, READ | WRITE, CHAR, 1, 3));
        assert!(allows(&program, READ | WRITE, CHAR, 136, 17));
        assert!(allows(&program, MKNOD, BLOCK, 254, 0));
        assert!(!allows(&program, READ, BLOCK, 254, 0));
        assert!(!allows(&program, READ | MKNOD, CHAR, 1, 1));
        assert!(!allows(&program, READ, BLOCK, 1, 3));
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        let all =
            |allow, access| DeviceRule { allow, kind: DeviceKind::All, major: None, minor: None, access };
        let disk = |allow, access| DeviceRule {
            allow,
            kind: DeviceKind::Block,
            major: Some(8),
            minor: None,
            access,
        };
        let program = compile(&[all(true, Access::all()), disk(false, Access::WRITE)]);
        assert!(allows(&program, READ, BLOCK, 8, 1));
        assert!(!allows(&program, READ | WRITE, BLOCK, 8, 1));
        assert!(allows(&program, WRITE, BLOCK, 9, 1));
        let program = compile(&[disk(true, Access::all()), disk(false, Access::all())]);
        assert!(!allows(&program, READ, BLOCK, 8, 1));
        let program = compile(&[disk(true, Access::READ), all(true, Access::all())]);
        assert!(allows(&program, WRITE, CHAR, 10, 200));
        assert!(allows(&compile(&[]), WRITE, CHAR, 10, 200));
    }

    #[test]
    fn no_instruction_is_out_of_reach() {
        // The verifier of the kernel refuses a program with dead code.
        let rules = [
            default_devices(),
            vec![DeviceRule {
                allow: false,
                kind: DeviceKind::All,
                major: None,
                minor: Some(7),
                access: Access::READ | Access::WRITE,
            }],
        ]
        .concat();
        let program = compile(&rules);
        let mut reached = vec![false; program.len()];
        let mut next = vec![0];
        while let Some(index) = next.pop() {
            if std::mem::replace(&mut reached[index], true) {
                continue;
            }
            let it = program[index];
            if matches!(it.code, JUMP_IF_EQUAL | JUMP_UNLESS_EQUAL) {
                next.push(index + 1 + it.offset as usize);
            }
            if it.code != EXIT {
                next.push(index + 1);
            }
        }
        assert!(reached.iter().all(|reached| *reached));
    }
}
