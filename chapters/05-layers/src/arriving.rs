//! A blob on its way, of which what has come is kept: whoever is killed leaves it to the next one to go on with.
//!
//! The part that is here is `ingest/partial-<hex>`, locked while somebody works on it. So a blob that two processes want
//! is fetched by one of them, and the other one waits and finds it. Nobody trusts the part: it is digested
//! again from its start, with all that comes after it. flock(2); book ch. 6.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::blobs::{BlobError, Blobs, failed};
use crate::claim;
use crate::digest::{Digest, Hashing};

const PARTIAL: &str = "partial-";

/// How long a part is kept for somebody to go on with.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A blob of which a part may be here, and which nobody else works on.
#[derive(Debug)]
pub struct Arriving {
    blobs: Blobs,
    digest: Digest,
    path: PathBuf,
    file: File,
    have: u64,
    keep_part: bool,
}

impl Blobs {
    /// Begins to receive a blob, or goes on where somebody was interrupted. None when it is here, perhaps
    /// because of another process that this one has waited for.
    ///
    /// # Errors
    /// Those of open(2) and flock(2).
    pub fn arriving(&self, digest: &Digest) -> Result<Option<Arriving>, BlobError> {
        let path = self.ingest().join(format!("{PARTIAL}{}", digest.hex()));
        loop {
            if self.contains(digest) {
                return Ok(None);
            }
            // ANCHOR: part
            let mut options = File::options();
            let file = options.read(true).write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(failed("open", &path))?;
            file.lock().map_err(failed("flock", &path))?;
            // Whoever had the lock may have given the file its name, or removed it.
            if claim::names(&path, &file) {
                let have = file.metadata().map_err(failed("stat", &path))?.len();
                let blobs = self.clone();
                return Ok(Some(Arriving { blobs, digest: *digest, path, file, have, keep_part: true }));
            }
            // ANCHOR_END: part
        }
    }

    /// Removes the parts that nobody works on: all, or those that have waited for a week.
    ///
    /// # Errors
    /// Those of reading the directory and of unlink(2).
    pub fn sweep_parts(&self, all: bool) -> Result<usize, BlobError> {
        let is_old = |path: &Path| {
            let age = fs::metadata(path).and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
            age.is_ok_and(|age| age.is_ok_and(|age| age > KEPT))
        };
        claim::sweep_some(self.ingest(), PARTIAL, |path| all || is_old(path)).map_err(BlobError::Store)
    }
}

impl Arriving {
    /// How many bytes are here: where the rest begins.
    pub fn have(&self) -> u64 {
        self.have
    }

    /// Forgets the part: all of it is to come.
    ///
    /// # Errors
    /// Those of ftruncate(2).
    pub fn restart(&mut self) -> Result<(), BlobError> {
        self.file.set_len(0).map_err(failed("truncate", &self.path))?;
        self.have = 0;
        Ok(())
    }

    /// Reads the whole blob: what is here, and then `rest`, which is stored on its way.
    ///
    /// # Errors
    /// Those of lseek(2).
    pub fn reader<R: Read>(&mut self, rest: R) -> Result<Incoming<'_, R>, BlobError> {
        self.file.seek(SeekFrom::Start(0)).map_err(failed("seek", &self.path))?;
        let left = self.have;
        Ok(Incoming { rest, left, digest: Hashing::new(io::sink()), trouble: None, arriving: self })
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let is_empty = self.file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        if is_empty || !self.keep_part {
            // Best effort: what stays is swept when it is old. After a rename nothing has this name.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The reader of [`Arriving::reader`].
#[derive(Debug)]
pub struct Incoming<'a, R> {
    arriving: &'a mut Arriving,
    rest: R,
    /// How much of the part is unread.
    left: u64,
    digest: Hashing<io::Sink>,
    trouble: Option<BlobError>,
}

impl<R: Read> Incoming<'_, R> {
    /// Reads what is unread, and gives the blob its name if it is the one that was asked for; returns its size in
    /// bytes.
    ///
    /// # Errors
    /// [`BlobError::Receive`] when the rest broke off: the part stays, and so it does for whoever is killed.
    /// [`BlobError::Mismatch`], and a disk that is full: the part goes.
    pub fn keep(mut self) -> Result<u64, BlobError> {
        let mut piece = vec![0; 64 * 1024];
        while self.trouble.is_none() {
            match self.read(&mut piece) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
        if let Some(trouble) = self.trouble {
            self.arriving.keep_part = matches!(trouble, BlobError::Receive { .. });
            return Err(trouble);
        }
        // ANCHOR: promise
        let (_, received, bytes) = self.digest.finish();
        let Arriving { blobs, digest, path, file, keep_part, .. } = self.arriving;
        *keep_part = false;
        if received != *digest {
            return Err(BlobError::Mismatch { expected: *digest, received, bytes });
        }
        blobs.keep(file, path, digest)?;
        Ok(bytes)
        // ANCHOR_END: promise
    }

    /// What is here already, then what comes.
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, BlobError> {
        let path = &self.arriving.path;
        if self.left > 0 {
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
            let count = self.arriving.file.read(&mut buffer[..most]).map_err(failed("read", path))?;
            self.left = if count == 0 { 0 } else { self.left - count as u64 };
            if count > 0 {
                return Ok(count);
            }
        }
        let count = loop {
            match self.rest.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let bytes = self.digest.passed();
        let count = count.map_err(|source| BlobError::Receive { bytes, source })?;
        self.arriving.file.write_all(&buffer[..count]).map_err(failed("write", path))?;
        Ok(count)
    }
}

impl<R: Read> Read for Incoming<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.trouble.is_some() {
            return Ok(0);
        }
        match self.next(buffer) {
            Ok(count) => {
                self.digest.write_all(&buffer[..count])?;
                Ok(count)
            }
            Err(trouble) => {
                // Who reads is told that it ends here; `keep` tells why.
                let error = io::Error::other(trouble.to_string());
                self.trouble = Some(trouble);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        (directory, blobs)
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("connection reset"))
        }
    }

    fn parts(directory: &tempfile::TempDir) -> usize {
        fs::read_dir(directory.path().join("ingest")).unwrap().count()
    }

    #[test]
    fn what_broke_off_is_gone_on_with() {
        let (directory, blobs) = blobs();
        let digest = Digest::of(b"hello world");
        let mut arriving = blobs.arriving(&digest).unwrap().unwrap();
        let error = arriving.reader((&b"hello"[..]).chain(Broken)).unwrap().keep().unwrap_err();
        assert_eq!(error.to_string(), "receive a blob after 5 bytes");
        drop(arriving);

        let mut arriving = blobs.arriving(&digest).unwrap().unwrap();
        assert_eq!(arriving.have(), 5);
        let mut content = String::new();
        let mut reader = arriving.reader(&b" world"[..]).unwrap();
        reader.read_to_string(&mut content).unwrap();
        assert_eq!((content.as_str(), reader.keep().unwrap()), ("hello world", 11));
        drop(arriving);
        assert_eq!(blobs.read(&digest).unwrap(), b"hello world");
        assert!(blobs.arriving(&digest).unwrap().is_none() && parts(&directory) == 0);
    }

    #[test]
    fn another_content_leaves_nothing_to_go_on_with() {
        let (directory, blobs) = blobs();
        let mut arriving = blobs.arriving(&Digest::of(b"wanted")).unwrap().unwrap();
        let error = arriving.reader(&b"got"[..]).unwrap().keep().unwrap_err();
        assert!(matches!(error, BlobError::Mismatch { bytes: 3, .. }));
        drop(arriving);
        assert_eq!(parts(&directory), 0);
    }

    #[test]
    fn of_two_who_want_a_blob_one_receives_it() {
        let (_directory, blobs) = blobs();
        let digest = Digest::of(b"once");
        let mut arriving = blobs.arriving(&digest).unwrap().unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| blobs.arriving(&digest).unwrap().is_none());
            std::thread::sleep(Duration::from_millis(50));
            assert!(!other.is_finished());
            arriving.reader(&b"once"[..]).unwrap().keep().unwrap();
            drop(arriving);
            assert!(other.join().unwrap());
        });
    }

    #[test]
    fn parts_are_swept_when_asked_for_and_never_under_somebodys_hands() {
        let (directory, blobs) = blobs();
        let leave = |content: &[u8]| {
            let mut arriving = blobs.arriving(&Digest::of(content)).unwrap().unwrap();
            let _ = arriving.reader((&b"x"[..]).chain(Broken)).unwrap().keep();
        };
        leave(b"one");
        let mut held = blobs.arriving(&Digest::of(b"two")).unwrap().unwrap();
        let _ = held.reader((&b"x"[..]).chain(Broken)).unwrap().keep();
        assert_eq!((blobs.sweep_parts(false).unwrap(), parts(&directory)), (0, 2));
        assert_eq!((blobs.sweep_parts(true).unwrap(), parts(&directory)), (1, 1));
    }
}
