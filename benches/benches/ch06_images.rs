//! Chapter 6: reading a name, finding an image among few and among many, and taking one in.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mini_benches::room::{Room, layer};
use mini_images::{ImageConfig, Images, Reference};
use mini_layers::{Digest, Owners};
use serde_json::json;

/// Layers of the image that is taken in.
const LAYERS: usize = 8;
/// Files of a kibibyte in each of them, and one more in each that is above another, so that none are alike.
const FILES: usize = 100;

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

fn open(directory: &Path) -> Images {
    Images::open(&directory.join("images"), &directory.join("layers"), Owners::Mine).expect("a store")
}

/// An archive as `docker save` writes it.
fn archive(path: &Path) -> std::io::Result<()> {
    let layers = (FILES..FILES + LAYERS).map(layer).collect::<Result<Vec<_>, _>>()?;
    let diff_ids: Vec<String> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let names: Vec<String> = (0..LAYERS).map(|number| format!("{number}.tar")).collect();
    let manifest = json!([{ "Config": "config", "RepoTags": ["bench:1"], "Layers": names }]);
    let (config, manifest) = (config.to_string(), manifest.to_string());
    let texts = [("config", config.as_bytes()), ("manifest.json", manifest.as_bytes())];
    let layers = names.iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice));
    let mut tar = tar::Builder::new(File::create(path)?);
    for (name, content) in texts.into_iter().chain(layers) {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content)?;
    }
    tar.into_inner().map(drop)
}

/// Per layer: `elem` in what criterion prints is one of eight. Known layers are not read again.
fn intake(criterion: &mut Criterion) {
    let room = Room::new().expect("a room");
    let path = room.path().join("archive.tar");
    archive(&path).expect("an archive");
    let load = |images: &Images| images.load(File::open(&path).expect("open"), None).expect("load");
    let mut group = criterion.benchmark_group("ch06/load 8 layers");
    group.throughput(Throughput::Elements(LAYERS as u64));
    group.bench_function("new", |bencher| {
        bencher.iter_custom(|times| {
            let mut sum = Duration::ZERO;
            for _ in 0..times {
                let directory = room.directory("store").expect("an empty directory");
                let images = open(&directory);
                let begun = Instant::now();
                load(&images);
                sum += begun.elapsed();
                drop(images);
                fs::remove_dir_all(directory).expect("remove the store");
            }
            sum
        });
    });
    let images = open(&room.directory("store").expect("an empty directory"));
    load(&images);
    group.bench_function("known", |bencher| bencher.iter(|| load(&images)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = references, store, intake
}
criterion_main!(benches);
