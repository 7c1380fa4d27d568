//! `inspect`: everything about containers and images, as Docker's JSON. docker-inspect(1).

mod kernel;

use anyhow::bail;
use mini_engine::find::FindError;
use mini_engine::usage::Sizes;
use mini_engine::{Home, inspect};
use mini_images::StoreError;
use serde::Serialize as _;
use serde_json::Value;

use crate::cli;
use crate::commands::print;
use crate::failure;
use crate::format;

/// What Docker can look at; the engine has the first few of them.
const KINDS: [&str; 10] =
    ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

pub(crate) fn run(home: &Home, args: &cli::Inspect, kind: Option<&str>) -> anyhow::Result<u8> {
    let kind = kind.or(args.r#type.as_deref());
    if let Some(other) = kind.filter(|kind| !KINDS.contains(kind)) {
        let kinds = KINDS.map(|kind| format!("\"{kind}\"")).join(", ");
        bail!("unknown type: \"{other}\": must be one of {kinds}");
    }
    super::repair(home);
    if args.kernel {
        if let Some(other) = kind.filter(|kind| *kind != "container") {
            bail!("--kernel is about containers, and no {other} has processes");
        }
        return kernel::run(home, args);
    }
    let sizes = if args.size { Some(Sizes::new(home)?) } else { None };
    let mut objects = Vec::new();
    let mut status = 0;
    for name in &args.names {
        match find(home, name, kind, sizes.as_ref()) {
            Ok(object) => objects.push(object),
            Err(error) => status = failure::report(&error),
        }
    }
    match &args.format {
        Some(format) => {
            print(&format::objects(&objects, format)?)?;
        }
        None => drop(print(&pretty(&objects)?)?),
    }
    Ok(status)
}

/// JSON with Docker's indentation.
pub(crate) fn pretty(objects: &[Value]) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    objects.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}

fn find(home: &Home, name: &str, kind: Option<&str>, sizes: Option<&Sizes>) -> anyhow::Result<Value> {
    if matches!(kind, None | Some("container")) {
        match mini_engine::find(home, name) {
            Ok(record) => {
                let sizes = sizes.map(|sizes| sizes.of(home, &record));
                return Ok(inspect::inspect(home, &record, sizes));
            }
            Err(FindError::NotFound(_)) if kind.is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What there is none of yet, in Docker's words for one that is not there.
    match kind {
        None | Some("image") => {}
        Some("volume") => bail!("get {name}: no such volume"),
        Some("network") => bail!("network {name} not found"),
        Some("plugin") => bail!("plugin \"{name}\" not found"),
        Some(_) => bail!("This node is not a swarm manager."),
    }
    let images = home.images()?;
    match images.find(name) {
        Ok(image) => Ok(images.inspect(&image)),
        Err(StoreError::NotFound { .. }) if kind.is_none() => bail!("No such object: {name}"),
        Err(StoreError::NotFound { .. }) => bail!("No such image: {name}"),
        Err(error) => Err(error.into()),
    }
}
