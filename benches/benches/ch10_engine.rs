//! Chapter 10: a container's record, and a whole container as a user starts one.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::room::Room;
use mini_benches::{needs, settle};
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

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = records, commands
}
criterion_main!(benches);
