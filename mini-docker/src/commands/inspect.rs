//! `inspect`: everything about containers and images, as Docker's JSON. docker-inspect(1).

use anyhow::bail;
use mini_engine::find::FindError;
use mini_engine::{Home, inspect};
use mini_images::{Image, Images, Reference, StoreError};
use serde::Serialize as _;
use serde_json::{Value, json};

use crate::cli;
use crate::commands::print;
use crate::format;

pub(crate) fn run(home: &Home, args: &cli::Inspect, kind: Option<&str>) -> anyhow::Result<u8> {
    let kind = kind.or(args.r#type.as_deref());
    if let Some(other) = kind.filter(|kind| !matches!(*kind, "container" | "image")) {
        bail!("\"{other}\" is not a valid value for --type: use container or image");
    }
    super::repair(home);
    let mut objects = Vec::new();
    let mut status = 0;
    for name in &args.names {
        match find(home, name, kind) {
            Ok(object) => objects.push(object),
            Err(error) => status = crate::failure::report(&error),
        }
    }
    match &args.format {
        Some(format) => {
            for object in &objects {
                print(&(format::object(object, format)? + "\n"))?;
            }
        }
        None => drop(print(&pretty(&objects)?)?),
    }
    Ok(status)
}

/// JSON with Docker's indentation.
fn pretty(objects: &[Value]) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    objects.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}

fn find(home: &Home, name: &str, kind: Option<&str>) -> anyhow::Result<Value> {
    if kind != Some("image") {
        match mini_engine::find(home, name) {
            Ok(record) => return Ok(inspect::inspect(home, &record)),
            Err(FindError::NotFound(_)) if kind.is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let images = home.images()?;
    match images.find(name) {
        Ok(image) => Ok(of_image(&images, &image)),
        Err(StoreError::NotFound { .. }) if kind.is_none() => bail!("No such object: {name}"),
        Err(StoreError::NotFound { .. }) => bail!("No such image: {name}"),
        Err(error) => Err(error.into()),
    }
}

fn of_image(images: &Images, image: &Image) -> Value {
    let names: Vec<String> = image.names.iter().map(Reference::familiar).collect();
    let digests: Vec<String> =
        image.names.iter().map(|name| format!("{}@{}", name.familiar_repository(), image.manifest)).collect();
    let config = &image.config;
    json!({
        "Id": image.id.to_string(),
        "RepoTags": names,
        "RepoDigests": digests,
        "Comment": config.history.last().and_then(|line| line.comment.clone()).unwrap_or_default(),
        "Created": config.created,
        "Author": config.author.clone().unwrap_or_default(),
        "Config": config.config,
        "Architecture": config.architecture,
        "Os": config.os,
        "Size": images.size(image).unwrap_or(0),
        "GraphDriver": { "Name": "overlay2", "Data": Value::Null },
        "RootFS": { "Type": "layers", "Layers": config.rootfs.diff_ids.iter().map(ToString::to_string).collect::<Vec<_>>() },
    })
}
