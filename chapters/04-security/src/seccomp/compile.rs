//! From a profile to a filter: the idea on a page.
//!
//! The numbers of calls fall into ranges that are answered alike: some sixty in Docker's profile, which names more than
//! three hundred calls. A balanced tree of comparisons finds the range in six steps, where a list of all names would take
//! a comparison for each. Conditions on arguments are leaves of the tree.

use super::architecture::Architecture;
use super::assembler::{Assembler, Compare, Place};
use super::conditions;
use super::decisions::{self, Decision, OTHER_ARCHITECTURE, Range};
use super::filter::Filter;
use super::profile::Profile;

/// Where the number of the call is in `struct seccomp_data`.
const NUMBER: u32 = 0;
/// Where the architecture is.
const ARCHITECTURE: u32 = 4;

/// The longest filter that the kernel takes: `BPF_MAXINSNS`.
const MAXIMUM: usize = 4096;

/// A profile of which no filter can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Calls have six arguments.
    #[error("a call has no argument {0}: they count from 0 to 5")]
    Argument(u8),
    /// The kernel takes no filter that is so long.
    #[error("the filter has {0} instructions, and the kernel takes {MAXIMUM}")]
    TooLong(usize),
}

/// The filter of `profile`, for this machine.
///
/// # Errors
/// What [`CompileError`] lists.
pub fn compile(profile: &Profile) -> Result<Filter, CompileError> {
    compile_for(Architecture::OWN, profile)
}

/// The filter of `profile`, for a machine whose own architecture is `own`.
///
/// # Errors
/// What [`CompileError`] lists.
pub fn compile_for(own: Architecture, profile: &Profile) -> Result<Filter, CompileError> {
    let mut all = profile.rules.iter().flat_map(|rule| &rule.conditions);
    if let Some(condition) = all.find(|condition| condition.argument > 5) {
        return Err(CompileError::Argument(condition.argument));
    }
    let allowed: Vec<Architecture> = own
        .family()
        .iter()
        .copied()
        .filter(|one| *one == own || profile.architectures.contains(one))
        .collect();
    // ANCHOR: filter
    let mut program = Assembler::default();
    let mut start = program.answer(OTHER_ARCHITECTURE);
    // The last to be written is the first to be asked for: the machine's own.
    for group in groups(&allowed).iter().rev() {
        let ranges = decisions::ranges(profile, group);
        let tree = tree(&mut program, &ranges);
        let tree = program.load(NUMBER, tree);
        start = program.branch(Compare::Equal, group[0].audit_number(), tree, start);
    }
    start = program.load(ARCHITECTURE, start);
    let instructions = program.finish(start);
    // ANCHOR_END: filter
    if instructions.len() > MAXIMUM {
        return Err(CompileError::TooLong(instructions.len()));
    }
    Ok(Filter::new(instructions, profile.flags))
}

/// The architectures, those together that a filter tells apart by the number of the call only.
fn groups(allowed: &[Architecture]) -> Vec<Vec<Architecture>> {
    let mut groups: Vec<Vec<Architecture>> = Vec::new();
    for one in allowed {
        match groups.iter_mut().find(|group| group[0].audit_number() == one.audit_number()) {
            Some(group) => group.push(*one),
            None => groups.push(vec![*one]),
        }
    }
    groups
}

/// Finds the range that the number in the accumulator is in.
fn tree(program: &mut Assembler, ranges: &[Range]) -> Place {
    // ANCHOR: tree
    match ranges {
        [] => program.answer(OTHER_ARCHITECTURE),
        [one] => leaf(program, &one.decision),
        // A single number among others needs one comparison, not two.
        [before, one, after] if before.decision == after.decision && after.from == one.from + 1 => {
            let others = leaf(program, &before.decision);
            let yes = leaf(program, &one.decision);
            program.branch(Compare::Equal, one.from, yes, others)
        }
        _ => {
            // At an odd place, so that the halves have threes for the case above.
            let (lower, upper) = ranges.split_at((ranges.len() / 2) | 1);
            let from = upper[0].from;
            let above = tree(program, upper);
            let below = tree(program, lower);
            program.branch(Compare::GreaterOrEqual, from, above, below)
        }
    }
    // ANCHOR_END: tree
}

fn leaf(program: &mut Assembler, decision: &Decision) -> Place {
    let mut next = program.answer(decision.otherwise);
    for (conditions, answer) in decision.first.iter().rev() {
        let no = next;
        next = program.answer(*answer);
        for condition in conditions.iter().rev() {
            next = conditions::assemble(program, *condition, decision.wide, next, no);
        }
    }
    next
}
