//! `save`: images as one archive, which can travel on a disk instead of through a registry.
//!
//! The archive is two things at once, as Docker has written it since version 25: an OCI image layout in a tar
//! (`oci-layout`, `index.json`, `blobs/`), and what `docker load` has always read, a `manifest.json` that says which
//! files are an image's configuration and layers. Both name the same blobs, byte for byte as they came, so every
//! digest stays true. The same images give the same archive every time.
//!
//! OCI image spec, "Image Layout"; Docker image specification v1.2; docker-save(1); book ch. 6.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};

use mini_layers::Digest;
use mini_layers::blobs::BlobError;
use oci_spec::image::MediaType;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::index::{NAME, REF_NAME};
use crate::reference::Reference;
use crate::store::{Image, Images, StoreError, digest_of};

/// Images that cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is no such image, or what the store has of it is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of its blobs is not there, or damaged.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A layer was cut short, or grew, since it was stored.
    #[error("blob `{digest}` is damaged: it has {found} bytes instead of {size}")]
    Size {
        /// Which.
        digest: Digest,
        /// What the manifest says.
        size: u64,
        /// What there is.
        found: u64,
    },
    /// The archive cannot be written.
    #[error("write the archive")]
    Write(#[source] io::Error),
}

/// One entry of the archive.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    content: Content,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Directory,
    Bytes(Vec<u8>),
    /// A blob of the store.
    Blob(Digest, u64),
}

/// An image with all that the archive needs of it.
struct Picked {
    image: Image,
    manifest: Vec<u8>,
    config: Vec<u8>,
    /// Digests and sizes, lowest first.
    layers: Vec<(Digest, u64)>,
}

impl Images {
    /// Writes the images that `wanted` means to `out`. A name without a tag means every tag of its repository, and
    /// an image that is meant by its id is saved without a name: both are Docker's rules.
    ///
    /// # Errors
    /// A name that is none, before anything is written; a blob that is missing; a full disk.
    pub fn save(&self, wanted: &[String], out: &mut File) -> Result<(), SaveError> {
        self.while_held(|| {
            let picked = self.pick(wanted)?.into_iter().map(|image| self.read_all(image));
            let entries = plan(&picked.collect::<Result<Vec<_>, _>>()?);
            entries.iter().try_for_each(|entry| self.write_entry(entry, out))?;
            // Two empty blocks end a tar.
            out.write_all(&[0; 1024]).map_err(SaveError::Write)
        })
    }

    /// The images in the order they were asked for, each once, with the names it was asked for by.
    fn pick(&self, wanted: &[String]) -> Result<Vec<Image>, StoreError> {
        let mut picked: Vec<Image> = Vec::new();
        for text in wanted {
            for image in self.meant_by(text)? {
                match picked.iter_mut().find(|other| other.manifest == image.manifest) {
                    Some(other) => {
                        let new = image.names.into_iter().filter(|name| !other.names.contains(name));
                        let new: Vec<Reference> = new.collect();
                        other.names.extend(new);
                    }
                    None => picked.push(image),
                }
            }
        }
        Ok(picked)
    }

    fn meant_by(&self, text: &str) -> Result<Vec<Image>, StoreError> {
        // What takes a tag has none yet.
        if let Ok(repository) = format!("{text}:latest").parse::<Reference>()
            && repository.digest().is_none()
        {
            let mut all = self.list()?;
            for image in &mut all {
                image.names.retain(|name| name.is_of(&repository) && name.tag().is_some());
            }
            all.retain(|image| !image.names.is_empty());
            if !all.is_empty() {
                return Ok(all);
            }
        }
        let mut image = self.find(text)?;
        let name = text.parse::<Reference>().ok();
        image.names.retain(|other| Some(other) == name.as_ref() && other.tag().is_some());
        Ok(vec![image])
    }

    fn read_all(&self, image: Image) -> Result<Picked, SaveError> {
        let manifest = self.blobs.read(&image.manifest)?;
        let config = self.blobs.read(&image.id)?;
        let layers = self.manifest(&image.manifest)?;
        let layers = layers.layers().iter().map(|layer| Ok((digest_of(layer)?, layer.size())));
        let layers = layers.collect::<Result<_, StoreError>>()?;
        Ok(Picked { image, manifest, config, layers })
    }

    fn write_entry(&self, entry: &Entry, out: &mut File) -> Result<(), SaveError> {
        let size = match &entry.content {
            Content::Directory => 0,
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Blob(_, size) => *size,
        };
        let header = header(entry, size).map_err(SaveError::Write)?;
        out.write_all(header.as_bytes()).map_err(SaveError::Write)?;
        match &entry.content {
            Content::Directory => {}
            Content::Bytes(bytes) => out.write_all(bytes).map_err(SaveError::Write)?,
            Content::Blob(digest, size) => self.copy_blob(digest, *size, out)?,
        }
        let filling = size.next_multiple_of(512) - size;
        out.write_all(&vec![0; filling as usize]).map_err(SaveError::Write)
    }

    /// From file to file, which `io::copy` leaves to the kernel: copy_file_range(2), or splice(2) into a pipe.
    fn copy_blob(&self, digest: &Digest, size: u64, out: &mut File) -> Result<(), SaveError> {
        let found = self.blobs.size(digest).unwrap_or(size);
        let file = self.blobs.get(digest)?;
        let copied = io::copy(&mut file.take(size), out).map_err(SaveError::Write)?;
        match found == size && copied == size {
            true => Ok(()),
            false => Err(SaveError::Size { digest: *digest, size, found }),
        }
    }
}

/// What the archive holds: first what says what is in it, then the blobs, each once.
fn plan(picked: &[Picked]) -> Vec<Entry> {
    let file = |name: &str, value: &Value| Entry {
        name: name.to_owned(),
        content: Content::Bytes(value.to_string().into_bytes()),
    };
    let directory = |name: &str| Entry { name: name.to_owned(), content: Content::Directory };
    let mut entries = vec![
        file("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" })),
        file("index.json", &index(picked)),
        file("manifest.json", &picked.iter().map(docker_entry).collect()),
        directory("blobs/"),
        directory("blobs/sha256/"),
    ];
    let mut seen = HashSet::new();
    let mut blob = |digest: Digest, content| {
        if seen.insert(digest) {
            entries.push(Entry { name: blob_name(&digest), content });
        }
    };
    for one in picked {
        blob(one.image.manifest, Content::Bytes(one.manifest.clone()));
        blob(one.image.id, Content::Bytes(one.config.clone()));
        for (digest, size) in &one.layers {
            blob(*digest, Content::Blob(*digest, *size));
        }
    }
    entries
}

/// A line for each name, as in the store's own index; one for an image without. A manifest in Docker's older form,
/// which is read the same way, is listed as OCI's too: skopeo looks for names on no other lines.
fn index(picked: &[Picked]) -> Value {
    let mut lines = Vec::new();
    for one in picked {
        let line = json!({
            "mediaType": MediaType::ImageManifest.to_string(),
            "digest": one.image.manifest.to_string(),
            "size": one.manifest.len(),
        });
        if one.image.names.is_empty() {
            lines.push(line.clone());
        }
        for name in &one.image.names {
            let mut line = line.clone();
            line["annotations"] = json!({ NAME: name.to_string(), REF_NAME: name.tag() });
            lines.push(line);
        }
    }
    json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageIndex.to_string(),
        "manifests": lines,
    })
}

/// What `docker load` reads.
fn docker_entry(one: &Picked) -> Value {
    let names: Vec<String> = one.image.names.iter().map(Reference::familiar).collect();
    let layers: Vec<String> = one.layers.iter().map(|(digest, _)| blob_name(digest)).collect();
    json!({
        "Config": blob_name(&one.image.id),
        "RepoTags": Some(names).filter(|names| !names.is_empty()),
        "Layers": layers,
    })
}

pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn header(entry: &Entry, size: u64) -> io::Result<Header> {
    let directory = entry.content == Content::Directory;
    let mut header = Header::new_ustar();
    header.set_path(&entry.name)?;
    header.set_entry_type(if directory { EntryType::Directory } else { EntryType::Regular });
    header.set_mode(if directory { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageConfig;

    fn picked(names: &[&str], layers: &[&str]) -> Picked {
        let config = format!("config of {names:?}").into_bytes();
        let manifest = format!("manifest of {names:?}").into_bytes();
        Picked {
            image: Image {
                id: Digest::of(&config),
                manifest: Digest::of(&manifest),
                names: names.iter().map(|name| name.parse().unwrap()).collect(),
                digests: Vec::new(),
                named: None,
                config: ImageConfig::default(),
            },
            manifest,
            config,
            layers: layers.iter().map(|text| (Digest::of(text.as_bytes()), 7)).collect(),
        }
    }

    #[test]
    fn a_layer_that_two_images_share_is_there_once() {
        let entries = plan(&[picked(&["a:1"], &["base", "a"]), picked(&["b:1", "b:2"], &["base"])]);
        let blobs: Vec<&str> =
            entries.iter().map(|entry| entry.name.as_str()).filter(|name| name.len() > 20).collect();
        let unique: HashSet<&&str> = blobs.iter().collect();
        assert_eq!((blobs.len(), unique.len()), (6, 6));
    }

    #[test]
    fn each_name_is_a_line_of_the_index_and_all_are_one_entry_for_docker() {
        let one = picked(&["a:1", "registry.example/a:2"], &["base"]);
        let annotations = |value: &Value| value["annotations"][NAME].as_str().map(str::to_owned);
        let index = index(std::slice::from_ref(&one));
        let names: Vec<_> = index["manifests"].as_array().unwrap().iter().map(annotations).collect();
        assert_eq!(
            names,
            [Some("docker.io/library/a:1".to_owned()), Some("registry.example/a:2".to_owned())]
        );
        assert_eq!(docker_entry(&one)["RepoTags"], json!(["a:1", "registry.example/a:2"]));
        assert_eq!(docker_entry(&picked(&[], &[]))["RepoTags"], Value::Null);
    }
}
