//! Names, manifests and archives as they are.

use std::io::Write as _;

use mini_layers::Digest;
use serde_json::json;

/// Names and other texts of the command line.
pub(crate) fn texts() -> Vec<Vec<u8>> {
    let digest = Digest::of(b"x");
    let texts = [
        "debian".to_owned(),
        "registry.example:5000/team/app:1.2_x-y".to_owned(),
        format!("localhost/app:1@{digest}"),
        format!("docker.io/library/debian@{digest}"),
        digest.to_string(),
        "linux/arm64/v8".to_owned(),
        "reference=team/*:1.[0-9]".to_owned(),
        "until=2026-01-31T12:00:00+02:00".to_owned(),
    ];
    texts.map(String::into_bytes).into()
}

/// Manifests, an index, a configuration.
pub(crate) fn manifests() -> Vec<Vec<u8>> {
    let descriptor =
        |kind: &str| json!({ "mediaType": kind, "digest": Digest::of(b"x").to_string(), "size": 7 });
    let layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip");
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json");
    entry["platform"] = json!({ "os": "linux", "architecture": "arm", "variant": "v7" });
    let oci = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json"), "layers": [layer, layer],
        "annotations": { "a": "b" },
    });
    let docker = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": descriptor("application/vnd.docker.container.image.v1+json"),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip")],
    });
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry, entry],
    });
    let schema1 = json!({ "schemaVersion": 1, "name": "x", "fsLayers": [{ "blobSum": "sha256:00" }] });
    [oci, docker, index, schema1, config(&[Digest::of(b"x")])]
        .map(|json| json.to_string().into_bytes())
        .into()
}

fn config(layers: &[Digest]) -> serde_json::Value {
    json!({
        "created": "2026-01-31T12:00:00Z", "author": "me", "architecture": "amd64", "os": "linux",
        "config": {
            "User": "1:2", "Env": ["A=1"], "Cmd": ["sh"], "Labels": { "a": "b" }, "Volumes": { "/d": {} },
            "ExposedPorts": { "80/tcp": {} }, "StopSignal": "INT", "Shell": null,
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(ToString::to_string).collect::<Vec<_>>() },
        "history": [{ "created_by": "ADD" }, { "empty_layer": true }],
    })
}

/// Layers, and archives as `docker save` writes them.
pub(crate) fn archives() -> Vec<Vec<u8>> {
    let (base, top) = (base(), top());
    let image = saved(&[("a/layer.tar", &base), ("b/layer.tar", &top)], false);
    let linked = saved(&[("a/layer.tar", &base), ("b/layer.tar", &base)], true);
    vec![gzip(&base), gzip(&image), base, top, image, linked]
}

fn base() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, tar::EntryType::Directory, "etc/", "", b"");
    add(&mut tar, tar::EntryType::Regular, "etc/passwd", "", b"root:x:0:0::/:/bin/sh\n");
    add(&mut tar, tar::EntryType::Symlink, "etc/link", "/etc/passwd", b"");
    add(&mut tar, tar::EntryType::Symlink, "up", "../../..", b"");
    add(&mut tar, tar::EntryType::Link, "etc/hard", "etc/passwd", b"");
    let long = format!("{}/file", "directory/".repeat(15));
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o4755);
    tar.append_data(&mut header, long, &b"long"[..]).unwrap();
    tar.append_pax_extensions([("SCHILY.xattr.user.a", &b"b"[..]), ("mtime", b"1.5")]).unwrap();
    add(&mut tar, tar::EntryType::Regular, "extended", "", b"x");
    tar.into_inner().unwrap()
}

fn top() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, tar::EntryType::Regular, "etc/.wh.passwd", "", b"");
    add(&mut tar, tar::EntryType::Regular, "etc/.wh..wh..opq", "", b"");
    add(&mut tar, tar::EntryType::Fifo, "pipe", "", b"");
    add(&mut tar, tar::EntryType::Regular, "etc/new", "", &[7; 1500]);
    tar.into_inner().unwrap()
}

fn saved(layers: &[(&str, &Vec<u8>)], linked: bool) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let digests: Vec<Digest> = layers.iter().map(|(_, layer)| Digest::of(layer)).collect();
    add(&mut tar, tar::EntryType::Regular, "config.json", "", config(&digests).to_string().as_bytes());
    for (index, (name, layer)) in layers.iter().enumerate() {
        if linked && index > 0 {
            add(&mut tar, tar::EntryType::Symlink, name, "../a/layer.tar", b"");
        } else {
            add(&mut tar, tar::EntryType::Regular, name, "", layer);
        }
    }
    let files: Vec<&str> = layers.iter().map(|(name, _)| *name).collect();
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["one:1", "registry.example/two:2"], "Layers": files }]);
    add(&mut tar, tar::EntryType::Regular, "manifest.json", "", manifest.to_string().as_bytes());
    tar.into_inner().unwrap()
}

fn add(tar: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, link: &str, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_path(name).unwrap();
    if !link.is_empty() {
        header.set_link_name(link).unwrap();
    }
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(1_600_000_000);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
