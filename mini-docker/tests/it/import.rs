//! `import`: an image from an archive of a root filesystem.

use std::io::Write as _;

use crate::harness::Engine;
use crate::tars::{self, Tar};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn archives_are_read_from_files_and_from_standard_input_however_compressed() {
    let Some(engine) = Engine::empty() else { return };
    let plain = tars::root_and(Tar::new().file("marker", b"it is me\n"));
    let mut layers = Vec::new();
    for (name, bytes) in [("plain", plain.clone()), ("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        let file = engine.file("archive", &bytes);
        let id = engine.with("import", &[file.to_str().unwrap(), name]).ok();
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
        assert_eq!(engine.call(&format!("run --rm {name} cat /marker")).ok(), "it is me");
        engine.feed(&format!("import - {name}:piped"), &[] as &[&str], bytes).ok();
        assert_eq!(engine.call(&format!("run --rm {name}:piped cat /marker")).ok(), "it is me");
        layers.push(engine.inspect(name, "index .RootFS.Layers 0"));
        layers.push(engine.inspect(&format!("{name}:piped"), "index .RootFS.Layers 0"));
    }
    layers.dedup();
    assert_eq!(layers.len(), 1, "the layer is the same, however it was packed");
    // A relative path is one of the directory that the command was given in.
    engine.call("import archive relative").ok();
}

#[test]
fn an_image_needs_no_name() {
    let Some(engine) = Engine::empty() else { return };
    let id = engine.feed("import -", &[] as &[&str], Tar::new().file("a", b"").end()).ok();
    assert_eq!(
        engine.call("images --no-trunc --format {{.Repository}}:{{.Tag}}={{.ID}}").ok(),
        format!("<none>:<none>={id}")
    );
    engine.call(&format!("rmi {}", &id[7..19])).ok();
    // Nothing at all is an archive without files, as for Docker.
    engine.feed("import - empty", &[] as &[&str], "").ok();
}

#[test]
fn each_instruction_changes_the_configuration() {
    let Some(engine) = Engine::empty() else { return };
    let changes = [
        "-c",
        "CMD [\"sh\", \"-c\", \"x y\"]",
        "-c",
        "ENTRYPOINT [\"/init\"]",
        "-c",
        "ENV A=1 B=\"two words\"",
        "-c",
        "env C three words",
        "-c",
        "EXPOSE 80 53/udp",
        "-c",
        "LABEL a=b \"c d\"=\"e f\"",
        "-c",
        "ONBUILD RUN true",
        "-c",
        "STOPSIGNAL SIGINT",
        "-c",
        "USER web:audio",
        "-c",
        "VOLUME /data \"/more data\"",
        "--change",
        "WORKDIR /a",
        "--change=WORKDIR b",
        "-m",
        "a message",
        "-",
        "web",
    ];
    engine.feed("import", &changes, Tar::new().file("a", b"").end()).ok();
    let json: serde_json::Value =
        serde_json::from_str(&engine.call("inspect --format json web").ok()).unwrap();
    let json = &json[0];
    assert_eq!(json["Comment"], "a message");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["Config"]).unwrap());
}

#[test]
fn what_is_no_change_is_refused_and_nothing_is_left() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    for (change, expected) in [
        ("RUN true", "RUN is not a valid change command"),
        ("COPY a b", "COPY is not a valid change command"),
        ("nonsense", "nonsense is not a valid change command"),
        ("", "file with no instructions"),
        ("CMD", "`CMD` needs an argument"),
        ("ENV A", "`ENV A` wants NAME=value"),
        ("ENV =b", "wants NAME=value"),
        ("LABEL a=\"b", "`LABEL a=\"b` has an unclosed quote"),
        ("EXPOSE 0", "`0` is no port"),
        ("EXPOSE 80/xyz", "`80/xyz` is no port"),
        ("STOPSIGNAL NOSUCH", "`NOSUCH` is no signal"),
    ] {
        let message =
            engine.feed("import -c", &[change, "-", "web"], Tar::new().file("a", b"").end()).fails(1);
        assert!(message.starts_with("cannot import `-`: ") && message.contains(expected), "{message}");
        engine.assert_unchanged(&before, change);
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_name() {
    let Some(engine) = Engine::empty() else { return };
    engine.call("images").ok();
    let before = engine.listing();
    let mut cut = gzip(&tars::Tar::new().file("a", &[7; 5000]).end());
    cut.truncate(cut.len() / 2);
    let files: [(&str, Vec<u8>, &str); 5] = [
        ("text", b"this is no archive".to_vec(), "the tar archive is cut short at its start"),
        ("noise", vec![0xa5; 5000], "has a wrong checksum"),
        ("cut.gz", cut, ""),
        ("bzip2", b"BZh91AY&SY".to_vec(), "bzip2"),
        ("xz", b"\xfd7zXZ\0\0\0\0\0".to_vec(), "xz"),
    ];
    for (name, content, expected) in files {
        engine.file(name, content);
        let message = engine.call(&format!("import {name} web")).fails(1);
        assert!(
            message.starts_with(&format!("cannot import `{name}`: ")) && message.contains(expected),
            "{message}"
        );
        engine.assert_unchanged(&before, name);
    }
    assert_eq!(engine.call("import nosuch").fails(1), "cannot import `nosuch`: No such file or directory");
    assert_eq!(engine.call("import /").fails(1), "cannot import `/`: is a directory");
    for name in ["UPPER", "a:b:c", "a b", "-x", "a/../b"] {
        let done = engine.feed("import -", &["--", name], Tar::new().end());
        assert_ne!(done.code, 0, "{name}");
        engine.assert_unchanged(&before, name);
    }
}

#[test]
fn an_archive_keeps_what_root_filesystems_have() {
    let Some(engine) = Engine::empty() else { return };
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let more = Tar::new()
        .dir("links")
        .file("links/one", b"1")
        .link("links/two", "links/one")
        .symlink("links/three", "one")
        .symlink("links/away", "/etc/passwd")
        .file("./dotted", b"2")
        .executable("script", b"#!/bin/sh\necho script $1\n");
    let mut long_entry = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o4755);
    long_entry.append_data(&mut header, &long, &b"long"[..]).unwrap();
    let mut tar = tars::root_and(more);
    tar.truncate(tar.len() - 1024);
    tar.extend(long_entry.into_inner().unwrap());
    engine.feed("import - web", &[] as &[&str], tar).ok();
    let script = format!(
        "stat -c %h links/one; cat links/three dotted; readlink links/away; cat {long}; stat -c ' %a' {long}; /script works"
    );
    assert_eq!(
        engine.with("run --rm web sh -c", &[script]).ok(),
        "2\n12/etc/passwd\nlong 4755\nscript works"
    );
}
