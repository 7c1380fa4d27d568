//! `tag`: one more name for an image. No file is copied: a name is a line of the list. docker-tag(1); book ch. 6.

use mini_layers::Digest;

use crate::reference::Reference;
use crate::store::{Images, StoreError, take_name};

/// A name that an image cannot get.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// Docker's words: a digest is not for anybody to give.
    #[error("refusing to create a tag with a digest reference")]
    Digest,
    /// The image, or the list.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Images {
    /// Gives the image that `source` means the name `target`, which another image loses if it had it.
    ///
    /// # Errors
    /// As [`Images::find`]; a name with a digest, a reserved one. The list stays as it was.
    pub fn tag(&self, source: &str, target: &Reference) -> Result<(), TagError> {
        if target.digest().is_some() {
            return Err(TagError::Digest);
        }
        Self::refuse_reserved(std::slice::from_ref(target))?;
        let image = self.find(source)?;
        let missing = || StoreError::NotFound { name: source.to_owned(), suggestion: None };
        let done = self.index.change(|lines| {
            // Somebody may have removed it since.
            let line = lines.iter().find(|line| line.manifest == image.manifest)?.clone();
            if line.name.as_ref() == Some(target) {
                return Some(());
            }
            take_name(lines, target);
            lines.retain(|line| line.manifest != image.manifest || line.name.is_some());
            let mut new = line.renamed(target.clone());
            // In its own repository the registry knows it by the same digest as before.
            if let Some(digest) = image.known_as(target) {
                new.set_known_as(digest);
            }
            lines.push(new);
            Some(())
        });
        done.map_err(StoreError::from)?.ok_or_else(missing)?;
        Ok(())
    }

    /// Notes that the registry of `name`, a name of an image here, knows the image by this digest.
    ///
    /// # Errors
    /// A full disk; the list stays as it was.
    pub fn set_known_as(&self, name: &Reference, digest: Digest) -> Result<(), StoreError> {
        Ok(self.index.change(|lines| {
            for line in lines.iter_mut().filter(|line| line.name.as_ref() == Some(name)) {
                line.set_known_as(digest);
            }
        })?)
    }
}
