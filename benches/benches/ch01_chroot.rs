//! Chapter 1: assembling a root file system, and the way into it.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::apart::each_apart;
use mini_benches::needs;
use mini_benches::room::{Room, TrueRoot};
use mini_chroot::host::Host;
use mini_chroot::{Devices, assemble, host_image, mounts, root, tree};

fn assembling(criterion: &mut Criterion) {
    let room = Room::new().expect("a room");
    let directory = room.path().join("root");
    criterion.bench_function("ch01/plan the image host", |bencher| {
        bencher.iter(|| host_image::plan(&mut Host::new("/")).expect("plan"));
    });
    criterion.bench_function("ch01/assemble sh, ls and cat", |bencher| {
        bencher.iter_custom(|times| {
            let assemble = || {
                room.directory("root").expect("an empty directory");
                let begun = Instant::now();
                let plan = assemble::plan(&["sh", "ls", "cat"], &[], &mut Host::new("/")).expect("plan");
                tree::perform(&plan.tree, &directory).expect("perform");
                begun.elapsed()
            };
            (0..times).map(|_| assemble()).sum()
        });
    });
}

fn entering(criterion: &mut Criterion) {
    criterion.bench_function("ch01/plan the mounts", |bencher| {
        bencher
            .iter(|| mini_chroot::plan(black_box(Path::new("/merged")), &mounts::standard(), Devices::Make));
    });
    if !needs::root() {
        return;
    }
    let room = Room::new().expect("a room");
    let small = TrueRoot::assemble(&room.path().join("root")).expect("a root file system");
    criterion.bench_function("ch01/pivot_root", |bencher| {
        bencher.iter_custom(|times| each_apart(times, || Ok(root::enter(&small.directory)?)));
    });
    criterion.bench_function("ch01/pivot_root and all mounts", |bencher| {
        let plan = mini_chroot::plan(&small.directory, &mounts::standard(), Devices::Make);
        bencher.iter_custom(|times| {
            each_apart(times, || {
                let mut detached = mini_chroot::Detached::default();
                root::bind_on_itself(&small.directory)?;
                Ok(plan.iter().try_for_each(|step| step.perform(&mut detached))?)
            })
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = assembling, entering
}
criterion_main!(benches);
