//! A compiled filter does what its profile says: compared with a reading of the profile that is as plain as can be, by
//! running the filter as the kernel would. Needs nothing.

use mini_security::seccomp::{Action, Architecture, Condition, Profile, Rule, Test, compile_for};
use mini_sys::seccomp::{FilterFlags, Instruction};
use proptest::prelude::*;

/// A call, as the kernel describes it to a filter: `struct seccomp_data`.
#[derive(Debug, Clone)]
struct Call {
    number: u32,
    audit: u32,
    arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.audit,
            16..64 if offset.is_multiple_of(4) => {
                let argument = self.arguments[(offset as usize - 16) / 8];
                if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 }
            }
            _ => panic!("the filter reads at {offset}"),
        }
    }
}

/// What the filter answers, and how many instructions that takes.
fn run(program: &[Instruction], call: &Call) -> (u32, usize) {
    let (mut at, mut accumulator, mut steps) = (0, 0, 0);
    loop {
        let Instruction { code, if_true, if_false, operand } = program[at];
        (at, steps) = (at + 1, steps + 1);
        let mut jump = |holds: bool| at += usize::from(if holds { if_true } else { if_false });
        match code {
            0x20 => accumulator = call.word(operand),
            0x54 => accumulator &= operand,
            0x05 => at += operand as usize,
            0x15 => jump(accumulator == operand),
            0x25 => jump(accumulator > operand),
            0x35 => jump(accumulator >= operand),
            0x06 => return (operand, steps),
            _ => panic!("no such instruction: {code:#x}"),
        }
    }
}

const X32_BIT: u32 = 0x4000_0000;
const ENOSYS: u32 = 0x0005_0000 + 38;

/// What the profile says of the call, looked up rule by rule.
fn expected(own: Architecture, profile: &Profile, call: &Call) -> u32 {
    let allowed = |one: &&Architecture| **one == own || profile.architectures.contains(one);
    let mut possible = own.family().iter().filter(allowed).filter(|it| it.audit_number() == call.audit);
    let is_x32 = call.audit == Architecture::X32.audit_number() && call.number >= X32_BIT;
    let lets_through = |action| matches!(action, Action::Allow | Action::Log | Action::Trace(_));
    let strict = !lets_through(profile.otherwise) && profile.otherwise != Action::Errno(38);
    let names = || profile.rules.iter().flat_map(|rule| &rule.names);
    let last = |architecture: Architecture| names().filter_map(|name| architecture.number(name)).max();
    let Some(architecture) = possible.find(|it| is_x32 == (**it == Architecture::X32)) else {
        let is_own_x32 = is_x32 && strict && last(Architecture::X86_64).is_some();
        return if is_own_x32 && own == Architecture::X86_64 { ENOSYS } else { 0 };
    };
    if strict && last(*architecture).is_some_and(|last| call.number > last) {
        return ENOSYS;
    }
    let wide = matches!(architecture, Architecture::X86_64 | Architecture::Aarch64);
    let holds = |condition: &Condition| holds(condition, wide, call);
    let mut conditional = None;
    for rule in profile.rules.iter().filter(|rule| rule.action != profile.otherwise) {
        for name in &rule.names {
            if architecture.number(name) == Some(call.number) {
                if rule.conditions.is_empty() {
                    return rule.action.value();
                }
                let mut arguments: Vec<u8> = rule.conditions.iter().map(|one| one.argument).collect();
                arguments.sort_unstable();
                arguments.dedup();
                let each_apart = arguments.len() < rule.conditions.len();
                let matches = if each_apart {
                    rule.conditions.iter().any(holds)
                } else {
                    rule.conditions.iter().all(holds)
                };
                conditional = conditional.or(matches.then_some(rule.action.value()));
            }
            if let Some((number, which)) = architecture.multiplexed(name) {
                let forbids = lets_through(profile.otherwise) && !lets_through(rule.action);
                let is_it = number == call.number && call.arguments[0] as u32 == which as u32;
                let counts = rule.conditions.is_empty() || forbids;
                conditional = conditional.or((is_it && counts).then_some(rule.action.value()));
            }
        }
    }
    conditional.unwrap_or(profile.otherwise.value())
}

fn holds(condition: &Condition, wide: bool, call: &Call) -> bool {
    let cut = |value: u64| if wide { value } else { value & 0xffff_ffff };
    let argument = cut(call.arguments[usize::from(condition.argument)]);
    match condition.test {
        Test::Equal(value) => argument == cut(value),
        Test::NotEqual(value) => argument != cut(value),
        Test::Less(value) => argument < cut(value),
        Test::LessOrEqual(value) => argument <= cut(value),
        Test::Greater(value) => argument > cut(value),
        Test::GreaterOrEqual(value) => argument >= cut(value),
        Test::Masked { mask, value } => argument & cut(mask) == cut(value),
    }
}

/// Neighbours, far ones, new ones, those of one architecture only, and one that nobody has.
const NAMES: [&str; 22] = [
    "read",
    "write",
    "open",
    "openat",
    "close",
    "clone",
    "clone3",
    "mount",
    "socket",
    "socketcall",
    "ipc",
    "shmctl",
    "execve",
    "ioctl",
    "ptrace",
    "personality",
    "newfstatat",
    "set_tls",
    "umount2",
    "mseal",
    "mmap2",
    "nosuchcall",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

/// Numbers around which comparisons of halves go wrong.
fn number() -> impl Strategy<Value = u64> {
    let edges: [u64; 12] = [
        0,
        1,
        2,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        0x1_0000_0001,
        0x2_0000_0000,
        0xffff_ffff_0000_0000,
        u64::MAX - 1,
        u64::MAX,
    ];
    prop_oneof![4 => prop::sample::select(edges.to_vec()), 1 => any::<u64>()]
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        number().prop_map(Test::Equal),
        number().prop_map(Test::NotEqual),
        number().prop_map(Test::Less),
        number().prop_map(Test::LessOrEqual),
        number().prop_map(Test::Greater),
        number().prop_map(Test::GreaterOrEqual),
        (number(), number()).prop_map(|(mask, value)| Test::Masked { mask, value: value & mask }),
        (number(), number()).prop_map(|(mask, value)| Test::Masked { mask, value }),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    (0u8..3, test()).prop_map(|(argument, test)| Condition { argument, test })
}

fn action() -> impl Strategy<Value = Action> {
    prop::sample::select(vec![
        Action::KillProcess,
        Action::KillThread,
        Action::Trap,
        Action::Errno(1),
        Action::Errno(38),
        Action::Trace(7),
        Action::Log,
        Action::Allow,
    ])
}

fn architecture() -> impl Strategy<Value = Architecture> {
    use Architecture::{Aarch64, Arm, X32, X86, X86_64};
    prop::sample::select(vec![X86_64, X86, X32, Aarch64, Arm])
}

fn rule() -> impl Strategy<Value = Rule> {
    let conditions = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(condition(), 1..4)];
    (prop::collection::vec(name(), 1..5), action(), conditions).prop_map(|(names, action, conditions)| Rule {
        names,
        action,
        conditions,
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let architectures = prop::collection::vec(architecture(), 0..4);
    (action(), architectures, prop::collection::vec(rule(), 0..8)).prop_map(
        |(otherwise, architectures, rules)| Profile {
            otherwise,
            architectures,
            flags: FilterFlags::empty(),
            rules,
        },
    )
}

fn call() -> impl Strategy<Value = Call> {
    let near = (name(), architecture(), -1i64..2).prop_map(|(name, architecture, off)| {
        (i64::from(architecture.number(&name).unwrap_or(400)) + off) as u32
    });
    let number = prop_oneof![8 => near, 1 => 0u32..600, 1 => any::<u32>()];
    (number, architecture(), prop::array::uniform6(self::number())).prop_map(
        |(number, architecture, arguments)| Call { number, audit: architecture.audit_number(), arguments },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_answers_as_its_profile_says(
        own in prop::sample::select(vec![Architecture::X86_64, Architecture::Aarch64]),
        profile in profile(),
        calls in prop::collection::vec(call(), 20),
    ) {
        let filter = compile_for(own, &profile).unwrap();
        for call in calls {
            let (answer, _) = run(filter.instructions(), &call);
            prop_assert_eq!(answer, expected(own, &profile, &call), "{:?}", call);
        }
    }
}

/// A profile of the size of Docker's: it allows `count` calls by number, with gaps.
fn large(count: u32) -> Profile {
    let has = |number: &u32| number % 7 != 3;
    let named: Vec<String> = (0..count).filter(has).filter_map(name_of).collect();
    let masked = Condition { argument: 0, test: Test::Masked { mask: 0x7e02_0000, value: 0 } };
    let rule = |names, conditions| Rule { names, action: Action::Allow, conditions };
    Profile {
        otherwise: Action::Errno(1),
        architectures: vec![Architecture::X86, Architecture::X32],
        flags: FilterFlags::empty(),
        rules: vec![rule(named, Vec::new()), rule(vec!["clone".to_owned()], vec![masked])],
    }
}

/// The name that x86_64 has for a number.
fn name_of(number: u32) -> Option<String> {
    syscalls::x86_64::Sysno::new(number as usize).map(|call| call.name().to_owned())
}

#[test]
fn a_tree_of_three_hundred_calls_is_short_and_shallow() {
    let profile = large(335);
    let filter = compile_for(Architecture::X86_64, &profile).unwrap();
    let length = filter.instructions().len();
    assert!(length < 500, "{length} instructions for three architectures");
    let numbers = (0..500).chain(X32_BIT..X32_BIT + 600);
    let steps = numbers.map(|number| {
        let audit = Architecture::X86_64.audit_number();
        let call = Call { number, audit, arguments: [0; 6] };
        let (answer, steps) = run(filter.instructions(), &call);
        assert_eq!(answer, expected(Architecture::X86_64, &profile, &call), "{call:?}");
        steps
    });
    let most = steps.max();
    assert!(most < Some(20), "{most:?} instructions for one call");
}

#[test]
fn jumps_reach_over_a_filter_of_thousands_of_instructions() {
    // Conditions that differ from call to call make every leaf its own.
    let rules = (0..335).filter_map(name_of).enumerate().map(|(place, name)| {
        let conditions = (0..2).map(|argument| Condition { argument, test: Test::Greater(place as u64) });
        Rule { names: vec![name], action: Action::Allow, conditions: conditions.collect() }
    });
    let profile = Profile {
        otherwise: Action::KillProcess,
        architectures: Vec::new(),
        flags: FilterFlags::empty(),
        rules: rules.collect(),
    };
    let filter = compile_for(Architecture::X86_64, &profile).unwrap();
    assert!(filter.instructions().len() > 3_000);
    for number in 0..400 {
        for argument in [0, u64::from(number), u64::from(number) + 1, u64::MAX] {
            let audit = Architecture::X86_64.audit_number();
            let call = Call { number, audit, arguments: [argument; 6] };
            let answer = run(filter.instructions(), &call).0;
            assert_eq!(answer, expected(Architecture::X86_64, &profile, &call), "{call:?}");
        }
    }
}

#[test]
fn what_the_kernel_would_refuse_is_refused_before() {
    let condition = |argument| Condition { argument, test: Test::Equal(1) };
    let profile = |conditions| Profile {
        otherwise: Action::Allow,
        architectures: Vec::new(),
        flags: FilterFlags::empty(),
        rules: vec![Rule { names: vec!["read".to_owned()], action: Action::Errno(1), conditions }],
    };
    let text = |profile| compile_for(Architecture::X86_64, &profile).unwrap_err().to_string();
    assert_eq!(text(profile(vec![condition(6)])), "a call has no argument 6: they count from 0 to 5");
    let long = (0..1_500).map(|value| Condition { argument: 1, test: Test::Equal(value << 32) });
    let long = text(profile(long.collect()));
    assert!(long.ends_with("and the kernel takes 4096"), "{long}");
}
