//! Runs the ten commands on an overlay, looks into upper, and compares with the answers.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::process::ExitCode;

use mini_sys::xattr;

/// The names, the invariant that they are about, and what to think of where the answer is another one.
const QUESTIONS: [(&str, u32, &str); 10] = [
    ("read", 5, "is anything different after a file was read?"),
    ("mode", 5, "where would the new mode be kept, if not in a file of upper?"),
    (
        "quiet",
        5,
        "when must overlay have the copy ready: at the first write, or when the file is opened for it?",
    ),
    ("gone", 3, "the file below is still there; something must hide it"),
    ("new", 3, "is there anything below that would have to be hidden?"),
    ("fresh", 3, "the old directory is still below, with a file in it, and the new one shows none"),
    ("deep", 5, "a file in upper needs its directories in upper; what else of `deep` is to show?"),
    ("dir", 3, "a directory of the lower tree that is not in merged any more"),
    ("one", 5, "two names of one file: can one of them be below and the other one above?"),
    ("back", 5, "what stands in upper in the end, and does it hide the one below?"),
];

const ANSWERS: [&str; 5] = ["nothing", "file", "directory", "opaque", "whiteout"];

/// What is on the disk, in the words of the answers.
fn answer(path: &Path) -> &'static str {
    let Ok(metadata) = fs::symlink_metadata(path) else { return "nothing" };
    let kind = metadata.file_type();
    if kind.is_char_device() && metadata.rdev() == 0 {
        "whiteout"
    } else if kind.is_dir() {
        let mark = xattr::lget(path, c"trusted.overlay.opaque").ok().flatten();
        if mark.as_deref() == Some(b"y") { "opaque" } else { "directory" }
    } else {
        "file"
    }
}

fn main() -> ExitCode {
    course_check::main(|check| {
        let text = fs::read_to_string("src/answers.toml")?;
        let answers: toml::Table = text.parse().map_err(|error| {
            format!("src/answers.toml: {error}an answer stands in quotes: `read = \"file\"`")
        })?;
        let given = |name: &str| answers.get(name).and_then(toml::Value::as_str).unwrap_or("?").to_owned();

        let directories = ["lower", "upper", "work", "merged"].map(|name| check.directory(name));
        let [lower, upper, work, merged] = directories;
        let (lower, upper, work, merged) = (lower?, upper?, work?, merged?);
        let salt = check.word();
        let at = |tree: &Path, name: &str| tree.join(format!("{name}-{salt}"));
        for name in ["read", "mode", "quiet", "gone", "one", "back"] {
            fs::write(at(&lower, name), vec![b'x'; check.number(1000..=9000) as usize])?;
        }
        for name in ["fresh", "deep", "deep/down", "dir"] {
            let (first, rest) = name.split_once('/').unwrap_or((name, ""));
            fs::create_dir_all(at(&lower, first).join(rest))?;
            fs::write(at(&lower, first).join(rest).join("file"), "below\n")?;
        }
        let arguments = [&lower, &upper, &work, &merged, Path::new(&salt)];
        let ended = check.start("driver", arguments)?.finish()?;
        if ended.code != Some(0) {
            return Err(format!("the ten commands failed: {}", ended.stderr.trim()).into());
        }

        for (name, number, thought) in QUESTIONS {
            let given = given(name);
            let found = answer(&at(&upper, name));
            let known = ANSWERS.contains(&given.as_str());
            check
                .invariant(number, format!("after its command, upper/{name} is what you say"))
                .expected(if known {
                    "something else than your answer"
                } else {
                    "nothing, file, directory, opaque or whiteout"
                })
                .found(format!("your answer is `{given}`"))
                .cause(if known { thought } else { "there is no answer yet" })
                .holds(found == given);
        }
        Ok(())
    })
}
