//! Chapter 6: finding an image by its name, among few and among many.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mini_benches::room::Room;
use mini_images::{ImageConfig, Images, Reference};
use mini_layers::Owners;

fn references(criterion: &mut Criterion) {
    criterion.bench_function("ch06/read a reference", |bencher| {
        bencher.iter(|| black_box("registry.example:5000/team/web:1.2").parse::<Reference>());
    });
}

fn store(criterion: &mut Criterion) {
    for count in [1, 100] {
        let room = Room::new().expect("a room");
        let images = Images::open(&room.path().join("images"), &room.path().join("layers"), Owners::Mine);
        let images = images.expect("a store");
        for number in 0..count {
            let config = ImageConfig { author: Some(number.to_string()), ..ImageConfig::default() };
            let text = serde_json::to_vec(&config).expect("a configuration");
            let name = format!("image-{number}:latest").parse::<Reference>().expect("a name");
            images.add(&text, &[], &[name]).expect("add an image");
        }
        let last = format!("image-{}", count - 1);
        criterion.bench_function(&format!("ch06/find one of {count}"), |bencher| {
            bencher.iter(|| images.find(black_box(&last)).expect("find"));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = references, store
}
criterion_main!(benches);
