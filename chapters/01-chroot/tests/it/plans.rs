//! What is taken from a host, and the words of each error. Nothing is run, nothing is required.

use std::error::Error;

use mini_chroot::assemble::{self, AssembleError, Assembly, Scripts};
use mini_chroot::ld_cache::Cache;
use mini_chroot::machine::Machine;
use mini_chroot::tree::What;

use crate::fake::{Elf, FakeHost};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
const PROGRAM: Elf<'_> =
    Elf { interpreter: Some(LOADER), needed: &[], soname: None, rpath: None, runpath: None, foreign: false };

/// A system with `/bin` and `/lib64` as links, a loader and a C library.
fn system() -> FakeHost {
    let host = FakeHost::new();
    host.link("/bin", "usr/bin").link("/lib64", "usr/lib64").elf("/usr/lib64/ld-2.so", Elf::default());
    host.link("/usr/lib64/ld-linux-x86-64.so.2", "ld-2.so");
    host.elf("/usr/lib64/libc.so.6", Elf { needed: &["ld-linux-x86-64.so.2"], ..Elf::default() });
    host.elf("/usr/bin/sh", Elf { needed: &["libc.so.6"], ..PROGRAM });
    host
}

fn lines(host: &FakeHost, programs: &[&str]) -> Vec<String> {
    let plan = assemble::plan(programs, &[], &mut host.host()).unwrap();
    let line = |entry: &mini_chroot::tree::Entry| {
        entry.to_string().split(" from ").next().unwrap_or_default().to_owned()
    };
    plan.tree.entries().iter().map(line).collect()
}

/// The error's whole chain in one line, as the command shows it.
fn error(host: &FakeHost, program: &str) -> String {
    let error = assemble::plan(&[program], &[], &mut host.host()).unwrap_err();
    chain(&error)
}

fn chain(error: &AssembleError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

#[test]
fn a_program_brings_its_loader_its_libraries_and_every_link_on_the_way() {
    assert_eq!(
        lines(&system(), &["sh"]),
        [
            "link /bin -> usr/bin",
            "link /lib64 -> usr/lib64",
            "directory /usr (0755)",
            "directory /usr/bin (0755)",
            "copy /usr/bin/sh (0755)",
            "directory /usr/lib64 (0755)",
            "copy /usr/lib64/ld-2.so (0755)",
            "link /usr/lib64/ld-linux-x86-64.so.2 -> ld-2.so",
            "copy /usr/lib64/libc.so.6 (0755)",
        ]
    );
}

#[test]
fn a_static_program_brings_only_itself() {
    let host = FakeHost::new();
    host.elf("/sbin/init", Elf::default());
    assert_eq!(lines(&host, &["/sbin/init"]), ["directory /sbin (0755)", "copy /sbin/init (0755)"]);
}

#[test]
fn set_user_id_bits_stay_behind() {
    let host = FakeHost::new();
    host.write("/bin/su", &Elf::default().bytes(), 0o4755);
    assert!(lines(&host, &["su"]).contains(&"copy /bin/su (0755)".to_owned()));
}

#[test]
fn alternatives_keep_their_detour() {
    let host = FakeHost::new();
    host.link("/usr/bin/awk", "/etc/alternatives/awk").link("/etc/alternatives/awk", "/usr/bin/mawk");
    host.elf("/usr/bin/mawk", Elf::default());
    let lines = lines(&host, &["awk"]);
    for line in ["link /usr/bin/awk -> /etc/alternatives/awk", "link /etc/alternatives/awk -> /usr/bin/mawk"]
    {
        assert!(lines.contains(&line.to_owned()), "{lines:?}");
    }
}

#[test]
fn a_library_outside_the_default_directories_is_found_in_the_cache_and_listed_in_the_new_one() {
    let host = system();
    let flags = Machine::native().and_then(Machine::cache_flags).unwrap();
    let mut cache = Cache::default();
    cache.insert("libx.so.1".into(), flags, "/opt/x/libx.so.1".into());
    cache.insert("libother.so".into(), flags, "/opt/x/libother.so".into());
    host.write("/etc/ld.so.cache", &cache.to_bytes(), 0o644).elf("/opt/x/libx.so.1", Elf::default());
    host.elf("/usr/bin/x", Elf { needed: &["libx.so.1", "libc.so.6"], ..PROGRAM });
    let plan = assemble::plan(&["x"], &[], &mut host.host()).unwrap();
    assert!(plan.tree.get("/opt/x/libx.so.1".as_ref()).is_some());
    let Some(What::Text { content, .. }) = plan.tree.get("/etc/ld.so.cache".as_ref()) else {
        panic!("no cache")
    };
    let mut expected = Cache::default();
    expected.insert("libx.so.1".into(), flags, "/opt/x/libx.so.1".into());
    assert_eq!(Cache::parse(content), Ok(expected));
}

#[test]
fn a_library_for_another_processor_is_passed_over() {
    let host = system();
    host.elf("/opt/lib/libx.so", Elf { foreign: true, ..Elf::default() });
    host.elf("/usr/lib64/libx.so", Elf::default());
    host.elf("/opt/bin/x", Elf { needed: &["libx.so"], runpath: Some("$ORIGIN/../lib"), ..PROGRAM });
    let lines = lines(&host, &["/opt/bin/x"]);
    assert!(lines.contains(&"copy /usr/lib64/libx.so (0755)".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("/opt/lib")), "{lines:?}");
}

#[test]
fn a_name_that_was_found_once_is_not_looked_for_again() {
    let host = system();
    host.elf("/opt/lib/liba.so", Elf { soname: Some("liba.so.1"), ..Elf::default() });
    host.elf("/opt/lib/libb.so", Elf { needed: &["liba.so.1"], ..Elf::default() });
    host.elf("/opt/bin/x", Elf { needed: &["liba.so", "libb.so"], runpath: Some("/opt/lib"), ..PROGRAM });
    assert!(lines(&host, &["/opt/bin/x"]).contains(&"copy /opt/lib/libb.so (0755)".to_owned()));
}

#[test]
fn musl_programs_find_their_libraries_without_a_cache() {
    let host = FakeHost::new();
    host.elf("/lib/ld-musl-x86_64.so.1", Elf::default());
    host.write("/etc/ld-musl-x86_64.path", b"/lib\n/opt/lib\n", 0o644);
    host.elf("/opt/lib/libz.so.1", Elf { needed: &["libc.musl-x86_64.so.1"], ..Elf::default() });
    let needed = &["libz.so.1", "libc.musl-x86_64.so.1"];
    host.elf("/bin/gzip", Elf { interpreter: Some("/lib/ld-musl-x86_64.so.1"), needed, ..Elf::default() });
    let lines = lines(&host, &["gzip"]);
    assert!(lines.contains(&"copy /opt/lib/libz.so.1 (0755)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"copy /lib/ld-musl-x86_64.so.1 (0755)".to_owned()), "{lines:?}");
}

#[test]
fn optional_programs_that_fail_leave_nothing_behind_but_the_reason() {
    let host = system();
    host.elf("/usr/bin/broken", Elf { needed: &["libc.so.6", "libnone.so"], ..PROGRAM });
    let plan = assemble::plan(&["sh"], &["broken", "none"], &mut host.host()).unwrap();
    let skipped: Vec<&str> = plan.skipped.iter().map(|skipped| skipped.program.as_str()).collect();
    assert_eq!(skipped, ["broken", "none"]);
    assert!(plan.tree.get("/usr/bin/broken".as_ref()).is_none());
}

#[test]
fn a_missing_program_is_an_error_that_lists_where_it_was_looked_for() {
    assert_eq!(
        error(&FakeHost::new(), "sh"),
        "no program `sh` in `/usr/local/sbin`, `/usr/local/bin`, `/usr/sbin`, `/usr/bin`, `/sbin`, `/bin`"
    );
    assert_eq!(error(&FakeHost::new(), "/opt/x"), "no program `/opt/x` in `/opt/x`");
    assert_eq!(error(&FakeHost::new(), "./x"), "program `./x` is neither a name nor an absolute path");
}

#[test]
fn a_script_is_refused_or_comes_with_its_interpreter() {
    let host = system();
    host.elf("/usr/bin/env", Elf { needed: &["libc.so.6"], ..PROGRAM });
    host.write("/usr/bin/tool", b"#!/usr/bin/env sh\n", 0o755);
    assert_eq!(error(&host, "tool"), "`/usr/bin/tool` is a script for `/usr/bin/env`");

    let mut real = host.host();
    let mut assembly = Assembly::new(&mut real, Scripts::WithInterpreter);
    assembly.require("tool").unwrap();
    let tree = assembly.finish().unwrap().tree;
    for path in ["/usr/bin/tool", "/usr/bin/env", "/usr/bin/sh", "/usr/lib64/libc.so.6"] {
        assert!(tree.get(path.as_ref()).is_some(), "{path}");
    }
}

#[test]
fn scripts_that_interpret_each_other_are_an_error() {
    let host = FakeHost::new();
    host.write("/bin/a", b"#!/bin/b\n", 0o755).write("/bin/b", b"#!/bin/a\n", 0o755);
    let mut real = host.host();
    let error = Assembly::new(&mut real, Scripts::WithInterpreter).require("a").unwrap_err();
    assert_eq!(error.to_string(), "too many interpreters in a row on the way to `/bin/b`");
}

#[test]
fn files_that_are_no_programs_are_errors_with_their_reason() {
    let host = FakeHost::new();
    host.write("/bin/text", b"hello\n", 0o755);
    host.write("/bin/short", &Elf::default().bytes()[..100], 0o755);
    host.elf("/bin/foreign", Elf { foreign: true, ..Elf::default() });
    assert_eq!(
        error(&host, "text"),
        "cannot use program `/bin/text`: it is neither an ELF file nor a script"
    );
    assert_eq!(error(&host, "short"), "cannot use program `/bin/short`: it ends inside its program headers");
    let native = Machine::native().unwrap();
    assert_eq!(
        error(&host, "foreign"),
        format!("program `/bin/foreign` is for SPARCV9 (64 bits, big-endian), and this machine is {native}")
    );
}

#[test]
fn what_a_program_needs_and_the_host_lacks_is_named() {
    let host = FakeHost::new();
    host.elf("/bin/lost", PROGRAM);
    assert_eq!(error(&host, "lost"), format!("program `/bin/lost` asks for `{LOADER}`, which is not there"));
    let host = system();
    host.elf(
        "/opt/lib/liba.so",
        Elf { needed: &["libnone.so"], runpath: Some("/opt/lib"), ..Elf::default() },
    );
    host.elf("/opt/bin/x", Elf { needed: &["liba.so"], rpath: Some("$ORIGIN/../lib"), ..PROGRAM });
    let text = error(&host, "/opt/bin/x");
    let start = "cannot find what program `/opt/bin/x` needs: \
                 no library `libnone.so` for `/opt/bin/../lib/liba.so` in `/opt/lib`, ";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn links_in_a_circle_are_named() {
    let host = FakeHost::new();
    host.link("/bin/a", "b").link("/bin/b", "a");
    let text = error(&host, "a");
    let start = "cannot look for `/bin/a`: too many symbolic links on the way to `/bin/a`";
    assert!(text.starts_with(start), "{text}");
}
