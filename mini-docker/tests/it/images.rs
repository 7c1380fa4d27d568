//! `images`, `rmi`, and what of images is on the disk.

use crate::harness::{Engine, names};
use crate::tars::Tar;

fn import(engine: &Engine, name: &str, content: &str) -> String {
    engine.feed("import -", &[name], Tar::new().file("file", content.as_bytes()).end()).ok()
}

fn blobs(engine: &Engine) -> usize {
    names(&engine.root().join("images/blobs/sha256")).len()
}

fn layers(engine: &Engine) -> usize {
    names(&engine.root().join("layers")).len()
}

#[test]
fn the_table_has_dockers_columns() {
    let Some(engine) = Engine::empty() else { return };
    assert_eq!(engine.call("images").ok(), "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE");
    let first = import(&engine, "first:1", "a");
    let second = import(&engine, "localhost:5000/team/second", "bb");
    let table = engine.call("images").ok();
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect())
        .collect();
    assert_eq!(lines[0], ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    assert_eq!(
        (lines[1][0], lines[1][1], lines[1][2], lines[1][4]),
        ("localhost:5000/team/second", "latest", &second[7..19], "2B")
    );
    assert_eq!((lines[2][0], lines[2][1], lines[2][2], lines[2][4]), ("first", "1", &first[7..19], "1B"));
    assert_eq!(engine.call("images -q").ok(), format!("{}\n{}", &second[7..19], &first[7..19]));
    assert_eq!(engine.call("images -q --no-trunc first").ok(), first);
    assert_eq!(engine.call("images --format {{.Repository}}:{{.Tag}} first:1").ok(), "first:1");
    assert_eq!(engine.call("images --format {{.Repository}} first:2").ok(), "");
    // Neither has met a registry.
    assert_eq!(engine.call("images --digests --format {{.Digest}}").ok(), "<none>\n<none>");
    let json: serde_json::Value =
        serde_json::from_str(&engine.call("image ls --format json first").ok()).unwrap();
    assert_eq!((json["Repository"].as_str(), json["Size"].as_str()), (Some("first"), Some("1B")));
}

#[test]
fn a_name_that_goes_to_another_image_leaves_the_first_without() {
    let Some(engine) = Engine::empty() else { return };
    let old = import(&engine, "web", "old");
    let new = import(&engine, "web", "new");
    let all = engine.call("images --no-trunc --format {{.Repository}}:{{.Tag}}={{.ID}}").ok();
    assert_eq!(all, format!("web:latest={new}\n<none>:<none>={old}"));
    assert_eq!(engine.inspect("web", ".Id"), new);
    assert_eq!(
        engine.call(&format!("rmi {}", &old[7..19])).ok().lines().next().unwrap(),
        format!("Deleted: {old}")
    );
}

#[test]
fn removing_an_image_takes_its_name_its_blobs_and_its_layers() {
    let Some(engine) = Engine::empty() else { return };
    let id = import(&engine, "web", "a");
    let layer = engine.inspect("web", "index .RootFS.Layers 0");
    assert_eq!((blobs(&engine), layers(&engine)), (3, 1));
    assert_eq!(engine.call("rmi web").ok(), format!("Untagged: web:latest\nDeleted: {id}\nDeleted: {layer}"));
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
    assert_eq!(engine.call("images -q").ok(), "");
    assert_eq!(engine.call("rmi web").fails(1), "no image named `web`");
}

#[test]
fn a_layer_stays_while_another_image_has_it() {
    let Some(engine) = Engine::empty() else { return };
    import(&engine, "web:1", "same");
    import(&engine, "web:2", "same");
    assert_eq!((blobs(&engine), layers(&engine)), (5, 1));
    let removed = engine.call("rmi web:1").ok();
    assert_eq!(removed.lines().count(), 2, "{removed}");
    assert_eq!((blobs(&engine), layers(&engine)), (3, 1));
    engine.call("image rm web:2").ok();
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
}

#[test]
fn an_image_that_a_container_needs_is_not_removed() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name old host true").ok();
    let (image, container) = (engine.inspect("old", ".Image"), engine.inspect("old", ".Id"));
    let (image, container) = (image[7..19].to_owned(), container[..12].to_owned());
    assert_eq!(
        engine.call("rmi host").fails(1),
        format!(
            "conflict: unable to remove repository reference \"host\" (must force) - container {container} is using its referenced image {image}"
        )
    );
    assert_eq!(
        engine.call(&format!("rmi {image}")).fails(1),
        format!(
            "conflict: unable to delete {image} (must be forced) - image is being used by stopped container {container}"
        )
    );
    engine.call("rm old").ok();
    engine.detached("--name busy", "sleep 1000");
    let container = engine.inspect("busy", ".Id")[..12].to_owned();
    assert_eq!(
        engine.call(&format!("rmi -f {image}")).fails(1),
        format!(
            "conflict: unable to delete {image} (cannot be forced) - image is being used by running container {container}"
        )
    );
    // The name can be taken; the files stay for the container.
    assert_eq!(engine.call("rmi -f host").ok(), "Untagged: host:latest");
    assert_eq!(engine.call("ps --format {{.Image}}").ok(), image);
    assert_eq!(engine.inspect("busy", ".State.Running"), "true");
    engine.call("rm -f busy").ok();
    assert!(engine.call(&format!("rmi {image}")).ok().starts_with("Deleted: sha256:"));
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
}

#[test]
fn several_images_are_removed_and_the_missing_one_is_reported() {
    let Some(engine) = Engine::empty() else { return };
    import(&engine, "one", "1");
    import(&engine, "two", "2");
    let done = engine.call("rmi one nosuch two");
    assert_eq!(done.fails(1), "no image named `nosuch`");
    assert!(
        done.out().contains("Untagged: one:latest\n") && done.out().contains("Untagged: two:latest\n"),
        "{}",
        done.out()
    );
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
}

#[test]
fn what_is_not_there_is_no_failure_with_force() {
    let Some(engine) = Engine::empty() else { return };
    import(&engine, "one", "1");
    let done = engine.call("rmi --force nosuch one");
    assert_eq!(done.fails(0), "no image named `nosuch`");
    assert!(done.out().starts_with("Untagged: one:latest\nDeleted: "), "{}", done.out());
    import(&engine, "two", "2");
    assert!(engine.call("image rm --no-prune two").ok().starts_with("Untagged: two:latest\nDeleted: "));
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
}

#[test]
fn the_start_of_an_id_names_an_image() {
    let Some(engine) = Engine::empty() else { return };
    let id = import(&engine, "web", "x");
    for part in [&id, &id[..19], &id[7..], &id[7..19], &id[7..11]] {
        assert_eq!(engine.inspect(part, ".Id"), id);
    }
    assert_eq!(engine.call("inspect nosuch").fails(1), "No such object: nosuch");
    assert_eq!(engine.call("image inspect nosuch").fails(1), "No such image: nosuch");
}

#[test]
fn the_image_host_is_made_again_after_it_was_removed() {
    let Some(engine) = Engine::new() else { return };
    engine.call("rmi host").ok();
    assert_eq!((blobs(&engine), layers(&engine)), (0, 0));
    assert_eq!(engine.call("run --rm host echo again").ok(), "again");
    let message = engine.feed("import - host", &[] as &[&str], Tar::new().end()).fails(1);
    assert!(message.contains("`host` is reserved"), "{message}");
    assert_eq!(
        crate::harness::names(&engine.root().join("images"))
            .iter()
            .filter(|name| name.starts_with("host-"))
            .count(),
        0
    );
}

#[test]
fn the_store_is_an_oci_layout() {
    let Some(engine) = Engine::empty() else { return };
    import(&engine, "web:1", "x");
    let read = |path: &str| {
        serde_json::from_slice::<serde_json::Value>(
            &std::fs::read(engine.root().join("images").join(path)).unwrap(),
        )
        .unwrap()
    };
    assert_eq!(read("oci-layout")["imageLayoutVersion"], "1.0.0");
    let index = read("index.json");
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "web:1");
    let blob = |digest: &serde_json::Value| format!("blobs/sha256/{}", &digest.as_str().unwrap()[7..]);
    let manifest = read(&blob(&index["manifests"][0]["digest"]));
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(read(&blob(&manifest["config"]["digest"]))["os"], "linux");
    assert_eq!(
        std::fs::metadata(engine.root().join("images").join(blob(&manifest["layers"][0]["digest"])))
            .unwrap()
            .len(),
        manifest["layers"][0]["size"]
    );
}
