//! Chapter 3: a cgroup with limits, made and removed.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::needs;
use mini_cgroups::{Cgroup, Layout, Limits, default_devices, plan};

fn limits() -> Limits {
    let (memory, pids) = (Some(64 << 20), Some(100));
    Limits { memory, pids, cpu_shares: Some(512), devices: default_devices(), ..Limits::default() }
}

/// The time that making a cgroup takes, and the time that removing it takes.
fn once(layout: &Layout) -> (Duration, Duration) {
    let begun = Instant::now();
    let group =
        Cgroup::create(layout, &format!("mini-bench-{}", std::process::id()), &limits()).expect("create");
    let made = begun.elapsed();
    group.remove().expect("remove");
    (made, begun.elapsed() - made)
}

fn cgroups(criterion: &mut Criterion) {
    let Some(layout) = needs::cgroups() else { return };
    criterion.bench_function("ch03/look at the machine", |bencher| bencher.iter(Layout::detect));
    criterion.bench_function("ch03/plan", |bencher| bencher.iter(|| plan(&layout, "bench", &limits())));
    criterion.bench_function("ch03/create", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| once(&layout).0).sum());
    });
    criterion.bench_function("ch03/remove", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| once(&layout).1).sum());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = cgroups
}
criterion_main!(benches);
