//! `rmi`: taking names from images, and removing what no name and no other image holds any more.
//!
//! Names are taken from the list first; then whoever is alone with the store removes every blob and layer that no
//! listed image uses. Killed between the two, a command leaves files without a name, which the next removal takes.
//! docker-rmi(1); book ch. 6.

use std::collections::HashSet;

use mini_layers::Digest;
use mini_sys::file::{self, Lock};

use crate::config::ImageConfig;
use crate::index::Listed;
use crate::reference::Reference;
use crate::store::{Images, StoreError, digest_of, take_name};

/// What a removal did, as `rmi` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name is gone.
    Untagged(String),
    /// An image, or a layer that no other image uses, is gone.
    Deleted(Digest),
}

impl Images {
    /// Takes the name `text` from its image; when that was the last one, or when `text` is an id, removes the
    /// image and all that no other image uses.
    ///
    /// # Errors
    /// As [`Self::find`]; a file that cannot be removed.
    pub fn remove(&self, text: &str) -> Result<Vec<Removed>, StoreError> {
        let id = self.find(text)?.id;
        let name = text.parse::<Reference>().ok();
        let lines = self.index.list()?;
        match name.filter(|name| lines.iter().any(|line| line.is(name))) {
            Some(name) => {
                // With the last tag of a repository go the digests that were asked for there.
                let manifests: Vec<Digest> =
                    lines.iter().filter(|line| line.is(&name)).map(|line| line.manifest).collect();
                let beside = |line: &Listed| {
                    manifests.contains(&line.manifest)
                        && line.name.as_ref().is_some_and(|own| own.is_beside(&name))
                };
                let tagged = |line: &Listed| line.name.as_ref().is_some_and(|own| own.digest().is_none());
                let is_last = !lines.iter().any(|line| beside(line) && tagged(line) && !line.is(&name));
                self.remove_lines(|line| line.is(&name) || is_last && beside(line) && !tagged(line))
            }
            None => self.remove_images(&[id]),
        }
    }

    /// Removes these images, by id, with all their names.
    ///
    /// # Errors
    /// An image that cannot be read, a file that cannot be removed.
    pub fn remove_images(&self, ids: &[Digest]) -> Result<Vec<Removed>, StoreError> {
        let mut manifests = HashSet::new();
        for line in self.index.list()? {
            if ids.contains(&self.read(&line.manifest)?.id) {
                manifests.insert(line.manifest);
            }
        }
        self.remove_lines(|line| manifests.contains(&line.manifest))
    }

    fn remove_lines(&self, is_gone: impl Fn(&Listed) -> bool) -> Result<Vec<Removed>, StoreError> {
        let (gone, kept) = self.index.change(|lines| {
            let (gone, kept): (Vec<Listed>, Vec<Listed>) =
                std::mem::take(lines).into_iter().partition(|line| is_gone(line));
            lines.clone_from(&kept);
            (gone, kept)
        })?;
        let mut removed = untagged(&gone, &kept);
        removed.extend(self.collect()?.into_iter().map(Removed::Deleted));
        Ok(removed)
    }

    /// Takes the name `text` from its image, which stays, without a name if it has no other.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn untag(&self, text: &str) -> Result<Vec<Removed>, StoreError> {
        let name: Reference = text.parse()?;
        self.find(text)?;
        Ok(self.index.change(|lines| {
            let gone: Vec<Listed> = lines.iter().filter(|line| line.is(&name)).cloned().collect();
            for name in gone.iter().filter_map(|line| line.name.as_ref()) {
                take_name(lines, name);
            }
            untagged(&gone, lines)
        })?)
    }

    /// Removes every blob and layer that no listed image uses; returns images and layers, topmost first.
    ///
    /// # Errors
    /// A file that cannot be removed.
    fn collect(&self) -> Result<Vec<Digest>, StoreError> {
        let _alone =
            file::lock(&self.layout().join("store.lock"), Lock::Exclusive).map_err(StoreError::Lock)?;
        self.clear_unlisted()
    }

    /// The same for who is alone with the store already.
    pub(crate) fn clear_unlisted(&self) -> Result<Vec<Digest>, StoreError> {
        let mut used = self.index.reached(|_| true)?;
        let mut chains = HashSet::new();
        for line in self.index.list()? {
            let manifest = self.manifest(&line.manifest)?;
            let image = self.read(&line.manifest)?;
            used.extend([line.manifest, image.id]);
            used.extend(manifest.layers().iter().map(digest_of).collect::<Result<Vec<_>, _>>()?);
            chains.extend(image.chain_ids());
        }
        let mut gone = Vec::new();
        for blob in self.blobs.list()? {
            if !used.contains(&blob) {
                if self.is_config(&blob) {
                    gone.push(blob);
                }
                self.blobs.remove(&blob)?;
            }
        }
        for layer in self.layers.list()? {
            if !chains.contains(&layer.chain_id) {
                self.layers.remove(&layer.chain_id)?;
                gone.push(layer.chain_id);
            }
        }
        Ok(gone)
    }

    fn is_config(&self, blob: &Digest) -> bool {
        let small = self.blobs.size(blob).is_some_and(|size| size < 1 << 20);
        let parsed =
            || self.blobs.read(blob).ok().and_then(|text| serde_json::from_slice::<ImageConfig>(&text).ok());
        small && parsed().is_some_and(|config| !config.rootfs.diff_ids.is_empty())
    }
}

/// The names that are gone, tags first; with the last tag of a repository goes the digest by which its registry knows
/// the image.
fn untagged(gone: &[Listed], kept: &[Listed]) -> Vec<Removed> {
    let stays = |gone: &Listed, name: &Reference| {
        kept.iter().any(|line| {
            line.manifest == gone.manifest && line.name.as_ref().is_some_and(|other| other.is_beside(name))
        })
    };
    let named: Vec<(&Listed, &Reference)> =
        gone.iter().filter_map(|line| Some((line, line.name.as_ref()?))).collect();
    let tags = named.iter().filter(|(_, name)| name.digest().is_none());
    let mut texts: Vec<String> = tags.map(|(_, name)| name.familiar()).collect();
    for (line, name) in named {
        let known_as = name.digest().copied().or(line.known_as.filter(|_| !stays(line, name)));
        let Some(digest) = known_as else { continue };
        let text = name.with_digest(digest).familiar();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.into_iter().map(Removed::Untagged).collect()
}
