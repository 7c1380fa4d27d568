//! Where a dynamic loader looks for a library: a list of directories, computed and not yet looked into.
//!
//! glibc's order is: the `DT_RPATH` of the object that needs the library and of those that needed it in turn
//! (unless it has a `DT_RUNPATH`), its own `DT_RUNPATH`, the cache, the default directories. musl knows no
//! difference between the two paths, has no cache, and reads its default directories from a file.
//! `LD_LIBRARY_PATH` is somebody's environment and not a property of the program, so it plays no part.
//!
//! ld.so(8); book ch. 1.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::elf::Object;
use crate::machine::Machine;

/// An object that needs a library, seen by the loader.
#[derive(Debug, Clone, Copy)]
pub struct Needer<'a> {
    /// Its headers.
    pub object: &'a Object,
    /// The directory it lies in, which `$ORIGIN` stands for.
    pub origin: &'a Path,
}

/// Which C library's loader searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    /// glibc's `ld-linux`.
    Glibc,
    /// musl's `ld-musl`, which is its C library at the same time.
    Musl,
}

impl Loader {
    /// Tells the two apart by the interpreter's file name.
    pub fn of(interpreter: &Path) -> Self {
        let name = interpreter.file_name().unwrap_or_default().as_bytes();
        if name.starts_with(b"ld-musl-") { Self::Musl } else { Self::Glibc }
    }

    /// Whether the loader is this library itself and looks for no file: musl has all of the C library's
    /// traditional parts in one.
    pub fn provides(self, library: &OsStr) -> bool {
        let parts: [&[u8]; 7] =
            [b"libc.", b"libpthread.", b"librt.", b"libm.", b"libdl.", b"libutil.", b"libxnet."];
        self == Self::Musl && parts.iter().any(|part| library.as_bytes().starts_with(part))
    }
}

/// The directories that the program files themselves name, in order. `chain` starts with the object that
/// needs the library, goes on with the one that needed that, and ends with the program.
pub fn named_directories(loader: Loader, chain: &[Needer<'_>]) -> Vec<PathBuf> {
    let Some(needer) = chain.first() else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |needer: &Needer<'_>, entries: &[OsString]| {
        for entry in entries {
            found.extend(expand(entry, needer.origin, needer.object.machine));
        }
    };
    match loader {
        Loader::Musl => {
            for needer in chain {
                let Object { rpath, runpath, .. } = needer.object;
                add(needer, if runpath.is_empty() { rpath } else { runpath });
            }
        }
        Loader::Glibc if needer.object.runpath.is_empty() => {
            for needer in chain.iter().filter(|needer| needer.object.runpath.is_empty()) {
                add(needer, &needer.object.rpath);
            }
        }
        Loader::Glibc => add(needer, &needer.object.runpath),
    }
    found
}

/// glibc's default directories. Which of them a loader has was decided when it was built: distributions
/// differ, so these are all that occur.
pub fn default_directories(machine: Machine) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(triplet) = machine.triplet() {
        found.extend(["/lib", "/usr/lib"].map(|parent| Path::new(parent).join(triplet)));
    }
    if machine.bits == 64 {
        found.extend(["/lib64", "/usr/lib64"].map(PathBuf::from));
    }
    found.extend(["/lib", "/usr/lib"].map(PathBuf::from));
    found
}

/// The file that musl's default directories stand in: `/etc/ld-musl-x86_64.path` for the loader
/// `/lib/ld-musl-x86_64.so.1`.
pub fn musl_path_file(interpreter: &Path) -> PathBuf {
    let name = interpreter.file_name().unwrap_or_default().to_string_lossy();
    let architecture = name.trim_start_matches("ld-musl-").split('.').next().unwrap_or_default();
    PathBuf::from(format!("/etc/ld-musl-{architecture}.path"))
}

/// musl's default directories: those in its file, if there is one.
pub fn musl_directories(file: Option<&[u8]>) -> Vec<PathBuf> {
    let text = file.unwrap_or(b"/lib:/usr/local/lib:/usr/lib");
    let parts = text.split(|byte| matches!(byte, b':' | b'\n')).map(<[u8]>::trim_ascii);
    parts.map(|part| PathBuf::from(OsStr::from_bytes(part))).filter(|path| path.is_absolute()).collect()
}

/// Replaces `$ORIGIN`, `$LIB` and `$PLATFORM`, with or without braces, as ld.so(8) does.
///
/// The loader has one value of `$LIB` built in, and distributions differ again: all that occur are tried, so
/// one entry can become several directories. An entry that is not absolute in the end would depend on where
/// somebody starts the program; it is dropped.
pub fn expand(entry: &OsStr, origin: &Path, machine: Machine) -> Vec<PathBuf> {
    let multiarch = machine.triplet().map(|triplet| format!("lib/{triplet}"));
    let mut libs: Vec<&str> = multiarch.as_deref().into_iter().collect();
    if machine.bits == 64 {
        libs.push("lib64");
    }
    libs.push("lib");
    let mut found = Vec::new();
    for lib in libs {
        let directory = PathBuf::from(replace(entry.as_bytes(), |token| match token {
            b"ORIGIN" => Some(origin.as_os_str().as_bytes()),
            b"LIB" => Some(lib.as_bytes()),
            b"PLATFORM" => machine.platform().map(str::as_bytes),
            _ => None,
        }));
        if directory.is_absolute() && !found.contains(&directory) {
            found.push(directory);
        }
    }
    found
}

/// Replaces each `$NAME` and `${NAME}` that `value` knows, and leaves others as they are.
fn replace<'v>(text: &[u8], value: impl Fn(&[u8]) -> Option<&'v [u8]>) -> OsString {
    let mut result = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let token = if first == b'$' { token(after) } else { None };
        match token.and_then(|(name, length)| Some((value(name)?, length))) {
            Some((value, length)) => {
                result.extend_from_slice(value);
                rest = &after[length..];
            }
            None => {
                result.push(first);
                rest = after;
            }
        }
    }
    OsString::from_vec(result)
}

/// The name at the start of `text`, which stands behind a `$`, and how many bytes it takes with its braces.
fn token(text: &[u8]) -> Option<(&[u8], usize)> {
    if let Some(inside) = text.strip_prefix(b"{") {
        let end = inside.iter().position(|&byte| byte == b'}')?;
        return Some((&inside[..end], end + 2));
    }
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let end = end.unwrap_or(text.len());
    Some((&text[..end], end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const X86_64: Machine = Machine { number: 62, bits: 64, little_endian: true };

    fn object(rpath: &[&str], runpath: &[&str]) -> Object {
        let owned = |texts: &[&str]| texts.iter().map(OsString::from).collect();
        Object {
            machine: X86_64,
            interpreter: None,
            soname: None,
            needed: Vec::new(),
            rpath: owned(rpath),
            runpath: owned(runpath),
            no_default_directories: false,
        }
    }

    fn expanded(entry: &str) -> Vec<PathBuf> {
        expand(OsStr::new(entry), Path::new("/opt/app/bin"), X86_64)
    }

    fn paths(texts: &[&str]) -> Vec<PathBuf> {
        texts.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn tokens_are_replaced_with_and_without_braces() {
        assert_eq!(expanded("$ORIGIN/../lib"), paths(&["/opt/app/bin/../lib"]));
        assert_eq!(expanded("${ORIGIN}x"), paths(&["/opt/app/binx"]));
        assert_eq!(expanded("/x/$PLATFORM"), paths(&["/x/x86_64"]));
        assert_eq!(expanded("/opt/$LIB"), paths(&["/opt/lib/x86_64-linux-gnu", "/opt/lib64", "/opt/lib"]));
    }

    #[test]
    fn what_only_looks_like_a_token_stays() {
        assert_eq!(expanded("/x/$ORIGINAL"), paths(&["/x/$ORIGINAL"]));
        assert_eq!(expanded("/x/$HOME/${LIB"), paths(&["/x/$HOME/${LIB"]));
    }

    #[test]
    fn relative_directories_are_dropped() {
        assert!(expanded("lib").is_empty());
        assert!(expanded(".").is_empty());
    }

    #[test]
    fn rpath_is_inherited_and_runpath_is_not() {
        let (library, program) = (object(&["/library"], &[]), object(&["/program"], &[]));
        let origin = Path::new("/");
        let chain = [Needer { object: &library, origin }, Needer { object: &program, origin }];
        assert_eq!(named_directories(Loader::Glibc, &chain), paths(&["/library", "/program"]));

        let program = object(&["/void"], &["/runpath"]);
        let chain = [Needer { object: &library, origin }, Needer { object: &program, origin }];
        assert_eq!(named_directories(Loader::Glibc, &chain), paths(&["/library"]));
        assert_eq!(named_directories(Loader::Glibc, &chain[1..]), paths(&["/runpath"]));
    }

    #[test]
    fn an_object_with_a_runpath_looks_at_no_rpath_at_all() {
        let (library, program) = (object(&[], &["/library"]), object(&["/program"], &[]));
        let origin = Path::new("/");
        let chain = [Needer { object: &library, origin }, Needer { object: &program, origin }];
        assert_eq!(named_directories(Loader::Glibc, &chain), paths(&["/library"]));
        assert_eq!(named_directories(Loader::Musl, &chain), paths(&["/library", "/program"]));
    }

    #[test]
    fn musl_reads_its_directories_from_a_file_named_after_the_machine() {
        let loader = Path::new("/lib/ld-musl-x86_64.so.1");
        assert_eq!(Loader::of(loader), Loader::Musl);
        assert_eq!(musl_path_file(loader), Path::new("/etc/ld-musl-x86_64.path"));
        assert_eq!(musl_directories(Some(b"/lib\n/opt/lib:/x\n")), paths(&["/lib", "/opt/lib", "/x"]));
        assert_eq!(musl_directories(None), paths(&["/lib", "/usr/local/lib", "/usr/lib"]));
        assert!(Loader::Musl.provides(OsStr::new("libc.musl-x86_64.so.1")));
        assert!(!Loader::Musl.provides(OsStr::new("libcrypto.so.3")));
        assert!(!Loader::Glibc.provides(OsStr::new("libc.so.6")));
    }

    proptest! {
        #[test]
        fn no_entry_makes_the_expansion_panic_or_relative(entry in prop::collection::vec(any::<u8>(), 0..60)) {
            for path in expand(OsStr::from_bytes(&entry), Path::new("/o"), X86_64) {
                prop_assert!(path.is_absolute());
            }
        }
    }
}
