//! What a profile decides about each number: the profile's names are gone by now, and so is the order of its rules.

use std::collections::BTreeMap;

use super::architecture::{Architecture, X32_BIT};
use super::profile::{Action, Condition, Profile, Rule, Test};

/// What happens to the calls of some numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    /// Answers that need conditions, in the order in which they are tried.
    pub(super) first: Vec<(Vec<Condition>, u32)>,
    /// The answer when none of them holds.
    pub(super) otherwise: u32,
    /// Whether arguments have 64 bits.
    pub(super) wide: bool,
}

/// Numbers from `from` up to the next range's, and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// The first of them.
    pub(super) from: u32,
    /// What happens.
    pub(super) decision: Decision,
}

/// What a program for an architecture that the profile does not allow is answered, as by libseccomp.
pub(super) const OTHER_ARCHITECTURE: u32 = 0;

/// `ENOSYS`, which tells a C library to try an older call.
const NO_SUCH_CALL: Action = Action::Errno(38);

/// What happens to all numbers of the `architectures`, which share one audit number: ranges without gaps, from 0 on.
pub(super) fn ranges(profile: &Profile, architectures: &[Architecture]) -> Vec<Range> {
    let mut all = Vec::new();
    let has = |wanted| architectures.contains(&wanted);
    for &architecture in architectures {
        let named = names(profile, architecture);
        let last_named = last_named(profile, &named);
        add(&mut all, profile, architecture, &named, last_named);
        // Its numbers end where those of x32 begin.
        if architecture == Architecture::X86_64 && !has(Architecture::X32) {
            let answer = if last_named.is_some() { NO_SUCH_CALL.value() } else { OTHER_ARCHITECTURE };
            push(&mut all, X32_BIT, plain(answer));
        }
    }
    all
}

/// The highest number that the profile is about. Newer calls did not exist for whoever wrote it: they fail as they would
/// on the kernel of that time, so that a C library does without. Not so where the profile lets unknown calls through.
/// runc, `patchbpf`.
fn last_named(profile: &Profile, names: &[Name<'_>]) -> Option<u32> {
    if profile.otherwise.lets_through() || profile.otherwise == NO_SUCH_CALL {
        return None;
    }
    names.iter().filter_map(|name| name.number).max()
}

/// A name in a profile.
struct Name<'a> {
    rule: &'a Rule,
    name: &'a str,
    /// Its number, where the architecture has one for it.
    number: Option<u32>,
}

/// All names, each looked up once: most of the time that a compilation takes.
fn names(profile: &Profile, architecture: Architecture) -> Vec<Name<'_>> {
    let mut all = Vec::new();
    for rule in &profile.rules {
        all.extend(rule.names.iter().map(|name| Name { rule, name, number: architecture.number(name) }));
    }
    all
}

fn add(
    all: &mut Vec<Range>,
    profile: &Profile,
    architecture: Architecture,
    names: &[Name<'_>],
    last_named: Option<u32>,
) {
    let first = if architecture == Architecture::X32 { X32_BIT } else { 0 };
    let wide = architecture.is_wide();
    let otherwise = Decision { first: Vec::new(), otherwise: profile.otherwise.value(), wide };
    push(all, first, otherwise.clone());
    let mut numbers = named(profile, architecture, names).into_iter().peekable();
    while let Some((number, mut decision)) = numbers.next() {
        // Without conditions it does not matter how wide arguments are.
        decision.wide = wide || decision.first.is_empty();
        push(all, number, decision);
        let next = number + 1;
        if numbers.peek().is_none_or(|(number, _)| *number != next) {
            push(all, next, otherwise.clone());
        }
    }
    if let Some(last) = last_named {
        push(all, last + 1, plain(NO_SUCH_CALL.value()));
    }
}

/// What happens to the numbers that rules are about.
fn named(profile: &Profile, architecture: Architecture, names: &[Name<'_>]) -> BTreeMap<u32, Decision> {
    let mut all: BTreeMap<u32, Gathered> = BTreeMap::new();
    // What comes to the same as no rule is no rule, not even one that others have to stand back for.
    for Name { rule, name, number } in names.iter().filter(|name| name.rule.action != profile.otherwise) {
        if let Some(number) = number {
            all.entry(*number).or_default().take(rule.action, alternatives(rule));
        }
        if let Some((number, which)) = architecture.multiplexed(name)
            && let Some(conditions) = by_way_of_another(profile, rule, which)
        {
            all.entry(number).or_default().take(rule.action, vec![conditions]);
        }
    }
    all.into_iter().map(|(number, gathered)| (number, gathered.decision(profile.otherwise))).collect()
}

/// What rules say of one number.
#[derive(Default)]
struct Gathered {
    always: Option<Action>,
    sometimes: Vec<(Vec<Condition>, u32)>,
}

impl Gathered {
    fn take(&mut self, action: Action, alternatives: Vec<Vec<Condition>>) {
        if alternatives.is_empty() {
            self.always.get_or_insert(action);
        }
        self.sometimes.extend(alternatives.into_iter().map(|conditions| (conditions, action.value())));
    }

    fn decision(self, otherwise: Action) -> Decision {
        match self.always {
            Some(action) => plain(action.value()),
            None => Decision { first: self.sometimes, otherwise: otherwise.value(), wide: true },
        }
    }
}

/// The conditions of a rule, any list of which is enough; no list at all where it always holds.
fn alternatives(rule: &Rule) -> Vec<Vec<Condition>> {
    let mut arguments: Vec<u8> = rule.conditions.iter().map(|condition| condition.argument).collect();
    arguments.sort_unstable();
    if arguments.windows(2).any(|two| two[0] == two[1]) {
        return rule.conditions.iter().map(|condition| vec![*condition]).collect();
    }
    if rule.conditions.is_empty() { Vec::new() } else { vec![rule.conditions.clone()] }
}

/// When a rule holds for a call that is made by way of another one: the arguments then lie in memory, where no filter can
/// look. So a rule that forbids holds whatever they are, and one that allows does not hold.
fn by_way_of_another(profile: &Profile, rule: &Rule, which: u64) -> Option<Vec<Condition>> {
    let forbids = profile.otherwise.lets_through() && !rule.action.lets_through();
    let is_meant = Condition { argument: 0, test: Test::Equal(which) };
    (rule.conditions.is_empty() || forbids).then(|| vec![is_meant])
}

fn plain(answer: u32) -> Decision {
    Decision { first: Vec::new(), otherwise: answer, wide: true }
}

/// Adds a range after the others, or instead of those that would begin later; one that decides as the last does is none.
fn push(all: &mut Vec<Range>, from: u32, mut decision: Decision) {
    decision.wide |= decision.first.is_empty();
    all.retain(|range| range.from < from);
    if all.last().is_none_or(|last| last.decision != decision) {
        all.push(Range { from, decision });
    }
}
