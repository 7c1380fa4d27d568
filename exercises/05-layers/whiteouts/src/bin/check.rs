//! What did the names of a layer become, on the disk and in the mount?

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::Check;
use mini_layers::{Digest, chain_id};
use mini_sys::xattr;

/// A tar of files, each empty; a name that ends in `/` is a directory.
fn tar(names: &[&str]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let mut header = tar::Header::new_ustar();
        // Written into the field as it is: the crate would refuse some of these names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(if name.ends_with('/') { 0o755 } else { 0o644 });
        header.set_entry_type(if name.ends_with('/') {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_size(0);
        header.set_cksum();
        builder.append(&header, io::empty())?;
    }
    builder.into_inner()
}

/// What lstat(2) says of a name.
fn kind(path: &Path) -> String {
    let Ok(metadata) = fs::symlink_metadata(path) else { return "nothing of this name".to_owned() };
    let kind = metadata.file_type();
    if kind.is_char_device() {
        format!("a character device {}:{}", metadata.rdev() >> 8, metadata.rdev() & 0xff)
    } else if kind.is_dir() {
        "a directory".to_owned()
    } else {
        "a file".to_owned()
    }
}

/// All names below a directory, the ones in it without a slash.
fn names(directory: &Path, prefix: &str, into: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            names(&entry.path(), &format!("{name}/"), into)?;
        }
        into.insert(name);
    }
    Ok(())
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Whether a layer of one hostile name, on a directory `sub`, gets into the store.
fn accepted(check: &Check, room: &Path, number: usize, name: &str) -> Result<(bool, String), Box<dyn Error>> {
    let layer = tar(&["sub/", "sub/file", name])?;
    let (path, store) = (room.join(format!("hostile-{number}.tar")), room.join(format!("store-{number}")));
    fs::write(&path, &layer)?;
    let ended = check.start("driver", [store.as_os_str(), "-".as_ref(), path.as_os_str()])?.finish()?;
    let kept = store.join(Digest::of(&layer).hex()).exists();
    Ok((kept, ended.stderr.trim().to_owned()))
}

fn main() -> ExitCode {
    course_check::main(|check| {
        let room = check.directory("room")?;
        let merged = check.directory("merged")?;
        let store = room.join("layers");
        // Below: a file to remove, one beside it to keep, the same in a directory, and a directory to hide.
        let [gone, kept, inner, new] = [(); 4].map(|()| check.word());
        let below: Vec<String> = vec![
            gone.clone(),
            kept.clone(),
            "sub/".into(),
            format!("sub/{inner}"),
            format!("sub/{kept}"),
            inner.clone(),
            "cache/".into(),
            "cache/old".into(),
            "cache/deep/".into(),
            "cache/deep/old".into(),
        ];
        let above: Vec<String> = vec![
            format!(".wh.{gone}"),
            "sub/".into(),
            format!("sub/.wh.{inner}"),
            "cache/".into(),
            "cache/.wh..wh..opq".into(),
            format!("cache/{new}"),
            ".whisper".into(),
        ];
        let tars = [&below, &above].map(|list| tar(&list.iter().map(String::as_str).collect::<Vec<_>>()));
        let [base, top] = tars;
        let (base, top) = (base?, top?);
        let files = [room.join("base.tar"), room.join("top.tar")];
        fs::write(&files[0], &base)?;
        fs::write(&files[1], &top)?;

        check.proving(3);
        let mut program = check.start("driver", [&store, &merged].into_iter().chain(&files))?;
        program.line()?;
        let chain = chain_id(Some(&Digest::of(&base)), &Digest::of(&top));
        let tree = store.join(chain.hex()).join("diff");
        let mut on_disk = BTreeSet::new();
        names(&tree, "", &mut on_disk)?;
        for name in [gone.clone(), format!("sub/{inner}")] {
            let found = kind(&tree.join(&name));
            let (directory, last) =
                name.rsplit_once('/').map_or(("", name.as_str()), |(directory, last)| (directory, last));
            let slash = if directory.is_empty() { "" } else { "/" };
            check
                .invariant(3, format!("`{directory}{slash}.wh.{last}` became the mark of a removed `{name}`"))
                .expected(format!("in the layer's tree, `{name}` is a character device 0:0"))
                .found(format!("{found}; the tree holds {}", listed(&on_disk)))
                .cause("`.wh.x` means the `x` beside it, in the same directory: `Meaning::Remove`")
                .holds(found == "a character device 0:0");
        }
        let mark = xattr::lget(&tree.join("cache"), c"trusted.overlay.opaque").ok().flatten();
        let mark =
            mark.map_or("no such attribute".to_owned(), |value| String::from_utf8_lossy(&value).into_owned());
        check
            .invariant(3, "`cache/.wh..wh..opq` made `cache` opaque")
            .expected("its attribute trusted.overlay.opaque is `y`")
            .found(format!("{mark}; the tree holds {}", listed(&on_disk)))
            .cause("`.wh..wh..opq` is no whiteout of a file: it hides what is below *in its directory*, `Meaning::Hide`")
            .holds(mark == "y");

        let inside = PathBuf::from(format!("/proc/{}/root", program.pid())).join(merged.strip_prefix("/")?);
        let mut shown = BTreeSet::new();
        names(&inside, "", &mut shown)?;
        let expected: BTreeSet<String> = [
            kept.clone(),
            inner.clone(),
            "sub".into(),
            format!("sub/{kept}"),
            "cache".into(),
            format!("cache/{new}"),
            ".whisper".into(),
        ]
        .into();
        check
            .invariant(3, "the stack shows what is left, and no marks")
            .expected(listed(&expected))
            .found(listed(&shown))
            .cause("a name that was taken for something else; `.whisper` is an ordinary file")
            .holds(shown == expected);
        program.finish()?;

        check.proving(4);
        let hostile = ["sub/.wh...", "sub/.wh..", "sub/.wh.", ".wh.sub/file", "sub/.wh..wh.plnk"];
        for (number, name) in hostile.iter().enumerate() {
            let (kept, said) = accepted(check, &room, number, name)?;
            check
                .invariant(4, format!("a layer with an entry `{name}` is refused"))
                .expected("no such layer in the store")
                .found(if kept { "it is there".to_owned() } else { format!("it is not there; the driver said: {said}") })
                .cause("what follows `.wh.` must be a name that could be removed, and no directory is a whiteout: `Refusal`")
                .holds(!kept);
        }
        Ok(())
    })
}
