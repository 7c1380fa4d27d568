//! Walks the blocks of a tar archive: headers, their data, the padding, the end.
//!
//! An archive is a row of 512-byte blocks: a header, its data filled up to whole blocks, the next header, and
//! zeros at the end. The fields of a header are laid out by crate `tar`; the walk is ours, because what comes
//! from strangers must meet limits (an extended header of at most 1 MiB), and archives that are cut short or
//! go on after their end must be told from good ones. What a header says is for [`crate::entries`].
//!
//! tar(5); book ch. 5.

use std::io::{self, BufRead};

use tar::Header;

use crate::fields;
use crate::pax::PaxError;
use crate::sparse::SparseError;

pub(crate) const BLOCK: usize = 512;
/// The largest header for names, attributes and maps: Go's limit, and so Docker's.
pub(crate) const LARGEST_HEADER: u64 = 1 << 20;

/// An archive that is being read.
pub(crate) struct Archive<R> {
    source: R,
    /// How much of the last header's data is unread, and how many bytes fill up its last block.
    data: u64,
    padding: u64,
    at: String,
}

/// An archive that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The source of the archive failed.
    #[error("read the tar archive {at}")]
    Read {
        /// Where in the archive.
        at: String,
        /// What the source said.
        #[source]
        source: io::Error,
    },
    /// The archive ends too early.
    #[error("the tar archive is cut short {at}")]
    Truncated {
        /// Where in the archive.
        at: String,
    },
    /// A header is damaged, or is none.
    #[error("the tar header {at} has a wrong checksum")]
    Checksum {
        /// Where in the archive.
        at: String,
    },
    /// Something follows the end.
    #[error("data follow the end of the tar archive {at}")]
    Garbage {
        /// Where in the archive.
        at: String,
    },
    /// A field is no number, or one that cannot be.
    #[error("tar entry `{entry}`: its {field} is no sensible number")]
    Number {
        /// The entry's name.
        entry: String,
        /// Which field.
        field: &'static str,
    },
    /// An entry of a type that makes no file.
    #[error("tar entry `{entry}`: its type {kind:?} is unknown")]
    Type {
        /// The entry's name.
        entry: String,
        /// The type flag.
        kind: char,
    },
    /// A special header is larger than any honest one.
    #[error("the extended tar header {at} takes {size} bytes, more than the limit of 1 MiB")]
    Header {
        /// Where in the archive.
        at: String,
        /// Its size in bytes.
        size: u64,
    },
    /// An extended header says nonsense.
    #[error("tar entry `{entry}`")]
    Pax {
        /// The entry's name.
        entry: String,
        /// What is wrong.
        #[source]
        source: PaxError,
    },
    /// The map of a sparse file says nonsense.
    #[error("tar entry `{entry}`")]
    Sparse {
        /// The entry's name.
        entry: String,
        /// What is wrong.
        #[source]
        source: SparseError,
    },
}

impl<R: BufRead> Archive<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, data: 0, padding: 0, at: "at its start".to_owned() }
    }

    /// Names the entry that errors are about from here on.
    pub(crate) fn reach(&mut self, entry: &str) {
        self.at = format!("in or after `{entry}`");
    }

    /// Where we are, for an error.
    pub(crate) fn at(&self) -> String {
        self.at.clone()
    }

    /// How much of the data is unread, in bytes.
    pub(crate) fn left(&self) -> u64 {
        self.data
    }

    /// The next block, which counts as data; none when the data end before it does.
    pub(crate) fn data_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        if self.data < BLOCK as u64 {
            return Ok(None);
        }
        let block = self.block()?.ok_or_else(|| self.truncated())?;
        self.data -= BLOCK as u64;
        Ok(Some(block))
    }

    /// A piece of the data that is not read yet, empty at the end of it; to be followed by
    /// [`Archive::consume`].
    pub(crate) fn data(&mut self) -> Result<&[u8], TarError> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let most = usize::try_from(self.data).unwrap_or(usize::MAX);
        // The borrow checker wants the errors made before the buffer is lent out for good.
        match self.source.fill_buf() {
            Err(source) => return Err(TarError::Read { at: self.at.clone(), source }),
            Ok([]) => return Err(TarError::Truncated { at: self.at.clone() }),
            Ok(_) => {}
        }
        let buffer =
            self.source.fill_buf().map_err(|source| TarError::Read { at: self.at.clone(), source })?;
        Ok(&buffer[..buffer.len().min(most)])
    }

    /// Marks `count` bytes of what [`Archive::data`] gave as read.
    pub(crate) fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.data -= count as u64;
    }

    /// The next header, none at the end of the archive.
    pub(crate) fn header(&mut self) -> Result<Option<Header>, TarError> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block == [0; BLOCK] {
            self.zeros_only()?;
            return Ok(None);
        }
        let mut header = Header::new_old();
        *header.as_mut_bytes() = block;
        let claimed = fields::number(&header.as_old().cksum);
        // Old archives were made with signed bytes.
        let sum = |value: fn(u8) -> i64| {
            let blank =
                |(index, &byte): (usize, &u8)| value(if (148..156).contains(&index) { b' ' } else { byte });
            Some(block.iter().enumerate().map(blank).sum::<i64>())
        };
        if claimed != sum(i64::from) && claimed != sum(|byte| i64::from(byte.cast_signed())) {
            return Err(TarError::Checksum { at: self.at.clone() });
        }
        Ok(Some(header))
    }

    /// Reads the rest of the source, which must be zeros: archives are filled up to multiples of 10 KiB, and
    /// a layer's digest covers all of it.
    fn zeros_only(&mut self) -> Result<(), TarError> {
        loop {
            let at = || self.at.clone();
            let buffer = self.source.fill_buf().map_err(|source| TarError::Read { at: at(), source })?;
            if buffer.is_empty() {
                return Ok(());
            }
            if buffer.iter().any(|&byte| byte != 0) {
                return Err(TarError::Garbage { at: at() });
            }
            let length = buffer.len();
            self.source.consume(length);
        }
    }

    /// The next block, whatever it is; none at the end of the source.
    pub(crate) fn block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.source.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(self.truncated()),
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(TarError::Read { at: self.at.clone(), source }),
            }
        }
        Ok(Some(block))
    }

    /// The data of a special header.
    pub(crate) fn special(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        let size = fields::number(&header.as_old().size)
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(u64::MAX);
        if size > LARGEST_HEADER {
            return Err(TarError::Header { at: self.at.clone(), size });
        }
        self.expect(size);
        let mut content = Vec::with_capacity(size as usize);
        while self.data > 0 {
            let piece = self.data()?;
            let length = piece.len();
            content.extend_from_slice(piece);
            self.consume(length);
        }
        Ok(content)
    }

    /// Says how much data belong to the header that was read last.
    pub(crate) fn expect(&mut self, size: u64) {
        self.data = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    /// Passes over what is left of the data.
    pub(crate) fn skip(&mut self) -> Result<(), TarError> {
        self.data += std::mem::take(&mut self.padding);
        while self.data > 0 {
            let length = self.data()?.len();
            self.consume(length);
        }
        Ok(())
    }

    /// The error for an archive that ends here.
    pub(crate) fn truncated(&self) -> TarError {
        TarError::Truncated { at: self.at.clone() }
    }
}
