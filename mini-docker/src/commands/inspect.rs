//! `inspect`: everything about containers and images, as Docker's JSON. docker-inspect(1).

use anyhow::bail;
use mini_engine::find::FindError;
use mini_engine::{Home, inspect};
use mini_images::StoreError;
use serde::Serialize as _;
use serde_json::Value;

use crate::cli;
use crate::commands::print;
use crate::failure;
use crate::format;

/// Docker's exit status for a template that is none.
const NO_TEMPLATE: u8 = 64;

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
            Err(error) => status = failure::report(&error),
        }
    }
    match &args.format {
        Some(format) => {
            let text = format::objects(&objects, format).map_err(|error| match error.downcast_ref() {
                Some(format::TemplateError::Parse { .. }) => failure::with_status(&error, NO_TEMPLATE),
                _ => error,
            })?;
            print(&text)?;
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
        Ok(image) => Ok(images.inspect(&image)),
        Err(StoreError::NotFound { .. }) if kind.is_none() => bail!("No such object: {name}"),
        Err(StoreError::NotFound { .. }) => bail!("No such image: {name}"),
        Err(error) => Err(error.into()),
    }
}
