//! How much may come out of a compressed layer.
//!
//! A thousand bytes of gzip can say "a million zeros", and a few megabytes fill a disk: a bomb. A size alone is no
//! bound, as honest layers are large, nor is a ratio, as honest files have long runs of zeros. What is both longer
//! than the one and more than the other times what went in is refused. Book ch. 6.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::compression::{CompressionError, decompress};

/// What is refused: a layer that is longer than `size`, and longer than `ratio` times its compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In bytes, uncompressed.
    pub size: u64,
    /// Uncompressed bytes for each compressed one.
    pub ratio: u64,
}

impl Default for Bounds {
    /// One GiB, and a hundred times.
    fn default() -> Self {
        Self { size: 1 << 30, ratio: 100 }
    }
}

/// A layer that unpacks to more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it unpacks to more than {} bytes and more than {} times its compressed size, as a bomb does",
    .0.size, .0.ratio
)]
pub struct Bomb(Bounds);

/// Reads `source` decompressed, and fails with a [`Bomb`] where more than `bounds` comes out.
///
/// # Errors
/// As [`decompress`].
pub fn decompress_within<'a>(
    source: impl Read + Send + 'a,
    bounds: Bounds,
) -> Result<impl Read + Send + 'a, CompressionError> {
    let went_in = Arc::new(AtomicU64::new(0));
    let source = Counted { source, count: Arc::clone(&went_in) };
    Ok(Bounded { source: decompress(source)?, went_in, came_out: 0, bounds })
}

struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

struct Bounded<R> {
    source: R,
    went_in: Arc<AtomicU64>,
    came_out: u64,
    bounds: Bounds,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // ANCHOR: bomb
        let count = self.source.read(buffer)?;
        self.came_out += count as u64;
        let most = self.went_in.load(Ordering::Relaxed).saturating_mul(self.bounds.ratio);
        if self.came_out > self.bounds.size && self.came_out > most {
            return Err(io::Error::other(Bomb(self.bounds)));
        }
        Ok(count)
        // ANCHOR_END: bomb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8], bounds: Bounds) -> io::Result<usize> {
        let packed = zstd::encode_all(content, 1).unwrap();
        decompress_within(&packed[..], bounds).unwrap().read_to_end(&mut Vec::new())
    }

    #[test]
    fn a_bomb_is_both_long_and_dense() {
        let zeros = vec![0; 1 << 20];
        let (long, dense) = (Bounds { size: 1 << 10, ratio: 1 << 20 }, Bounds { size: 1 << 30, ratio: 2 });
        assert_eq!(read(&zeros, long).unwrap(), zeros.len());
        assert_eq!(read(&zeros, dense).unwrap(), zeros.len());
        let error = read(&zeros, Bounds { size: 1 << 10, ratio: 2 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it unpacks to more than 1024 bytes and more than 2 times its compressed size, as a bomb does"
        );
    }

    #[test]
    fn what_is_not_compressed_is_no_bomb() {
        let bounds = Bounds { size: 0, ratio: 1 };
        let mut reader = decompress_within(&b"plain text"[..], bounds).unwrap();
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 10);
    }
}
