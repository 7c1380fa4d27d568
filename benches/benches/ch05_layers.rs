//! Chapter 5: unpacking a layer, packing one, and mounting a stack of them.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mini_benches::apart::apart;
use mini_benches::needs;
use mini_benches::room::{Room, layer};
use mini_layers::apply::{How, apply};
use mini_layers::{Overlay, Owners, Packing, Upper, write_tar};
use mini_sys::mount::{MntFlags, umount2};

const FILES: usize = 1000;

fn how() -> How<'static> {
    let owners = if mini_sys::Uid::effective().is_root() { Owners::Keep } else { Owners::Mine };
    How { owners, whiteouts: true, lower: None }
}

/// Per file: `elem` in what criterion prints is one of a thousand files of a kibibyte.
fn tars(criterion: &mut Criterion) {
    let room = Room::new().expect("a room");
    let tar = layer(FILES).expect("a tar");
    let unpack = || {
        let directory = room.directory("tree").expect("an empty directory");
        let target = File::open(&directory).expect("open the directory");
        let begun = Instant::now();
        apply(&tar[..], target.as_fd(), how()).expect("apply");
        begun.elapsed()
    };
    let mut group = criterion.benchmark_group("ch05/layer of 1,000 files");
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("apply", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| unpack()).sum());
    });
    unpack();
    group.bench_function("diff", |bencher| {
        bencher.iter(|| {
            write_tar(&room.path().join("tree"), std::io::sink(), Packing::default()).expect("pack")
        });
    });
    group.finish();
}

fn overlays(criterion: &mut Criterion) {
    if !needs::overlay() {
        return;
    }
    let room = Room::new().expect("a room");
    let layers = room.layers(128).expect("layers");
    let mut group = criterion.benchmark_group("ch05/mount an overlay");
    for count in [1, 10, 128] {
        group.bench_function(format!("{count} layers"), |bencher| {
            bencher.iter_custom(|times| mount(&room, &layers[..count], times));
        });
    }
    group.finish();
}

/// The sum of `times` mounts. The unmounting in between is not counted.
fn mount(room: &Room, lower: &[PathBuf], times: u64) -> Duration {
    let directory = |name| room.directory(name).expect("an empty directory");
    let (tree, work, merged) = (directory("upper"), directory("work"), directory("merged"));
    let overlay = Overlay { lower: lower.to_vec(), upper: Some(Upper { tree, work }), userxattr: false };
    apart(|| {
        let mut sum = Duration::ZERO;
        for _ in 0..times {
            let begun = Instant::now();
            overlay.mount_at(&merged)?;
            sum += begun.elapsed();
            umount2(&merged, MntFlags::MNT_DETACH)?;
        }
        Ok(sum)
    })
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = tars, overlays
}
criterion_main!(benches);
