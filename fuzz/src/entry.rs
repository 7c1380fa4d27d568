//! Each function takes any bytes and panics when a promise is broken.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use mini_images::filter::{Filter, LIST};
use mini_images::import::Import;
use mini_images::lookup::{self, Content};
use mini_images::platform::Platform;
use mini_images::{ImageConfig, Images, Reference};
use mini_layers::{Digest, Owners};

/// A text is a name or none, and a name read from its own text is itself.
pub fn reference(content: &[u8]) {
    let Ok(text) = std::str::from_utf8(content) else { return };
    // That they come back is enough.
    let _ = (text.parse::<Platform>(), text.parse::<Digest>(), Filter::parse(text, &LIST));
    let Ok(name) = text.parse::<Reference>() else { return };
    assert_eq!(name.to_string().parse().as_ref(), Ok(&name), "{text:?}");
    assert_eq!(name.familiar().parse().as_ref(), Ok(&name), "{text:?}");
}

/// A manifest, index or configuration is read or refused, and a configuration that was read can be written.
pub fn manifest(content: &[u8]) {
    match lookup::read(content) {
        Ok(Content::Index(index)) => drop(Platform::own().choose(index.manifests()).cloned()),
        Ok(Content::Image(image)) => drop(image.layers().iter().map(|layer| layer.size()).max()),
        Err(_) => {}
    }
    if let Ok(config) = serde_json::from_slice::<ImageConfig>(content) {
        let text = serde_json::to_vec(&config).expect("a configuration that was read can be written");
        let again: ImageConfig = serde_json::from_slice(&text).expect("and read again");
        assert_eq!(again, config);
    }
}

/// An archive is loaded and a layer imported, or refused. Nothing is written outside the store, and the store has
/// what its images need and nothing else.
pub fn archive(content: &[u8]) {
    let directory = tempfile::tempdir().expect("make a directory");
    let root = directory.path().join("root");
    let file = directory.path().join("archive");
    let images =
        Images::open(&root.join("images"), &root.join("layers"), Owners::Mine).expect("open a store");
    let mut input = File::create_new(&file).expect("make a file");
    input.write_all(content).expect("write it");
    drop(input);

    // That they come back is enough.
    let _ = images.load(File::open(&file).expect("open it again"), None);
    only_what_is_needed(&images);
    let mut input = File::open(&file).expect("open it again");
    let _ = images.import(&mut input, &Import::default());
    only_what_is_needed(&images);

    assert_eq!(names(directory.path()), ["archive", "root"]);
    assert_eq!(names(&root), ["images", "layers"]);
    input.seek(SeekFrom::Start(0)).expect("go to its start");
    assert_eq!(std::fs::read(&file).expect("read it"), content, "the input was changed");
    for image in images.list().expect("list the images") {
        // What was taken in can be shown and removed.
        let _ = (images.inspect(&image), images.history(&image), images.size(&image));
        images.remove_images(&[image.id]).expect("remove an image");
    }
    assert_eq!(images.blobs.list().expect("list the blobs"), []);
    assert_eq!(images.layers.list().expect("list the layers"), []);
}

fn only_what_is_needed(images: &Images) {
    let listed = images.list().expect("list the images");
    let needed: HashSet<Digest> = listed.iter().flat_map(|image| image.chain_ids()).collect();
    let layers = images.layers.list().expect("list the layers");
    let there: HashSet<Digest> = layers.iter().map(|layer| layer.chain_id).collect();
    assert_eq!(there, needed);
    if listed.is_empty() {
        assert_eq!(images.blobs.list().expect("list the blobs"), []);
    }
    let forest = images.forest(&listed);
    assert_eq!(forest.nodes.len(), needed.len());
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("read a directory").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
