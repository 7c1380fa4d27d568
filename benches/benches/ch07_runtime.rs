//! Chapter 7: from an OCI spec to the list of steps, and that list in words.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mini_benches::needs;
use mini_benches::room::Room;
use mini_layers::{Overlay, Upper};
use mini_runtime::log::read::Reader;
use mini_runtime::log::{Log, Options, Rotation, Stream, Target};
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
    let process = spec.process().clone().expect("a process");
    criterion.bench_function("ch07/plan an exec", |bencher| {
        let joining = mini_runtime::exec::Joining::default();
        bencher.iter(|| mini_runtime::exec::plan(black_box(&spec), &process, &joining).expect("plan"));
    });
    let json = serde_json::to_vec(&spec).expect("JSON");
    criterion.bench_function("ch07/read a spec", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Spec>(black_box(&json)).expect("a spec"));
    });
}

/// So many bytes are written and read; a container's pipe hands over at most so much at once.
const BYTES: usize = 64 << 20;
const CHUNK: usize = 64 << 10;

/// A log in memory's file system if there is one, so that the disk is not what is measured.
fn log(directory: &Path) -> Log {
    let options = Options { to: Target::Files(Rotation::default()), attributes: Vec::new() };
    Log::open(&directory.join("log.json"), &options).expect("a log")
}

fn fill(log: &mut Log, chunk: &[u8]) {
    (0..BYTES / chunk.len()).for_each(|_| log.write(Stream::Stdout, chunk).expect("written"));
}

/// The container's log beside its limit: the bytes of the log's file, written and read as they are.
fn logging(criterion: &mut Criterion) {
    let place = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." };
    let directory = tempfile::tempdir_in(place).expect("a directory");
    let path = directory.path().join("log.json");
    let line = format!("{}\n", "abcdefghi ".repeat(10));
    let chunk = line.repeat(CHUNK / line.len()).into_bytes();
    let mut group = criterion.benchmark_group("ch07/log");
    group.throughput(Throughput::Bytes(BYTES as u64)).sample_size(10);
    group.bench_function("write lines of 100 bytes", |bencher| {
        bencher.iter_with_setup(
            || {
                let _ = std::fs::remove_file(&path);
                log(directory.path())
            },
            |mut log| fill(&mut log, &chunk),
        );
    });
    let file = std::fs::read(&path).expect("a log");
    group.bench_function("limit: write the log's bytes", |bencher| {
        bencher.iter_with_setup(
            || File::create(directory.path().join("copy")).expect("a file"),
            |mut copy| file.chunks(CHUNK * 2).for_each(|part| copy.write_all(part).expect("written")),
        );
    });
    drop(file);
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::open(&path, None).expect("a log");
            let mut length = 0;
            while let Some(entry) = reader.next_entry().expect("read") {
                length += entry.text.len();
            }
            assert_eq!(length, BYTES / chunk.len() * chunk.len());
        });
    });
    group.bench_function("limit: read the log's bytes", |bencher| {
        let mut buffer = vec![0; 1 << 20];
        bencher.iter(|| {
            let mut file = File::open(&path).expect("a log");
            while file.read(&mut buffer).expect("read") > 0 {}
        });
    });
    group.finish();
}

/// One more program in a container that runs, from the command to its end, beside what nsenter(1) does of it: neither
/// its cgroup nor its capabilities.
fn execution(criterion: &mut Criterion) {
    let (true, Some(program), Ok(room)) = (needs::overlay(), needs::mini_docker(), Room::new()) else {
        return;
    };
    let home = room.directory("home").expect("a directory");
    let call = |words: &[&str]| {
        let output =
            Command::new(&program).arg("--root").arg(&home).args(words).output().expect("mini-docker");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    call(&["run", "-d", "--name", "bench", "host", "sleep", "100000"]);
    let pid = call(&["inspect", "--format", "{{.State.Pid}}", "bench"]);
    criterion.bench_function("ch07/exec, a whole command", |bencher| {
        bencher.iter(|| call(&["exec", "bench", "/bin/true"]));
    });
    criterion.bench_function("ch07/nsenter, a whole command", |bencher| {
        bencher.iter(|| {
            let output = Command::new("nsenter").args(["-t", &pid, "-a", "/bin/true"]).output();
            assert!(output.expect("nsenter").status.success());
        });
    });
    call(&["rm", "-f", "bench"]);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = planning, execution, logging
}
criterion_main!(benches);
