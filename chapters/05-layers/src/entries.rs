//! Reads a tar archive entry by entry, as data.
//!
//! What an entry says is spread over headers of several generations: the old one with its fixed fields, GNU's
//! long names before it, extended records before that. Here it comes together, the newer word counting more.
//! Nothing is judged yet (see [`crate::names`]) and no file is touched (see [`crate::apply`]); the map of a
//! sparse file stays a map. tar(5), pax(1), GNU tar manual "Storing Sparse Files"; book ch. 5.

use std::ffi::CString;
use std::io::BufRead;

use mini_sys::file::Timespec;
use tar::Header;

use crate::archive::{Archive, BLOCK, LARGEST_HEADER, TarError};
use crate::fields;
use crate::names::shown;
use crate::pax::Pax;
use crate::sparse::{self, Extent, SparseError};

/// What one entry says.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// As the archive has it, not yet judged.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    /// Permission bits, set-user-id and its relatives included.
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) mtime: Timespec,
    pub(crate) xattrs: Vec<(CString, Vec<u8>)>,
    /// The content's size in bytes; 0 for all but regular files.
    pub(crate) size: u64,
    /// Where the archive's data go in a file with holes.
    pub(crate) extents: Option<Vec<Extent>>,
}

/// What an entry makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Character(u32, u32),
    Block(u32, u32),
    Fifo,
}

/// The entries of an archive, in order.
pub(crate) struct Entries<R> {
    archive: Archive<R>,
    globals: Pax,
}

/// What the special headers before an entry said.
#[derive(Default)]
struct Extended {
    pax: Pax,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: BufRead> Entries<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { archive: Archive::new(source), globals: Pax::default() }
    }

    /// The next entry; what is left of the last one's content is passed over. None at the end, when the
    /// source has been read to its own end too.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut extended = Extended::default();
        let mut begun = false;
        loop {
            self.archive.skip()?;
            let Some(header) = self.archive.header()? else {
                return if begun { Err(self.archive.truncated()) } else { Ok(None) };
            };
            begun = true;
            match header.as_old().linkflag[0] {
                b'L' => extended.name = Some(self.text(&header)?),
                b'K' => extended.link = Some(self.text(&header)?),
                b'x' => extended.pax = self.records(&header)?,
                b'g' => {
                    let records = self.records(&header)?;
                    self.globals.extend(records);
                    let size = self.globals.bytes() as u64;
                    if size > LARGEST_HEADER {
                        return Err(TarError::Header { at: self.archive.at(), size });
                    }
                    begun = false;
                }
                // A volume's label makes no file.
                b'V' => begun = false,
                _ => return self.entry(&header, extended).map(Some),
            }
        }
    }

    /// A piece of the entry's content that is not read yet, empty at the end of it; to be followed by
    /// [`Entries::consume`].
    pub(crate) fn data(&mut self) -> Result<&[u8], TarError> {
        self.archive.data()
    }

    /// Marks `count` bytes of what [`Entries::data`] gave as read.
    pub(crate) fn consume(&mut self, count: usize) {
        self.archive.consume(count);
    }

    fn entry(&mut self, header: &Header, extended: Extended) -> Result<Entry, TarError> {
        let pax = if self.globals.bytes() > 0 {
            let mut pax = self.globals.clone();
            pax.extend(extended.pax);
            pax
        } else {
            extended.pax
        };
        let newest = |keys: &[&str], long: Option<Vec<u8>>| {
            keys.iter().find_map(|key| pax.get(key)).map(<[u8]>::to_vec).or(long)
        };
        let name = newest(&["GNU.sparse.name", "path"], extended.name);
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = newest(&["linkpath"], extended.link);
        let link = link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        let says = Saying { entry: shown(&name), header, pax: &pax };
        self.archive.reach(&says.entry);

        let old = header.as_old();
        let kind = says.kind(name.ends_with(b"/"), link)?;
        let stored = says.stored()?;
        let mut entry = Entry {
            mode: says.number(&old.mode, "mode")? as u32 & 0o7777,
            uid: says.natural(&old.uid, "uid", "user id")?,
            gid: says.natural(&old.gid, "gid", "group id")?,
            mtime: says.mtime()?,
            xattrs: pax.attributes().map_err(|source| TarError::Pax { entry: says.entry.clone(), source })?,
            size: if kind == Kind::File { stored } else { 0 },
            extents: None,
            name,
            kind,
        };
        self.archive.expect(stored);
        if let Some((extents, size)) = self.holes(&says)? {
            (entry.extents, entry.size) = (Some(extents), size);
        }
        Ok(entry)
    }

    /// Finds the map of a sparse file, wherever its format keeps it, and its size with the holes.
    fn holes(&mut self, says: &Saying<'_>) -> Result<Option<(Vec<Extent>, u64)>, TarError> {
        let bad = |source| TarError::Sparse { entry: says.entry.clone(), source };
        let malformed = || bad(SparseError);
        let real = |keys: [&str; 2]| {
            keys.into_iter().find_map(|key| says.pax.number(key).ok().flatten()).ok_or_else(malformed)
        };
        let (extents, size) = if says.flag() == b'S' {
            let gnu = says.header.as_gnu().ok_or_else(malformed)?;
            let mut map = sparse::old_map(gnu).ok_or_else(malformed)?;
            let mut more = gnu.is_extended();
            // The blocks of the map stand between the header and the data, and count for neither.
            while more {
                let block = self.archive.block()?.ok_or_else(|| self.archive.truncated())?;
                more = sparse::more_of_old_map(&block, &mut map).ok_or_else(malformed)?;
                if (map.len() * size_of::<Extent>()) as u64 > LARGEST_HEADER {
                    return Err(malformed());
                }
            }
            let size = fields::number(&gnu.realsize).and_then(|size| u64::try_from(size).ok());
            (map, size.ok_or_else(malformed)?)
        } else if says.pax.get("GNU.sparse.major") == Some(b"1") {
            let size = real(["GNU.sparse.realsize", "GNU.sparse.size"])?;
            (self.leading_map(&bad)?, size)
        } else if let Some(map) = says.pax.sparse_map() {
            let map = map.ok_or_else(malformed)?;
            let map = map.into_iter().map(|(offset, length)| Extent { offset, length }).collect();
            (map, real(["GNU.sparse.size", "GNU.sparse.realsize"])?)
        } else {
            return Ok(None);
        };
        sparse::check(&extents, self.archive.left(), size).map_err(bad)?;
        Ok(Some((extents, size)))
    }

    /// Format 1.0 keeps the map in front of the data: a count, then offsets and lengths, a number a line,
    /// filled up to whole blocks.
    fn leading_map(&mut self, bad: &impl Fn(SparseError) -> TarError) -> Result<Vec<Extent>, TarError> {
        let mut text = Vec::new();
        while text.len() as u64 <= LARGEST_HEADER {
            let Some(block) = self.archive.data_block()? else { break };
            text.extend_from_slice(&block);
            if let Some(map) = sparse::text_map(&text).map_err(bad)? {
                return Ok(map);
            }
        }
        Err(bad(SparseError))
    }

    fn text(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        let mut text = self.archive.special(header)?;
        while text.last() == Some(&0) {
            text.pop();
        }
        Ok(text)
    }

    fn records(&mut self, header: &Header) -> Result<Pax, TarError> {
        let content = self.archive.special(header)?;
        Pax::parse(&content).map_err(|source| TarError::Pax { entry: shown(&header.path_bytes()), source })
    }
}

/// What an entry's headers say, and its name for the error when it makes no sense.
struct Saying<'a> {
    entry: String,
    header: &'a Header,
    pax: &'a Pax,
}

impl Saying<'_> {
    fn flag(&self) -> u8 {
        self.header.as_old().linkflag[0]
    }

    fn kind(&self, slash: bool, link: Vec<u8>) -> Result<Kind, TarError> {
        let device = || fields::device(self.header).ok_or_else(|| self.no_number("device number"));
        Ok(match self.flag() {
            // Before there was a type for directories, they were files whose name ends in a slash.
            0 if slash => Kind::Directory,
            0 | b'0' | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink(link),
            b'2' => Kind::Symlink(link),
            b'3' => device().map(|(major, minor)| Kind::Character(major, minor))?,
            b'4' => device().map(|(major, minor)| Kind::Block(major, minor))?,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => return Err(TarError::Type { entry: self.entry.clone(), kind: char::from(other) }),
        })
    }

    /// How many bytes of data follow. After anything but a file none do, whatever its size field says: so
    /// Docker reads it.
    fn stored(&self) -> Result<u64, TarError> {
        let size = match self.flag() {
            0 | b'0' | b'7' | b'S' => self.natural(&self.header.as_old().size, "size", "size")?,
            _ => 0,
        };
        if size > i64::MAX as u64 - BLOCK as u64 { Err(self.no_number("size")) } else { Ok(size) }
    }

    fn mtime(&self) -> Result<Timespec, TarError> {
        let precise = self.pax.time("mtime");
        let precise = precise.map_err(|source| TarError::Pax { entry: self.entry.clone(), source })?;
        match precise {
            Some(time) => Ok(time),
            None => Ok(Timespec { tv_sec: self.number(&self.header.as_old().mtime, "time")?, tv_nsec: 0 }),
        }
    }

    fn number(&self, field: &[u8], what: &'static str) -> Result<i64, TarError> {
        fields::number(field).ok_or_else(|| self.no_number(what))
    }

    /// A number that is not negative, from the records or else from the old header.
    fn natural(&self, field: &[u8], key: &str, what: &'static str) -> Result<u64, TarError> {
        match self.pax.number(key) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => u64::try_from(self.number(field, what)?).map_err(|_| self.no_number(what)),
            Err(source) => Err(TarError::Pax { entry: self.entry.clone(), source }),
        }
    }

    fn no_number(&self, field: &'static str) -> TarError {
        TarError::Number { entry: self.entry.clone(), field }
    }
}
