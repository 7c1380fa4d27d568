//! Chapter 7: from an OCI spec to the list of steps, and that list in words.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_layers::{Overlay, Upper};
use mini_runtime::{Setting, plan};
use oci_spec::runtime::Spec;

/// With ten layers, as a middling image has.
fn setting() -> Setting {
    let lower = (0..10).map(|number| format!("/layers/{number}/diff").into()).collect();
    let upper = Upper { tree: "/container/upper".into(), work: "/container/work".into() };
    Setting { overlay: Some(Overlay { lower, upper: Some(upper), userxattr: false }), ..Setting::default() }
}

fn planning(criterion: &mut Criterion) {
    let (spec, setting) = (Spec::default(), setting());
    criterion.bench_function("ch07/plan", |bencher| {
        bencher.iter(|| plan(black_box(&spec), &setting).expect("plan"));
    });
    let steps = plan(&spec, &setting).expect("plan");
    criterion.bench_function("ch07/plan in words", |bencher| {
        bencher.iter(|| steps.steps().map(|step| step.call().len() + step.why().len()).sum::<usize>());
    });
    let json = serde_json::to_vec(&spec).expect("JSON");
    criterion.bench_function("ch07/read a spec", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Spec>(black_box(&json)).expect("a spec"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = planning
}
criterion_main!(benches);
