//! Chapter 10: a container's record, and a whole container as a user starts one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::chosen::chosen;
use mini_benches::room::Room;
use mini_benches::{kept, needs, settle};
use mini_engine::events::{self, Event};
use mini_engine::home::Home;
use mini_engine::{Config, Create, HostConfig, Record, create, remove};
use mini_images::{Image, ImageConfig, Reference};

fn empty_image(home: &Home) -> Image {
    let images = home.images().expect("the images");
    let text = serde_json::to_vec(&ImageConfig::default()).expect("a configuration");
    let name = "empty".parse::<Reference>().expect("a name");
    images.add(&text, &[], &[name]).expect("an image")
}

fn records(criterion: &mut Criterion) {
    let room = Room::new().expect("a room");
    let home = Home::new(room.path());
    let image = empty_image(&home);
    let request = || {
        let config = Config { cmd: Some(vec!["true".to_owned()]), ..Config::default() };
        let host_config = HostConfig { network_mode: "none".to_owned(), ..HostConfig::default() };
        Create { name: None, image: image.clone(), config, host_config }
    };
    // The time to make a container, and the time to remove it.
    let once = || {
        let begun = Instant::now();
        let record = create(&home, request()).expect("create");
        let made = begun.elapsed();
        remove::remove(&home, &record, false).expect("remove");
        (made, begun.elapsed() - made)
    };
    criterion.bench_function("ch10/create", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| once().0).sum());
    });
    criterion.bench_function("ch10/remove", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| once().1).sum());
    });
    let record = create(&home, request()).expect("create");
    criterion
        .bench_function("ch10/read a record", |bencher| bencher.iter(|| Record::load(&home, &record.id)));
    criterion.bench_function("ch10/tell an event", |bencher| {
        bencher.iter(|| events::emit(&home, &Event::container(&record, "start")));
    });
}

fn commands(criterion: &mut Criterion) {
    let Some(program) = needs::mini_docker() else { return };
    let room = Room::new().expect("a room");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .env("MINI_DOCKER_ROOT", room.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let status = command.status().expect("run mini-docker");
        assert!(status.success(), "`mini-docker {}`: {status}", arguments.join(" "));
    };
    criterion.bench_function("ch10/mini-docker --version", |bencher| bencher.iter(|| run(&["--version"])));
    if !needs::overlay() {
        return;
    }
    let whole = ["run", "--rm", "--network", "none", "host", "true"];
    // The image `host` is made on first use.
    run(&whole);
    criterion
        .bench_function("ch10/mini-docker run --rm --network none", |bencher| bencher.iter(|| run(&whole)));
    settle::until_empty(&Home::new(room.path()).containers()).expect("clean up");
}

/// So many idle containers at once; `MINI_FLEET` says another number, and a trial of the benchmark alone is content with
/// fewer.
const FLEET: usize = 500;
const TRIAL: usize = 8;

/// The engine of a fleet, whose containers go whatever happens.
struct Fleet {
    program: PathBuf,
    room: Room,
}

impl Fleet {
    fn call(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn output(&self, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(words).env("MINI_DOCKER_ROOT", self.room.path()).stdin(Stdio::null());
        command.output().expect("run mini-docker")
    }
}

impl Drop for Fleet {
    /// Also after a failure in the middle: nobody else knows of these containers.
    fn drop(&mut self) {
        let ids = self.output(&["ps", "-aq", "--no-trunc"]).stdout;
        let ids = String::from_utf8_lossy(&ids).into_owned();
        let all: Vec<&str> = ids.lines().collect();
        if !all.is_empty() {
            self.output(&[&["rm", "-f"], all.as_slice()].concat());
        }
        // What stays is told by the command that is asked about it: `mini-docker leaks`.
        let _ = settle::until_empty(&Home::new(self.room.path()).containers());
    }
}

/// How many processes we may add, if the machine says.
fn room_for_processes() -> Option<usize> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let all = number("/proc/sys/kernel/pid_max")?.min(number("/proc/sys/kernel/threads-max")?);
    let loadavg = std::fs::read_to_string("/proc/loadavg").ok()?;
    let now: usize = loadavg.split([' ', '/']).nth(4)?.parse().ok()?;
    Some(all.saturating_sub(now))
}

/// Many idle containers: how long they take to start, what one costs in memory, and how long it takes to list them all.
fn fleet(criterion: &mut Criterion) {
    if !chosen("ch10/fleet") {
        return;
    }
    let (Some(program), true) = (needs::mini_docker(), needs::overlay()) else { return };
    let is_trial = std::env::args().any(|word| word == "--test");
    let asked = std::env::var("MINI_FLEET").ok().map(|text| text.parse().expect("MINI_FLEET is a number"));
    let count = asked.unwrap_or(if is_trial { TRIAL } else { FLEET });
    // A monitor and a program for each, and as much again for everybody else.
    let enough = room_for_processes().is_none_or(|free| free > count * 4);
    if !needs::met("a machine that may have so many processes", enough) {
        return;
    }
    let fleet = Fleet { program, room: Room::new().expect("a room") };
    // The image `host` is made on first use, which is not a start.
    fleet.call(&["run", "--rm", "--network", "none", "host", "true"]);
    let begun = Instant::now();
    for _ in 0..count {
        fleet.call(&["run", "-d", "--network", "none", "host", "sleep", "1000000"]);
    }
    let each = begun.elapsed().as_secs_f64() * 1000.0 / count as f64;
    // A monitor gives back what it does not need once it has been quiet for a while.
    std::thread::sleep(Duration::from_secs(1));
    let ids = fleet.call(&["ps", "-q", "--no-trunc"]);
    let monitors: Vec<u64> = ids.lines().filter_map(|id| monitor_memory(fleet.room.path(), id)).collect();
    assert_eq!(monitors.len(), count, "so many containers run of {count}");
    if !is_trial {
        let mean = monitors.iter().sum::<u64>() as f64 / count as f64;
        kept::tell("ch10/fleet: idle containers", count as f64, "containers", 1);
        kept::tell("ch10/fleet: each start, one after the other", each * 1e6, "ns", count);
        kept::tell("ch10/fleet: memory (Pss) of a monitor", mean, "KiB", count);
    }
    criterion.bench_function("ch10/fleet: ps of all", |bencher| bencher.iter(|| fleet.call(&["ps"])));
}

/// The memory of a container's monitor in KiB, its part of what it shares with others included. proc_pid_smaps(5).
fn monitor_memory(root: &Path, id: &str) -> Option<u64> {
    let record = Record::load(&Home::new(root), id).ok()??;
    let pid = record.state.monitor?.pid;
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What a program writes, from its pipe into the log: a whole container that writes so many bytes and ends. A record has
/// some 70 bytes beside its line, so that of short lines more is written than was said.
fn throughput(criterion: &mut Criterion) {
    const BYTES: u64 = 256 << 20;
    if !chosen("ch10/log") {
        return;
    }
    let (Some(program), true) = (needs::mini_docker(), needs::overlay()) else { return };
    let room = Room::new().expect("a room");
    let lines = |length: usize| format!("yes $(printf %0{}d 0) | head -c {BYTES}", length - 1);
    let write = |root: &Path, length: usize| {
        let mut command = Command::new(&program);
        command.args(["run", "--network", "none", "--rm", "-a", "stdin", "host", "sh", "-c", &lines(length)]);
        let status = command.env("MINI_DOCKER_ROOT", root).stdin(Stdio::null()).status();
        assert!(status.expect("run mini-docker").success());
    };
    write(room.path(), 100);
    let mut group = criterion.benchmark_group("ch10/log");
    group.throughput(criterion::Throughput::Bytes(BYTES)).sample_size(10);
    for length in [40, 100, 1000] {
        group.bench_function(format!("a container writes lines of {length} bytes"), |bencher| {
            bencher.iter(|| write(room.path(), length));
        });
    }
    group.bench_function("limit: a pipe into a file", |bencher| {
        let script = format!("{} | cat > {}", lines(100), room.path().join("copy").display());
        bencher.iter(|| assert!(Command::new("sh").args(["-c", &script]).status().expect("sh").success()));
    });
    group.finish();
    settle::until_empty(&Home::new(room.path()).containers()).expect("clean up");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = records, commands, fleet, throughput
}
criterion_main!(benches);
