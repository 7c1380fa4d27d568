//! Chapter 0: what the kernel asks for a process, a channel and a name.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::room::Room;
use mini_sys::clone::{fork, leave};
use mini_sys::file::{self, Mode, OFlags, ResolveFlags};
use mini_sys::{ipc, pidfd};

fn processes(criterion: &mut Criterion) {
    criterion.bench_function("ch00/fork, _exit, wait", |bencher| {
        bencher.iter(|| {
            let child = fork(|| leave(0)).expect("fork");
            pidfd::wait(&child.pidfd)
        });
    });
    criterion.bench_function("ch00/pipe, write, read", |bencher| {
        bencher.iter(|| {
            let (reader, writer) = ipc::pipe().expect("pipe");
            ipc::write(&writer, b"x").and_then(|_| ipc::read(&reader, &mut [0]))
        });
    });
}

/// A name that must not leave a directory costs about what any other costs.
fn names(criterion: &mut Criterion) {
    let room = Room::new().expect("a room");
    let deep = room.directory("usr/share/doc").expect("a directory");
    std::fs::write(deep.join("file"), "x").expect("a file");
    let root = file::open_directory(room.path()).expect("the root");
    let path = Path::new("usr/share/doc/file");
    for (name, resolve) in [("anywhere", ResolveFlags::empty()), ("IN_ROOT", ResolveFlags::IN_ROOT)] {
        criterion.bench_function(&format!("ch00/openat2/{name}"), |bencher| {
            bencher.iter(|| file::openat2(&root, black_box(path), OFlags::RDONLY, Mode::empty(), resolve));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = processes, names
}
criterion_main!(benches);
