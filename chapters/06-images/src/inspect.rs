//! `image inspect`: an image as Docker's JSON shows it. docker-image-inspect(1), Engine API `ImageInspect`; book ch. 6.

use serde_json::{Value, json};

use crate::reference::Reference;
use crate::store::{Image, Images};

/// What Docker shows where there is no time.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Images {
    /// The image as Docker's JSON. What this engine cannot know (the parent) is empty; what belongs to
    /// Docker's way of storing is left out.
    pub fn inspect(&self, image: &Image) -> Value {
        let tags = image.names.iter().filter(|name| name.digest().is_none());
        let config = &image.config;
        let mut value = json!({
            "Id": image.id.to_string(),
            "RepoTags": tags.map(Reference::familiar).collect::<Vec<_>>(),
            "RepoDigests": image.digests.iter().map(Reference::familiar).collect::<Vec<_>>(),
            "Parent": "",
            "Comment": config.history.last().and_then(|line| line.comment.clone()).unwrap_or_default(),
            "Created": config.created.clone().unwrap_or_else(|| NEVER.to_owned()),
            "DockerVersion": config.docker_version.clone().unwrap_or_default(),
            "Author": config.author.clone().unwrap_or_default(),
            "Config": run_config(image),
            "Architecture": config.architecture,
            "Variant": config.variant,
            "Os": config.os,
            "Size": self.size(image).unwrap_or(0),
            "GraphDriver": { "Data": self.directories(image), "Name": "overlay2" },
            "RootFS": {
                "Type": "layers",
                "Layers": config.rootfs.diff_ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
            "Metadata": { "LastTagTime": image.named.clone().unwrap_or_else(|| NEVER.to_owned()) },
        });
        if let (Some(fields), None) = (value.as_object_mut(), &config.variant) {
            fields.shift_remove("Variant");
        }
        value
    }

    /// Where its layers are: the topmost one, and those below it as overlay is given them.
    fn directories(&self, image: &Image) -> Value {
        let path = |chain| self.layers.diff_path(chain).display().to_string();
        let mut paths = image.chain_ids().iter().rev().map(path).collect::<Vec<_>>().into_iter();
        let Some(upper) = paths.next() else { return json!({}) };
        let lower = paths.collect::<Vec<_>>().join(":");
        if lower.is_empty() {
            return json!({ "UpperDir": upper });
        }
        json!({ "LowerDir": lower, "UpperDir": upper })
    }
}

/// Docker's `Config`: every field that it always shows, then those that the image has.
fn run_config(image: &Image) -> Value {
    let mut value = json!({
        "Hostname": "", "Domainname": "", "User": "",
        "AttachStdin": false, "AttachStdout": false, "AttachStderr": false, "ExposedPorts": null,
        "Tty": false, "OpenStdin": false, "StdinOnce": false,
        "Env": null, "Cmd": null, "Image": "", "Volumes": null, "WorkingDir": "",
        "Entrypoint": null, "OnBuild": null, "Labels": null,
    });
    let own = serde_json::to_value(&image.config.config).unwrap_or_default();
    if let (Some(fields), Value::Object(own)) = (value.as_object_mut(), own) {
        if !own.contains_key("ExposedPorts") {
            fields.shift_remove("ExposedPorts");
        }
        fields.extend(own);
    }
    value
}
