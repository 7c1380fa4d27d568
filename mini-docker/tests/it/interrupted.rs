//! A pull that is disturbed: killed, doubled, lied to, or out of room. The store holds whole images only, and the next
//! pull succeeds.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Engine, PATIENCE, binary, finish, names};
use crate::needs;
use crate::passage::Passage;
use crate::registry::{MANIFEST, Registry, gzip};
use crate::tars::{self, Tar, noise};

/// A layer that takes a while on a slow way.
fn long_layer() -> Vec<u8> {
    Tar::new().dir("bin").file("noise", &noise(400_000)).end()
}

fn engine_and_registry() -> Option<(Engine, Registry)> {
    let engine = Engine::empty()?;
    let registry = Registry::start(&engine)?;
    Some((engine, registry))
}

/// How much of a layer is here.
fn part(engine: &Engine) -> u64 {
    let ingest = engine.root().join("images/ingest");
    let parts = names(&ingest).into_iter().filter(|name| name.starts_with("partial-"));
    parts.filter_map(|name| std::fs::metadata(ingest.join(name)).ok()).map(|part| part.len()).sum()
}

#[test]
fn a_killed_pull_leaves_no_image_and_the_next_one_goes_on_from_there() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    registry.image("lib/long", "1", "amd64", &[&tars::root(), &long_layer()]);
    engine.call("images").ok();
    let way = Passage::to(registry.port()).slow(Duration::from_millis(5)).open();
    let name = format!("{}/lib/long:1", way.address());
    let mut pull = engine.command("pull", &[&name]).stdout(std::process::Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while part(&engine) < 100_000 {
        assert!(Instant::now() < deadline, "nothing comes");
        sleep(Duration::from_millis(5));
    }
    pull.kill().unwrap();
    pull.wait().unwrap();

    assert_eq!(engine.call("images -q").ok(), "");
    let staging = names(&engine.root().join("layers"));
    assert!(staging.iter().all(|name| !name.starts_with(".staging-")), "{staging:?}");
    assert!(!way.heard().contains("range: bytes="));
    engine.with("pull -q", &[&name]).ok();
    let heard = way.heard();
    let from = heard.split("range: bytes=").nth(1).and_then(|rest| rest.split('-').next());
    let from: u64 = from.unwrap_or_else(|| panic!("all was asked for again: {heard}")).parse().unwrap();
    assert!(from >= 20_000, "{from}");
    assert_eq!(engine.with("run --rm", &[&name, "cat", "/noise"]).stdout, noise(400_000));
    assert_eq!(part(&engine), 0);
}

#[test]
fn a_layer_that_two_pulls_want_is_fetched_once() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    let shared = long_layer();
    let own = |text: &[u8]| Tar::new().file("own", text).end();
    registry.image("lib/one", "1", "amd64", &[&shared, &own(b"one")]);
    registry.image("lib/two", "1", "amd64", &[&shared, &own(b"two")]);
    let way = Passage::to(registry.port()).slow(Duration::from_millis(2)).open();
    let pull = |name: &str| {
        let name = format!("{}/lib/{name}:1", way.address());
        engine.command("pull -q", &[name]).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut both = [pull("one"), pull("two")];
    for pull in &mut both {
        assert!(pull.wait().unwrap().success());
    }
    let digest = mini_layers::Digest::of(&gzip(&shared));
    assert_eq!(way.heard().matches(&format!("blobs/{digest}")).count(), 1);
    assert_eq!(engine.call("images -q").ok().lines().count(), 2);
}

#[test]
fn an_image_that_is_not_here_is_pulled_before_it_runs() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    let name = format!("{}/lib/app:1", registry.address());
    registry.image("lib/app", "1", "amd64", &[&tars::root()]);
    engine.with("run --rm --pull never", &[&name, "true"]).fails(125);
    let first = engine.with("run --rm", &[&name, "echo", "it runs"]);
    assert_eq!(first.ok(), "it runs");
    let told = first.err();
    assert!(
        told.starts_with(&format!("Unable to find image '{name}' locally\n1: Pulling from lib/app\n")),
        "{told}"
    );
    assert!(told.ends_with(&format!("\nStatus: Downloaded newer image for {name}\n")), "{told}");
    assert_eq!(engine.with("run --rm", &[&name, "true"]).err(), "");
    let again = engine.with("run --rm --pull always", &[&name, "true"]).err();
    assert!(again.contains("Status: Image is up to date for"), "{again}");

    let missing = engine.with("run --rm -q", &[format!("{}/lib/app:2", registry.address())]).fails(125);
    assert!(missing.contains("no image named `") && missing.contains("manifest unknown"), "{missing}");
    assert_eq!(engine.with("run --rm --quiet", &[&name, "echo", "quiet"]).ok(), "quiet");
}

/// What the monitor of a container keeps to itself, in KiB.
fn kept_by_the_monitor(engine: &Engine, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid(name))).unwrap();
    let monitor = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap();
    let memory = std::fs::read_to_string(format!("/proc/{monitor}/smaps_rollup")).unwrap();
    let dirty = memory.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    dirty.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn the_monitor_of_a_container_keeps_nothing_of_the_pull_before_it() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    let layers =
        [1, 2, 3].map(|seed| Tar::new().file(&format!("noise-{seed}"), &noise(3_000_000 + seed)).end());
    let root = tars::root();
    registry.image("lib/app", "1", "amd64", &[&root, &layers[0], &layers[1], &layers[2]]);
    let name = format!("{}/lib/app:1", registry.address());
    for container in ["pulled", "known"] {
        engine.with(&format!("run -d -q --name {container}"), &[&name, "sleep", "1000"]).ok();
    }
    // It gives memory back when nothing has happened for a while.
    let deadline = Instant::now() + PATIENCE;
    while kept_by_the_monitor(&engine, "pulled") > kept_by_the_monitor(&engine, "known") + 1024 {
        assert!(Instant::now() < deadline, "{} KiB", kept_by_the_monitor(&engine, "pulled"));
        sleep(Duration::from_millis(200));
    }
}

/// Puts an image of one layer into the registry whose manifest says what `change` makes of it.
fn image(registry: &Registry, layer: &[u8], diff_id: &[u8], change: impl FnOnce(&mut serde_json::Value)) {
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [mini_layers::Digest::of(diff_id).to_string()] },
    });
    let config =
        registry.blob("lib/x", "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let layer = registry.blob("lib/x", "application/vnd.oci.image.layer.v1.tar+gzip", layer);
    let mut manifest =
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
    change(&mut manifest);
    registry.manifest("lib/x", "1", MANIFEST, &manifest);
}

#[test]
fn what_is_not_as_it_was_said_to_be_is_refused_by_the_layer_and_leaves_nothing() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let name = format!("{}/lib/x:1", registry.address());
    let refused = |case: &str, words: &[&str]| {
        let told = engine.with("pull -q", &[&name]).fails(1);
        for word in words.iter().chain(&["lib/x:1"]) {
            assert!(told.contains(word), "{case}: {told}");
        }
        engine.assert_unchanged(&before, case);
    };
    let tar = tars::root();
    let good = gzip(&tar);
    let layer = mini_layers::Digest::of(&good).to_string();

    let size =
        |size: usize| move |manifest: &mut serde_json::Value| manifest["layers"][0]["size"] = size.into();
    image(&registry, &good, &tar, size(100));
    refused("over-long", &[&layer, "received"]);
    image(&registry, &good, b"another tar", |_| {});
    refused("another tar", &[&layer, "diff id"]);
    let cut = &good[..good.len() / 2];
    image(&registry, cut, &tar, |_| {});
    refused("cut short", &["read the tar archive"]);
    image(&registry, b"no archive at all", &tar, |_| {});
    refused("no archive", &["tar"]);
}

#[test]
fn a_bomb_is_refused_within_the_bounds_that_the_user_sets() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let tar = Tar::new().file("zeros", &vec![0; 3 << 20]).end();
    image(&registry, &gzip(&tar), &tar, |_| {});
    let settings = engine.path("settings/mini-docker");
    std::fs::create_dir_all(&settings).unwrap();
    let pull = |text: &str| {
        std::fs::write(settings.join("config.toml"), text).unwrap();
        let mut command = engine.command("pull -q", &[format!("{}/lib/x:1", registry.address())]);
        command.env("XDG_CONFIG_HOME", engine.path("settings"));
        finish(&mut command, None)
    };
    let told = pull("[layers]\nlargest = \"1m\"\nratio = 20\n").fails(1);
    assert!(
        told.contains("more than 1048576 bytes and more than 20 times its compressed size, as a bomb does"),
        "{told}"
    );
    engine.assert_unchanged(&before, "a bomb");
    assert!(pull("[layers]\nlargest = \"1x\"\n").fails(1).contains("invalid size: '1x'"));
    pull("[layers]\nlargest = \"8m\"\nratio = 20\n").ok();
}

#[test]
fn manifests_that_are_none_are_refused_by_name() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let name = format!("{}/lib/x:1", registry.address());
    image(&registry, &gzip(&tars::root()), &tars::root(), |_| {});
    // The registry takes in no such thing; it is put where it keeps its manifest.
    let file = registry.file_of(&registry.digest_of("lib/x", "1"));
    let put = |text: &[u8]| {
        std::fs::write(&file, text).unwrap();
        let told = engine.with("pull -q", &[&name]).fails(1);
        engine.assert_unchanged(&before, &told);
        told
    };
    put(&vec![b' '; 10 << 20]);
    put(b"{\"schemaVersion\":1,\"fsLayers\":[]}");
    put(b"[]");
}

#[test]
fn a_disk_that_is_full_is_told_and_leaves_nothing() {
    let Some((engine, registry)) = engine_and_registry() else { return };
    if !needs::program("unshare") {
        return;
    }
    let layer = Tar::new().file("noise", &noise(3 << 20)).end();
    registry.image("lib/big", "1", "amd64", &[&layer]);
    let script = format!(
        "mount -t tmpfs -o size=2m none {root} && {binary} --root {root} pull -q {address}/lib/big:1; \
         echo $?; find {root}/images/ingest {root}/layers -mindepth 1; {binary} --root {root} images -q",
        root = engine.path("small").display(),
        binary = binary().display(),
        address = registry.address(),
    );
    std::fs::create_dir(engine.path("small")).unwrap();
    let done = finish(Command::new("unshare").args(["-m", "sh", "-c", &script]), None);
    assert_eq!(done.ok(), "1");
    assert!(done.err().contains("No space left on device"), "{}", done.err());
    assert!(done.err().contains("\nhint: the disk is full"), "{}", done.err());
}
