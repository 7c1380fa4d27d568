//! What strangers write, spoiled: bytes are changed, pieces cut out, put in and taken from elsewhere. The promises are
//! those of `entry`; that the inputs are good ones before they are spoiled is looked at first.

use std::fs::File;
use std::sync::PoisonError;

use mini_images::import::Import;
use mini_images::{Images, Reference};
use mini_layers::Owners;
use proptest::prelude::*;

use crate::{FORKS, entry, inputs};

/// What is done to an input. Places are parts of the whole, so that they fit inputs of any length.
#[derive(Debug, Clone)]
enum Fault {
    Change { at: f64, to: u8 },
    Cut { from: f64, length: usize },
    End { at: f64 },
    Repeat { from: f64, length: usize, at: f64 },
    Foreign { input: usize, from: f64, length: usize, at: f64 },
    Text { text: &'static str, at: f64 },
}

/// What parsers are known to stumble over.
const TEXTS: [&str; 14] = [
    "../",
    "/",
    "\0",
    "-1",
    "99999999999999999999",
    "7777777777777",
    "[",
    "{\"",
    "null",
    "@sha256:",
    ".wh..wh..opq",
    ".wh.",
    "ÿ",
    ":",
];

fn fault() -> impl Strategy<Value = Fault> {
    let at = || 0.0..1.0;
    let length = || prop_oneof![1usize..16, 500usize..1100];
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, to)| Fault::Change { at, to }),
        1 => (at(), length()).prop_map(|(from, length)| Fault::Cut { from, length }),
        1 => at().prop_map(|at| Fault::End { at }),
        1 => (at(), length(), at()).prop_map(|(from, length, at)| Fault::Repeat { from, length, at }),
        1 => (any::<usize>(), at(), length(), at())
            .prop_map(|(input, from, length, at)| Fault::Foreign { input, from, length, at }),
        2 => (proptest::sample::select(&TEXTS[..]), at()).prop_map(|(text, at)| Fault::Text { text, at }),
    ]
}

fn spoil(mut content: Vec<u8>, faults: &[Fault], all: &[Vec<u8>]) -> Vec<u8> {
    let place = |content: &[u8], at: f64| (content.len() as f64 * at) as usize;
    let piece = |content: &[u8], from: f64, length: usize| {
        let from = place(content, from);
        content[from..content.len().min(from + length)].to_vec()
    };
    for fault in faults.iter().cloned() {
        match fault {
            Fault::Change { at, to } => {
                let at = place(&content, at);
                content.get_mut(at).into_iter().for_each(|byte| *byte = to);
            }
            Fault::Cut { from, length } => {
                let from = place(&content, from);
                content.drain(from..content.len().min(from + length));
            }
            Fault::End { at } => content.truncate(place(&content, at)),
            Fault::Repeat { from, length, at } => {
                let (piece, at) = (piece(&content, from, length), place(&content, at));
                content.splice(at..at, piece);
            }
            Fault::Foreign { input, from, length, at } => {
                let (piece, at) = (piece(&all[input % all.len()], from, length), place(&content, at));
                content.splice(at..at, piece);
            }
            // Over what was there, so that a tar keeps its blocks.
            Fault::Text { text, at } => {
                let at = place(&content, at);
                let end = content.len().min(at + text.len());
                content.splice(at..end, text.bytes());
            }
        }
    }
    content
}

/// Makes the checksum of each header right again: what is wrong is then not seen at once.
fn mend(mut content: Vec<u8>) -> Vec<u8> {
    for block in content.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    content
}

fn spoiled(all: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let faults = prop::collection::vec(fault(), 1..5);
    (0..all.len(), faults, any::<bool>()).prop_map(move |(index, faults, mended)| {
        let content = spoil(all[index].clone(), &faults, &all);
        if mended { mend(content) } else { content }
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, fork: false, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn a_spoiled_name_is_read_or_refused(content in spoiled(inputs::texts())) {
        entry::reference(&content);
    }

    #[test]
    fn a_spoiled_manifest_is_read_or_refused(content in spoiled(inputs::manifests())) {
        entry::manifest(&content);
    }
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_spoiled_archive_is_taken_or_refused_and_leaves_nothing_else(content in spoiled(inputs::archives())) {
        let _alone = FORKS.read().unwrap_or_else(PoisonError::into_inner);
        entry::archive(&content);
    }
}

#[test]
fn the_inputs_are_good_before_they_are_spoiled() {
    inputs::texts().iter().for_each(|text| entry::reference(text));
    assert_eq!(inputs::texts().iter().filter(|text| is_name(text)).count(), 6);
    inputs::manifests().iter().for_each(|manifest| entry::manifest(manifest));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("input");
    let images =
        Images::open(&directory.path().join("images"), &directory.path().join("layers"), Owners::Mine)
            .unwrap();
    let (mut loaded, mut imported) = (0, 0);
    for archive in inputs::archives() {
        let _alone = FORKS.read().unwrap_or_else(PoisonError::into_inner);
        entry::archive(&archive);
        std::fs::write(&path, &archive).unwrap();
        loaded += usize::from(images.load(File::open(&path).unwrap(), None).is_ok());
        imported += usize::from(images.import(&mut archive.as_slice(), &Import::default()).is_ok());
    }
    // What can be loaded is a tar like any other, so it can be imported too.
    assert_eq!((loaded, imported), (3, 6));
}

#[test]
#[ignore = "writes what the fuzz targets begin with into fuzz/corpus"]
fn seeds() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (target, inputs) in
        [("reference", inputs::texts()), ("manifest", inputs::manifests()), ("archive", inputs::archives())]
    {
        std::fs::create_dir_all(corpus.join(target)).unwrap();
        for (number, input) in inputs.iter().enumerate() {
            std::fs::write(corpus.join(target).join(number.to_string()), input).unwrap();
        }
    }
}

fn is_name(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Reference>().is_ok())
}
