//! Do the archives get out of the three unpackers, and does mini-layers refuse them?

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::Check;
use mini_layers::{Layers, Owners};

#[path = "../archive.rs"]
mod archive;
#[path = "../unpackers.rs"]
mod unpackers;

use archive::Entry;

type Unpacker = fn(&[Entry], &Path) -> io::Result<()>;

const MINE: &str = "mine";

/// What the archive looks like, for a message.
fn shown(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match entry {
        Entry::Directory { name } => format!("{name}/"),
        Entry::File { name, .. } => name.clone(),
        Entry::Link { name, target } => format!("{name} -> {target}"),
    };
    entries.iter().map(line).collect::<Vec<_>>().join(", ")
}

/// `room/tree`, empty, and the diary beside it.
fn room(check: &Check, name: &str, diary: &str) -> io::Result<(PathBuf, PathBuf)> {
    let room = check.directory(name)?;
    let (tree, diary) = (room.join("tree"), room.join(diary));
    fs::create_dir(&tree)?;
    fs::write(&diary, MINE)?;
    Ok((tree, diary))
}

fn attack(
    check: &mut Check,
    number: usize,
    name: &str,
    unpack: Unpacker,
    cause: &str,
) -> Result<(), Box<dyn Error>> {
    let (diary, text) = (check.word(), check.word());
    // The archive is written before there is a diary that could be written to in another way.
    let out = check.directory(&format!("archive-{number}"))?.join("archive.tar");
    let arguments = [&number.to_string(), &diary, &text].map(std::ffi::OsString::from);
    let ended = check.start("driver", arguments.into_iter().chain([out.clone().into()]))?.finish()?;
    let Ok(tar) = fs::read(&out) else {
        check
            .invariant(4, format!("attack {number} makes an archive"))
            .expected("an archive")
            .found(ended.stderr.trim())
            .holds(false);
        return Ok(());
    };
    let entries = archive::read(&tar)?;

    let (tree, path) = room(check, &format!("naive-{number}"), &diary)?;
    let answer = unpack(&entries, &tree)
        .map_or_else(|error| format!("it said: {error}"), |()| "it was content".to_owned());
    let found = fs::read_to_string(&path)?;
    check
        .invariant(4, format!("attack {number} gets out of `{name}`"))
        .expected(format!("the file beside the tree says `{text}`"))
        .found(format!("it says `{found}`; {answer}. Your archive: {}", shown(&entries)))
        .cause(cause)
        .holds(found == text);

    let (_, path) = room(check, &format!("layers-{number}"), &diary)?;
    let store = path.with_file_name("store");
    let layers = Layers::open(&store)?;
    let answer = layers.apply(None, None, &tar[..], Owners::Mine);
    let said = answer.as_ref().err().map(whole).unwrap_or_default();
    let untouched = fs::read_to_string(&path)? == MINE && fs::read_dir(&store)?.count() == 0;
    check
        .invariant(4, format!("mini-layers refuses archive {number}, and keeps nothing of it"))
        .expected("a refusal that names the entry; diary and store as before")
        .found(if said.is_empty() { "it was unpacked".to_owned() } else { said.clone() })
        .cause("this archive does not lead out at all")
        .holds(untouched && said.contains("is refused"));
    Ok(())
}

fn whole(error: &impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        attack(
            check,
            1,
            "trusting",
            unpackers::trusting,
            "the name is joined to the directory's path as it is",
        )?;
        attack(
            check,
            2,
            "reads_names",
            unpackers::reads_names,
            "it reads names and not what they lead through; entries are made in their order",
        )?;
        attack(
            check,
            3,
            "reads_links",
            unpackers::reads_links,
            "it counts components of a target as text, and takes each name in it for a directory one level down",
        )
    })
}
