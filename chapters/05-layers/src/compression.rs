//! Undoes a layer's compression, whichever it is.
//!
//! A layer travels compressed and is named, once unpacked, by the digest of its plain tar. The media type
//! says which compression to expect, and is at times wrong or missing (`docker load`, `docker import`), so
//! the first bytes decide here: gzip and zstd begin with fixed numbers. Members and frames may follow one
//! another, which is how layers that can be read in parts are made (eStargz, zstd:chunked).
//!
//! OCI image-spec, layer.md; RFC 1952 (gzip), RFC 8878 (zstd); book ch. 5.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// How some data is compressed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not, as far as its first bytes tell.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Recognised so that the error can say so; not supported.
    Bzip2,
    /// Recognised so that the error can say so; not supported.
    Xz,
}

/// Compressed data that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CompressionError {
    /// The reader failed within the first bytes.
    #[error("read the first bytes to recognise the compression")]
    Read(#[source] io::Error),
    /// Neither gzip nor zstd nor plain.
    #[error("{0:?} compression is not supported, only gzip and zstd are")]
    Unsupported(Compression),
    /// The decoder could not be set up.
    #[error("start to decompress")]
    Start(#[source] io::Error),
}

/// As many bytes as the longest of the numbers below takes.
const LONGEST: usize = 10;

impl Compression {
    /// Recognises a compression by the first ten bytes (fewer when there are no more).
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one of the sixteen kinds of frame that a decoder skips.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::Plain,
        }
    }
}

/// Reads `source` decompressed.
///
/// # Errors
/// When the first bytes cannot be read, or tell of bzip2 or xz. Damaged data fails later, when it is read.
pub fn decompress<'a>(
    mut source: impl Read + Send + 'a,
) -> Result<Box<dyn Read + Send + 'a>, CompressionError> {
    let mut start = Vec::with_capacity(LONGEST);
    source.by_ref().take(LONGEST as u64).read_to_end(&mut start).map_err(CompressionError::Read)?;
    let compression = Compression::of(&start);
    let whole = Cursor::new(start).chain(source);
    match compression {
        Compression::Plain => Ok(Box::new(whole)),
        Compression::Gzip => Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, whole)))),
        Compression::Zstd => {
            let decoder = zstd::Decoder::new(whole).map_err(CompressionError::Start)?;
            Ok(Box::new(decoder))
        }
        other => Err(CompressionError::Unsupported(other)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn decompressed(data: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        decompress(data).unwrap().read_to_end(&mut content).unwrap();
        content
    }

    #[test]
    fn gzip_and_zstd_are_recognised_and_everything_else_passes_as_it_is() {
        let zstd = zstd::encode_all(&b"hello"[..], 1).unwrap();
        for data in [&gzip(b"hello"), &zstd, &b"hello"[..]] {
            assert_eq!(decompressed(data), b"hello");
        }
        assert_eq!(decompressed(b""), b"");
        assert_eq!(decompressed(b"\x1f"), b"\x1f");
    }

    #[test]
    fn members_and_frames_that_follow_one_another_are_one_content() {
        assert_eq!(decompressed(&[gzip(b"hello "), gzip(b"world")].concat()), b"hello world");
        let frame = |content: &[u8]| zstd::encode_all(content, 1).unwrap();
        let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
        let frames = [&skippable[..], &frame(b"hello "), &skippable, &frame(b"world"), &skippable].concat();
        assert_eq!(decompressed(&frames), b"hello world");
    }

    #[test]
    fn damaged_and_cut_data_is_an_error_and_not_a_short_content() {
        for whole in [gzip(&[7; 5000]), zstd::encode_all(&[7; 5000][..], 1).unwrap()] {
            let cut = &whole[..whole.len() - 1];
            assert!(decompress(cut).unwrap().read_to_end(&mut Vec::new()).is_err());
        }
    }

    #[test]
    fn an_unsupported_compression_is_named() {
        let Err(error) = decompress(&b"\xfd7zXZ\0..."[..]) else { panic!("xz was accepted") };
        assert_eq!(error.to_string(), "Xz compression is not supported, only gzip and zstd are");
    }
}
