//! Chapter 2: what each kind of namespace adds to the making and the end of a process.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::needs;
use mini_namespaces::Kind;
use mini_sys::clone::{CloneFlags, clone3, leave};
use mini_sys::pidfd;

/// What a container gets.
const SIX: [Kind; 6] = [Kind::Mount, Kind::Pid, Kind::Uts, Kind::Ipc, Kind::Net, Kind::Cgroup];

fn cloning(criterion: &mut Criterion) {
    if !needs::root() {
        return;
    }
    let mut cases = vec![("none".to_owned(), CloneFlags::empty())];
    cases.extend(SIX.map(|kind| (kind.to_string(), kind.flag())));
    cases.push(("all six".to_owned(), SIX.iter().map(|kind| kind.flag()).collect()));
    for (name, flags) in cases {
        criterion.bench_function(&format!("ch02/clone3/{name}"), |bencher| {
            bencher.iter(|| {
                let child = clone3(flags, None, || leave(0)).expect("clone3");
                pidfd::wait(&child.pidfd)
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = cloning
}
criterion_main!(benches);
