//! Chapter 4: giving up capabilities, covering paths, and filtering system calls.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::apart::each_apart;
use mini_benches::needs;
use mini_security::Capability;
use mini_security::capabilities::{DEFAULT, Step as Capabilities};
use mini_security::paths::{MASKED, READ_ONLY, Step as Path};
use mini_security::seccomp::{self, Action, Architecture, Condition, Profile, Rule, Test};
use mini_sys::seccomp::{FilterFlags, Instruction, set_mode_filter};
use syscalls::x86_64;

fn default_set() -> Vec<Capability> {
    black_box(DEFAULT).iter().filter_map(|name| name.parse().ok()).collect()
}

fn capabilities(criterion: &mut Criterion) {
    criterion.bench_function("ch04/read the default capabilities", |bencher| bencher.iter(default_set));
    if !needs::root() {
        return;
    }
    let bound = Capabilities::Bound(default_set());
    criterion.bench_function("ch04/drop from the bounding set", |bencher| {
        bencher.iter_custom(|times| each_apart(times, || Ok(bound.perform()?)));
    });
}

/// On the host's own `/proc` and `/sys`, as seen in a mount namespace that ends with the measurement.
fn paths(criterion: &mut Criterion) {
    if !needs::root() {
        return;
    }
    let plans = [
        ("mask", MASKED.iter().map(|path| Path::Mask(path.into())).collect::<Vec<_>>()),
        ("read-only", READ_ONLY.iter().map(|path| Path::ReadOnly(path.into())).collect()),
    ];
    for (name, plan) in plans {
        criterion.bench_function(&format!("ch04/paths/{name}"), |bencher| {
            bencher.iter_custom(|times| each_apart(times, || Ok(plan.iter().try_for_each(Path::perform)?)));
        });
    }
}

/// What Docker's profile comes to: most calls are allowed, on three architectures, one by its argument.
fn profile() -> Profile {
    let has = |number: &usize| number % 7 != 3;
    let name = |number| x86_64::Sysno::new(number).map(|call| call.name().to_owned());
    let names = (0..335).filter(has).filter_map(name).collect();
    let masked = Condition { argument: 0, test: Test::Masked { mask: 0x7e02_0000, value: 0 } };
    let allow = |names, conditions| Rule { names, action: Action::Allow, conditions };
    Profile {
        otherwise: Action::Errno(1),
        architectures: vec![Architecture::X86_64, Architecture::X86, Architecture::X32],
        flags: FilterFlags::empty(),
        rules: vec![allow(names, Vec::new()), allow(vec!["clone".to_owned()], vec![masked])],
    }
}

/// The same as a list: each call of each architecture is compared with one name after the other.
fn list(profile: &Profile) -> Vec<Instruction> {
    let instruction = |code, if_true, if_false, operand| Instruction { code, if_true, if_false, operand };
    let mut program = vec![instruction(0x20, 0, 0, 0)];
    for architecture in &profile.architectures {
        let names = profile.rules.iter().flat_map(|rule| &rule.names);
        for number in names.filter_map(|name| architecture.number(name)) {
            program.push(instruction(0x15, 0, 1, number));
            program.push(instruction(0x06, 0, 0, Action::Allow.value()));
        }
    }
    program.push(instruction(0x06, 0, 0, profile.otherwise.value()));
    program
}

fn filters(criterion: &mut Criterion) {
    let profile = profile();
    criterion.bench_function("ch04/seccomp/compile", |bencher| {
        bencher.iter(|| seccomp::compile(black_box(&profile)));
    });
    if !needs::root() {
        return;
    }
    let tree = seccomp::compile(&profile).expect("the profile is sound").instructions().to_vec();
    for (shape, program) in [("tree", tree), ("list", list(&profile))] {
        let name = format!("ch04/seccomp/load a {shape} of {} instructions", program.len());
        criterion.bench_function(&name, |bencher| {
            let load = || Ok(set_mode_filter(&program, FilterFlags::empty())?);
            bencher.iter_custom(|times| each_apart(times, load));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = capabilities, paths, filters
}
criterion_main!(benches);
