//! The archive that `docker save` has always written: `manifest.json` names the file of each image's configuration
//! and the files of its layers, lowest first. Docker image specification v1.2; book ch. 6.

use std::io::{self, Read as _};

use mini_layers::compression::Compression;
use mini_layers::{Digest, Hashing};
use serde::Deserialize;

use super::{Archive, LoadError, check_count};
use crate::config::ImageConfig;
use crate::intake::Coming;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{Image, Images, NewLayer};

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// The file that makes it such an archive.
const MANIFEST: &str = "manifest.json";

impl Images {
    pub(super) fn load_docker(
        &self,
        archive: &Archive,
        platform: Option<&Platform>,
    ) -> Result<Vec<Image>, LoadError> {
        let entries: Vec<Entry> = archive.parse(MANIFEST)?;
        let mut images = Vec::new();
        let mut others = Vec::new();
        for entry in &entries {
            let config: ImageConfig = archive.parse(&entry.config)?;
            match platform {
                Some(platform) if !platform.is_of(&config) => others.push(Platform::of(&config).to_string()),
                _ => images.push(self.while_held(|| self.load_entry(archive, entry, &config))?),
            }
        }
        super::check_platform(platform, &images, others)?;
        Ok(images)
    }

    fn load_entry(&self, archive: &Archive, entry: &Entry, config: &ImageConfig) -> Result<Image, LoadError> {
        check_count(&entry.config, config, entry.layers.len())?;
        let tags = entry.repo_tags.iter().flatten();
        let names = tags.map(|tag| tag.parse::<Reference>()).collect::<Result<Vec<_>, _>>()?;
        Self::refuse_reserved(&names)?;
        let layers = entry.layers.iter().zip(&config.rootfs.diff_ids);
        let layers = layers.map(|(name, diff_id)| described(archive, name, diff_id));
        let (new, layers): (Vec<NewLayer>, Vec<(String, Coming)>) =
            layers.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        self.take(archive, &layers)?;
        Ok(self.add(&archive.read(&entry.config)?, &new, &names)?)
    }
}

/// What the archive does not say of a layer. One that is not compressed has one digest for both.
fn described(
    archive: &Archive,
    name: &str,
    diff_id: &Digest,
) -> Result<(NewLayer, (String, Coming)), LoadError> {
    let mut start = Vec::new();
    archive.open(name)?.take(10).read_to_end(&mut start).map_err(LoadError::Read)?;
    let (compression, size) = (Compression::of(&start), archive.open(name)?.left());
    let blob = match compression {
        Compression::Plain => *diff_id,
        _ => {
            let mut content = Hashing::new(archive.open(name)?);
            io::copy(&mut content, &mut io::sink()).map_err(LoadError::Read)?;
            content.finish().1
        }
    };
    let new = NewLayer { blob, size, compression };
    Ok((new, (name.to_owned(), Coming { blob, size, diff_id: *diff_id })))
}
