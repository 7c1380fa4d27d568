//! Roots made of this machine's programs, which then run inside.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mini_chroot::assemble::{self, AssembleError};
use mini_chroot::elf::Executable;
use mini_chroot::host::Host;
use mini_chroot::host_image;
use mini_chroot::ld_cache::Cache;
use mini_chroot::machine::Machine;
use mini_chroot::tree::{self, Entry, Tree, What};

use crate::needs;

/// Runs a shell command inside `root`, with chroot(2) and, where there is a place for it, procfs.
fn inside(root: &Path, command: &str) -> String {
    needs::stdout(&needs::example("enter", &[root.to_str().unwrap(), "/bin/sh", "-c", command]))
}

/// Requires root.
#[test]
fn programs_of_the_host_image_run_inside() {
    if !needs::root() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    host_image::host_image(root.path()).unwrap();
    assert_eq!(
        inside(root.path(), "cd / && ls -d bin etc tmp && id -u && echo a b | awk '{print $2}'"),
        "bin\netc\ntmp\n0\nb\n"
    );
    assert_eq!(
        inside(root.path(), "seq 3 | sort -r | head -n 1 | tee /tmp/x; cat /tmp/x; id -un nobody"),
        "3\n3\nnobody\n"
    );
    assert!(inside(root.path(), ". /etc/os-release; echo $NAME").starts_with("mini-docker host image"));
}

/// Invariant 4 of the book's chapter 1. Requires root, and glibc, whose loader lists what it would load when it is told to. Only for dynamic
/// programs: a static one does not know the variable, and would run.
#[test]
fn the_loader_inside_finds_every_library_of_every_program() {
    if !needs::root() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let plan = host_image::host_image(root.path()).unwrap();
    let mut host = Host::new(root.path());
    let is_dynamic = |path: &Path, host: &mut Host| {
        let executable = host.executable(path);
        executable.is_ok_and(|executable| match &*executable {
            Executable::Object(object) => object.interpreter.is_some() && !object.needed.is_empty(),
            Executable::Script(_) => false,
        })
    };
    let files = plan.tree.entries().iter().filter(|entry| matches!(entry.what, What::File { .. }));
    let paths = files.map(|entry| entry.path.as_path());
    let programs: Vec<&Path> = paths.filter(|path| is_dynamic(path, &mut host)).collect();
    let words: Vec<String> = programs.iter().map(|path| format!("'{}'", path.display())).collect();
    let listing = inside(
        root.path(),
        &format!("export LD_TRACE_LOADED_OBJECTS=1; for p in {}; do $p; done 2>&1", words.join(" ")),
    );
    if !needs::need("glibc", listing.contains("libc.so.6 =>")) {
        return;
    }
    assert!(listing.matches("libc.so.6 =>").count() >= programs.len() / 2, "{listing}");
    assert!(!listing.contains("not found"), "{listing}");
}

#[test]
fn the_host_image_is_small_and_the_same_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("a"), directory.path().join("b"));
    let plan = host_image::host_image(&first).unwrap();
    host_image::host_image(&second).unwrap();
    assert!(plan.tree.size() < 40 << 20, "{} bytes", plan.tree.size());
    assert!(plan.tree.entries().len() > 30);
    for entry in plan.tree.entries() {
        let relative = entry.path.strip_prefix("/").unwrap();
        let (first, second) = (first.join(relative), second.join(relative));
        let facts = |path: &Path| {
            let metadata = fs::symlink_metadata(path).unwrap();
            (metadata.mode(), metadata.mtime(), metadata.mtime_nsec(), fs::read_link(path).ok())
        };
        assert_eq!(facts(&first), facts(&second), "{entry}");
        if fs::symlink_metadata(&first).unwrap().is_file() {
            assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap(), "{entry}");
        }
    }
}

#[test]
fn no_link_of_the_host_image_leads_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let plan = host_image::host_image(root.path()).unwrap();
    let mut inside = Host::new(root.path());
    for entry in plan.tree.entries() {
        let walk = inside.walk(&entry.path).unwrap();
        assert_ne!(walk.node, mini_chroot::host::Node::Missing, "{entry}");
    }
}

/// A program and two private libraries of which the first needs the second, linked by gcc with `flags`:
/// the path of the program, which lies in `bin` beside `lib`.
fn build(directory: &Path, flags: &[&str]) -> PathBuf {
    let (bin, lib) = (directory.join("bin"), directory.join("lib"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&lib).unwrap();
    let source = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let inner = source("inner.c", "int inner(void) { return 40; }");
    let outer = source("outer.c", "int inner(void); int outer(void) { return inner() + 2; }");
    let main = source(
        "main.c",
        "#include <stdio.h>\nint outer(void); int main(void) { return !printf(\"%d\\n\", outer()); }",
    );
    let gcc = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new("gcc").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (inner_so, outer_so, program) =
        (lib.join("libinner.so"), lib.join("libouter.so"), bin.join("program"));
    let shared: &[&std::ffi::OsStr] = &["-shared".as_ref(), "-fPIC".as_ref(), "-o".as_ref()];
    // A library without a name of its own would be needed by its path.
    let names: [&std::ffi::OsStr; 2] =
        ["-Wl,-soname,libinner.so".as_ref(), "-Wl,-soname,libouter.so".as_ref()];
    gcc(&[shared, &[inner_so.as_ref(), inner.as_ref(), names[0]]].concat());
    gcc(&[shared, &[outer_so.as_ref(), outer.as_ref(), inner_so.as_ref(), names[1]]].concat());
    // The linker, too, has to find what libouter needs.
    let link = format!("-Wl,-rpath-link,{}", lib.display());
    let mut last: Vec<&std::ffi::OsStr> =
        vec!["-o".as_ref(), program.as_ref(), main.as_ref(), outer_so.as_ref()];
    last.push(link.as_ref());
    last.extend(flags.iter().map(|flag| std::ffi::OsStr::new(*flag)));
    gcc(&last);
    program
}

/// Requires root and gcc.
#[test]
fn a_program_with_private_libraries_runs_inside() {
    if !needs::root() || !needs::gcc() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let program = build(directory.path(), &["-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib"]);
    let root = tempfile::tempdir().unwrap();
    let plan = assemble::plan(&[program.to_str().unwrap(), "sh"], &[], &mut Host::new("/")).unwrap();
    tree::perform(&plan.tree, root.path()).unwrap();
    fs::create_dir(root.path().join("proc")).unwrap();
    assert_eq!(inside(root.path(), program.to_str().unwrap()), "42\n");
}

/// Requires gcc.
#[test]
fn a_runpath_does_not_help_the_libraries_of_libraries() {
    if !needs::gcc() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let program = build(directory.path(), &["-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib"]);
    let error = assemble::plan(&[program.to_str().unwrap()], &[], &mut Host::new("/")).unwrap_err();
    assert!(matches!(error, AssembleError::Library { .. }), "{error}");
    assert!(!Command::new(&program).output().unwrap().status.success(), "the loader found it");
}

/// Requires root, gcc and glibc. The libraries lie where only the cache leads to, among many others.
#[test]
fn the_loader_reads_the_cache_that_we_write() {
    if !needs::root() || !needs::gcc() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let program = build(directory.path(), &[]);
    let plan = assemble::plan(&["sh"], &[], &mut Host::new("/")).unwrap();
    let Some(What::Text { content, .. }) = plan.tree.get(Path::new("/etc/ld.so.cache")) else {
        needs::need("a shell for glibc", false);
        return;
    };
    let mut cache = Cache::parse(content).unwrap();
    let flags = Machine::native().and_then(Machine::cache_flags).unwrap();
    for number in 0..40 {
        cache.insert(format!("libother.so.{number}").into(), flags, "/nowhere".into());
        cache.insert(format!("libinner{number}.so").into(), flags, "/nowhere".into());
    }
    let mut entries = vec![copy("/opt/program", &program)];
    for name in ["libinner.so", "libouter.so"] {
        let path = format!("/opt/private/{name}");
        cache.insert(name.into(), flags, path.clone().into());
        entries.push(copy(&path, &directory.path().join("lib").join(name)));
    }
    entries.push(Entry::text("/etc/ld.so.cache", cache.to_bytes(), 0o644));
    entries.extend(plan.tree.entries().iter().cloned());
    let root = tempfile::tempdir().unwrap();
    tree::perform(&Tree::new(entries).unwrap(), root.path()).unwrap();
    assert_eq!(inside(root.path(), "/opt/program"), "42\n");
}

fn copy(path: &str, source: &Path) -> Entry {
    let what = What::File { source: source.to_owned(), mode: 0o755, size: 0 };
    Entry { path: path.into(), what, modified: std::time::SystemTime::UNIX_EPOCH }
}
