//! Stores content under its own digest, in an OCI image layout.
//!
//! A blob is a file `blobs/sha256/<hex>` that never changes. It is written elsewhere (`ingest/`), digested
//! while it is written, synced, and given its name last: whoever sees the name sees the whole content, also
//! after a power cut, and two processes that store the same blob end with the same file. This module does
//! not know what a blob means: manifests, configs and layers are alike here (see `mini-images`).
//!
//! OCI image-spec, image-layout.md; rename(2), fsync(2); book ch. 5.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use crate::claim::{self, Claim};
use crate::digest::{Digest, Hashing};

const TEMPORARY: &str = "blob-";

/// The blobs of one OCI layout directory.
#[derive(Debug, Clone)]
pub struct Blobs {
    blobs: PathBuf,
    ingest: PathBuf,
}

/// What can go wrong with a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Nothing is stored under this digest.
    #[error("blob `{0}` is not in {directory}", directory = .1.display())]
    Missing(Digest, PathBuf),
    /// The content received is not the content asked for.
    #[error("expected `{expected}`, received `{received}` ({bytes} bytes)")]
    Mismatch {
        /// The digest asked for.
        expected: Digest,
        /// The digest of what came.
        received: Digest,
        /// How much came.
        bytes: u64,
    },
    /// The stored content is not what its name says: the disk, or somebody, changed it.
    #[error("blob `{digest}` is damaged: its content has the digest `{actual}`")]
    Damaged {
        /// The name it is stored under.
        digest: Digest,
        /// What its content says.
        actual: Digest,
    },
    /// The reader that the blob comes from failed.
    #[error("receive a blob after {bytes} bytes")]
    Receive {
        /// How much had come before.
        bytes: u64,
        /// What the reader said.
        #[source]
        source: io::Error,
    },
    /// A file of the store could not be made, written, read or removed.
    #[error("store blobs")]
    Store(#[source] mini_sys::Error),
}

impl Blobs {
    /// Opens the store in `layout`, the directory of an OCI image layout, and makes its directories where
    /// they are missing.
    ///
    /// # Errors
    /// Those of mkdir(2).
    pub fn open(layout: &Path) -> Result<Self, BlobError> {
        let store = Self { blobs: layout.join("blobs/sha256"), ingest: layout.join("ingest") };
        for directory in [&store.blobs, &store.ingest] {
            fs::create_dir_all(directory).map_err(failed("mkdir", directory))?;
        }
        Ok(store)
    }

    /// Stores what `content` gives; returns its digest and its size in bytes.
    ///
    /// # Errors
    /// When `content` or a file fails, a full disk for example; nothing is left behind then.
    pub fn put(&self, content: &mut impl Read) -> Result<(Digest, u64), BlobError> {
        let (claim, digest, bytes) = self.receive(content)?;
        self.keep(claim.open(), claim.path(), &digest)?;
        Ok((digest, bytes))
    }

    /// As [`Blobs::put`], but stores nothing unless the content is the one that `expected` names; returns
    /// the size in bytes.
    ///
    /// # Errors
    /// As [`Blobs::put`], and [`BlobError::Mismatch`].
    // ANCHOR: fn-put-expected
    pub fn put_expected(&self, content: &mut impl Read, expected: &Digest) -> Result<u64, BlobError> {
        // ANCHOR: put-expected
        let (claim, received, bytes) = self.receive(content)?;
        if received != *expected {
            return Err(BlobError::Mismatch { expected: *expected, received, bytes });
        }
        self.keep(claim.open(), claim.path(), expected)?;
        Ok(bytes)
        // ANCHOR_END: put-expected
    }
    // ANCHOR_END: fn-put-expected

    /// Stores `content`.
    ///
    /// # Errors
    /// As [`Blobs::put`].
    pub fn put_bytes(&self, content: &[u8]) -> Result<Digest, BlobError> {
        self.put(&mut &content[..]).map(|(digest, _)| digest)
    }

    /// Opens a blob for reading, unverified: for large ones that are digested while they are read.
    ///
    /// # Errors
    /// [`BlobError::Missing`], and those of open(2).
    pub fn get(&self, digest: &Digest) -> Result<File, BlobError> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::Missing(*digest, self.blobs.clone()),
            _ => failed("open", &path)(error),
        })
    }

    /// The verified content of a blob: for small ones, manifests and configs.
    ///
    /// # Errors
    /// As [`Blobs::get`], and [`BlobError::Damaged`].
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, BlobError> {
        let mut content = Vec::new();
        self.get(digest)?.read_to_end(&mut content).map_err(failed("read", &self.path(digest)))?;
        match Digest::of(&content) {
            actual if actual == *digest => Ok(content),
            actual => Err(BlobError::Damaged { digest: *digest, actual }),
        }
    }

    /// Where a blob is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }

    /// Whether a blob is stored.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The size of a blob in bytes, none when it is not stored.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|metadata| metadata.len())
    }

    /// The digests of all blobs, in no order.
    ///
    /// # Errors
    /// Those of reading the directory.
    pub fn list(&self) -> Result<Vec<Digest>, BlobError> {
        let entries = fs::read_dir(&self.blobs).map_err(failed("read directory", &self.blobs))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let names: Vec<_> =
            names.collect::<io::Result<_>>().map_err(failed("read directory", &self.blobs))?;
        Ok(names.iter().filter_map(|name| Digest::from_hex(name.to_str()?).ok()).collect())
    }

    /// Removes a blob; says whether it was there.
    ///
    /// # Errors
    /// Those of unlink(2).
    pub fn remove(&self, digest: &Digest) -> Result<bool, BlobError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("unlink", &path)(error)),
        }
    }

    /// Removes what processes that were killed while they stored a blob left behind; says how many files.
    ///
    /// # Errors
    /// Those of reading the directory and of unlink(2).
    pub fn sweep(&self) -> Result<usize, BlobError> {
        claim::sweep(&self.ingest, TEMPORARY).map_err(BlobError::Store)
    }

    /// Where blobs are that are not whole yet.
    pub(crate) fn ingest(&self) -> &Path {
        &self.ingest
    }

    fn receive(&self, content: &mut impl Read) -> Result<(Claim, Digest, u64), BlobError> {
        let claim = Claim::file(&self.ingest, TEMPORARY).map_err(BlobError::Store)?;
        let mut sink = Hashing::new(claim.open());
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let length = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(BlobError::Receive { bytes: sink.passed(), source }),
            };
            sink.write_all(&buffer[..length]).map_err(failed("write", claim.path()))?;
        }
        let (_, digest, bytes) = sink.finish();
        Ok((claim, digest, bytes))
    }

    // ANCHOR: keep
    /// Gives a finished file its name. The content goes to the disk before the name does; when that does, see
    /// [`Blobs::settle`].
    pub(crate) fn keep(&self, file: &File, temporary: &Path, digest: &Digest) -> Result<(), BlobError> {
        let path = self.path(digest);
        if path.is_file() {
            return Ok(());
        }
        file.sync_all().map_err(failed("fsync", temporary))?;
        fs::rename(temporary, &path).map_err(failed("rename", &path))
    }
    // ANCHOR_END: keep

    /// Waits until the names of all blobs are on the disk: once for many, before anything is written that speaks
    /// of them. fsync(2) of the directory.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn settle(&self) -> Result<(), BlobError> {
        let directory = File::open(&self.blobs).and_then(|directory| directory.sync_all());
        directory.map_err(failed("fsync", &self.blobs))
    }
}

pub(crate) fn failed(call: &'static str, path: &Path) -> impl Fn(io::Error) -> BlobError {
    let path = path.to_owned();
    move |error| BlobError::Store(mini_sys::Error::from_io(format!("{call} \"{}\"", path.display()), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Blobs) {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        (directory, blobs)
    }

    fn left_behind(directory: &tempfile::TempDir) -> usize {
        fs::read_dir(directory.path().join("ingest")).unwrap().count()
    }

    #[test]
    fn a_blob_is_found_under_the_digest_of_its_content() {
        let (directory, blobs) = store();
        let (digest, bytes) = blobs.put(&mut &b"hello"[..]).unwrap();
        assert_eq!((digest, bytes), (Digest::of(b"hello"), 5));
        assert_eq!(blobs.put_bytes(b"hello").unwrap(), digest);
        assert_eq!(blobs.read(&digest).unwrap(), b"hello");
        assert_eq!(blobs.path(&digest), directory.path().join("blobs/sha256").join(digest.hex()));
        assert_eq!((blobs.list().unwrap(), blobs.size(&digest)), (vec![digest], Some(5)));
        assert!(blobs.contains(&digest) && left_behind(&directory) == 0);
        assert!(blobs.remove(&digest).unwrap() && !blobs.remove(&digest).unwrap());
        assert!(matches!(blobs.get(&digest), Err(BlobError::Missing(missing, _)) if missing == digest));
    }

    #[test]
    fn another_content_than_the_expected_one_is_refused_by_both_names() {
        let (directory, blobs) = store();
        let (wanted, got) = (Digest::of(b"wanted"), Digest::of(b"got"));
        let error = blobs.put_expected(&mut &b"got"[..], &wanted).unwrap_err();
        assert_eq!(error.to_string(), format!("expected `{wanted}`, received `{got}` (3 bytes)"));
        assert!(blobs.list().unwrap().is_empty() && left_behind(&directory) == 0);
        assert_eq!(blobs.put_expected(&mut &b"wanted"[..], &wanted).unwrap(), 6);
    }

    #[test]
    fn a_reader_that_fails_leaves_nothing_behind() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("connection reset"))
            }
        }
        let (directory, blobs) = store();
        let error = blobs.put(&mut (&b"half"[..]).chain(Broken)).unwrap_err();
        assert_eq!(error.to_string(), "receive a blob after 4 bytes");
        assert!(blobs.list().unwrap().is_empty() && left_behind(&directory) == 0);
    }

    #[test]
    fn a_changed_blob_is_noticed() {
        let (_directory, blobs) = store();
        let digest = blobs.put_bytes(b"true").unwrap();
        fs::write(blobs.path(&digest), b"fake").unwrap();
        assert!(
            matches!(blobs.read(&digest), Err(BlobError::Damaged { actual, .. }) if actual == Digest::of(b"fake"))
        );
    }
}
