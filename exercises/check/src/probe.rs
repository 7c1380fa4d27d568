//! What can only be seen from inside: the probe's report.
//!
//! The program `course-probe` stands in a jail as `/probe`. It prints one line of JSON about itself and what is around
//! it, and stays until its standard input ends, so that the check can look at it from outside meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use mini_sys::{mount, process};
use serde::{Deserialize, Serialize};

/// What came of trying to read a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Its text, or a directory's names, one a line.
    Content(String),
    /// The kernel's answer.
    Error(String),
}

/// What a process inside sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its process id, as it sees it.
    pub pid: u32,
    /// Its parent's; 0 when that is outside its pid namespace.
    pub parent: u32,
    /// Its user and group.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// `uname -n`.
    pub host_name: String,
    /// Its working directory, if that has a name.
    pub working_directory: Option<String>,
    /// The names in `/`, sorted.
    pub root: Vec<String>,
    /// The names in `/` after going up from there with `..` as often as it takes, and after the classic escape from
    /// a chroot, where `--break-out` asks for it.
    pub above: Vec<String>,
    /// The names in `/sys/class/net` or, without it, of `/proc/net/dev`.
    pub links: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its arguments that are paths, and what came of reading them.
    pub read: BTreeMap<String, Answer>,
}

impl Seen {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The text of a path that the probe was asked to read; none when it could not.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<&str> {
        match self.read.get(path.as_ref().to_str()?)? {
            Answer::Content(text) => Some(text),
            Answer::Error(_) => None,
        }
    }

    fn now(arguments: &[String]) -> Self {
        let break_out = arguments.first().is_some_and(|word| word == "--break-out");
        let paths = arguments.iter().skip(usize::from(break_out));
        let read = paths.map(|path| (path.clone(), answer(path))).collect();
        let root = names("/");
        Self {
            pid: std::process::id(),
            parent: std::os::unix::process::parent_id(),
            user: mini_sys::Uid::current().as_raw(),
            group: mini_sys::Gid::current().as_raw(),
            host_name: text("/proc/sys/kernel/hostname"),
            working_directory: std::env::current_dir().ok().map(|path| path.to_string_lossy().into_owned()),
            links: links(),
            environment: std::env::vars().collect(),
            read,
            // Last: it may change what `/` means to this process.
            above: above(break_out),
            root,
        }
    }
}

/// The probe's whole life; `arguments` are paths to read, after `--break-out` if it shall try to escape.
pub fn probe(arguments: &[String]) -> io::Result<()> {
    let report = Seen::now(arguments);
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(&report)?)?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Up from `/`, and from the working directory, which an unfinished jail may have left outside. With `break_out` it
/// first makes a root *below* where it stands, so that no root is in its way (chroot(2), "This call does not …").
fn above(break_out: bool) -> Vec<String> {
    if break_out && fs::create_dir("/below").is_ok() {
        // Where this is refused, there is no way out, and the names say so.
        let _ = mount::chroot(Path::new("/below"));
    }
    for _ in 0..64 {
        if process::chdir(Path::new("..")).is_err() {
            break;
        }
    }
    names(".")
}

fn answer(path: &str) -> Answer {
    let metadata = fs::metadata(path);
    let content = match metadata {
        Ok(metadata) if metadata.is_dir() => Ok(names(path).join("\n")),
        Ok(_) => fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(error),
    };
    content.map_or_else(|error| Answer::Error(error.to_string()), Answer::Content)
}

fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn links() -> Vec<String> {
    let table = text("/proc/net/dev");
    let names = table.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim_end().to_owned()
}
