//! Chapter 4: giving up capabilities, and covering paths.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::apart::each_apart;
use mini_benches::needs;
use mini_security::Capability;
use mini_security::capabilities::{DEFAULT, Step as Capabilities};
use mini_security::paths::{MASKED, READ_ONLY, Step as Path};

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

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = capabilities, paths
}
criterion_main!(benches);
