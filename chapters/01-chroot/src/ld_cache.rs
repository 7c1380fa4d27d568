//! Reads and writes `/etc/ld.so.cache`, glibc's list of every library in the directories of `ld.so.conf`.
//!
//! The loader does not search a hundred directories: ldconfig(8) did, once, and wrote a sorted table of
//! names and paths. We read the host's table to find libraries as its loader does, and write a small one into
//! the new root, so that the loader finds there what lies outside its default directories. Both speak the
//! format of glibc 2.2 and later, `glibc-ld.so.cache1.1`, also where it stands behind a table in the older
//! format. Of variants for newer processors (`glibc-hwcaps`) we read none: the plain one is always there.
//!
//! ldconfig(8), ld.so(8); glibc's `dl-cache.h`; book ch. 1.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::machine::Machine;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
/// Magic, two counts, a byte of flags and padding, an offset, and three reserved numbers.
const HEADER: usize = 48;
/// Flags, the places of name and path, a former OS version, and a bit set of hardware capabilities.
const ENTRY: usize = 24;
/// The header's flags that say in which byte order the table is.
const LITTLE_ENDIAN: u8 = 2;
const BIG_ENDIAN: u8 = 3;

/// The libraries that a cache lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cache {
    by_name: HashMap<OsString, Vec<(u32, PathBuf)>>,
}

/// Why a cache cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// It is in another format.
    #[error("no table in the format `glibc-ld.so.cache1.1`")]
    Format,
    /// It ends inside its table, or an entry points outside of the file.
    #[error("the table of {entries} libraries does not fit into the file's {length} bytes")]
    Truncated {
        /// How many entries its header promises.
        entries: u32,
        /// How long the file is.
        length: usize,
    },
}

impl Cache {
    /// Reads the content of a cache file.
    ///
    /// # Errors
    /// When it is in another format or contradicts itself.
    pub fn parse(file: &[u8]) -> Result<Self, CacheError> {
        // Behind the magic of the new format: its places count from there.
        let table = &file[start_of_table(file).ok_or(CacheError::Format)?..];
        let big_endian = match table.get(28).map(|flags| flags & 3) {
            Some(LITTLE_ENDIAN) => false,
            Some(BIG_ENDIAN) => true,
            _ => cfg!(target_endian = "big"),
        };
        let number = |at: usize| {
            let bytes: [u8; 4] = table.get(at..at.checked_add(4)?)?.try_into().ok()?;
            Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
        };
        let text = |at: u32| {
            let rest = table.get(at as usize..)?;
            let end = rest.iter().position(|&byte| byte == 0)?;
            Some(OsString::from_vec(rest[..end].to_vec()))
        };
        let entries = number(20).ok_or(CacheError::Format)?;
        let mut cache = Self::default();
        for index in 0..entries as usize {
            let at = HEADER + index * ENTRY;
            let fields = || {
                let plain = number(at + 16)? == 0 && number(at + 20)? == 0;
                Some((number(at)?, text(number(at + 4)?)?, text(number(at + 8)?)?, plain))
            };
            let (flags, name, path, plain) =
                fields().ok_or(CacheError::Truncated { entries, length: file.len() })?;
            if plain {
                cache.insert(name, flags, path.into());
            }
        }
        Ok(cache)
    }

    /// Adds a library: the name that programs ask for, its machine's flags, and where it is.
    pub fn insert(&mut self, name: OsString, flags: u32, path: PathBuf) {
        let paths = self.by_name.entry(name).or_default();
        if !paths.contains(&(flags, path.clone())) {
            paths.push((flags, path));
        }
    }

    /// Whether no library is listed.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Where libraries called `name` are that fit `machine`, best first. For a machine that is not in our
    /// table, all of that name: the library's own header will tell.
    pub fn lookup(&self, name: &OsStr, machine: Machine) -> impl Iterator<Item = &Path> {
        let wanted = machine.cache_flags();
        let paths = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let fitting = paths.iter().filter(move |(flags, _)| wanted.is_none_or(|wanted| *flags == wanted));
        fitting.map(|(_, path)| path.as_path())
    }

    /// The content of a cache file with these libraries, in this machine's byte order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut entries: Vec<(&OsString, u32, &PathBuf)> = self
            .by_name
            .iter()
            .flat_map(|(name, paths)| paths.iter().map(move |(flags, path)| (name, *flags, path)))
            .collect();
        // The loader halves its way through the table, which has the greatest name first.
        entries.sort_by(|a, b| loader_order(b.0, a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(b.2)));
        let first_text = HEADER + entries.len() * ENTRY;
        let mut table = Vec::new();
        let mut texts: Vec<u8> = Vec::new();
        for (name, flags, path) in &entries {
            let mut place = |text: &OsStr| {
                let at = (first_text + texts.len()) as u32;
                texts.extend(text.as_bytes());
                texts.push(0);
                at
            };
            let (name, path) = (place(name), place(path.as_os_str()));
            for number in [*flags, name, path, 0, 0, 0] {
                table.extend(number.to_ne_bytes());
            }
        }
        let order = if cfg!(target_endian = "big") { BIG_ENDIAN } else { LITTLE_ENDIAN };
        let mut file = MAGIC.to_vec();
        file.extend((entries.len() as u32).to_ne_bytes());
        file.extend((texts.len() as u32).to_ne_bytes());
        file.extend([order, 0, 0, 0]);
        file.resize(HEADER, 0);
        file.extend(table);
        file.extend(texts);
        file
    }
}

/// A file may hold a table in the old format first: a count and as many entries of twelve bytes, then the new
/// one at the next multiple of eight.
fn start_of_table(file: &[u8]) -> Option<usize> {
    let mut start = 0;
    if file.starts_with(OLD_MAGIC) {
        let count = u32::from_ne_bytes(file.get(12..16)?.try_into().ok()?);
        start = (16 + count as usize * 12).next_multiple_of(8);
    }
    file.get(start..)?.starts_with(MAGIC).then_some(start)
}

/// How the loader compares two names: digits by the number they make, and a digit above any other character,
/// so that `libfoo.so.10` comes after `libfoo.so.9`.
fn loader_order(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let order = match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((x, rest_a), (y, rest_b)) = (leading_number(a), leading_number(b));
                (a, b) = (rest_a, rest_b);
                x.cmp(&y)
            }
            (Some(x), Some(y)) => {
                (a, b) = (&a[1..], &b[1..]);
                x.is_ascii_digit().cmp(&y.is_ascii_digit()).then(x.cmp(y))
            }
            (x, y) => x.cmp(&y),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn leading_number(text: &[u8]) -> (u64, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text[..end].iter();
    let number = digits.fold(0_u64, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (number, &text[end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const X86_64: Machine = Machine { number: 62, bits: 64, little_endian: true };

    fn cache(entries: &[(&str, u32, &str)]) -> Cache {
        let mut cache = Cache::default();
        for (name, flags, path) in entries {
            cache.insert(name.into(), *flags, path.into());
        }
        cache
    }

    fn found<'a>(cache: &'a Cache, name: &str) -> Vec<&'a Path> {
        cache.lookup(OsStr::new(name), X86_64).collect()
    }

    #[test]
    fn only_libraries_of_the_right_machine_are_found() {
        let cache = cache(&[
            ("libc.so.6", 0x0303, "/lib/x86_64-linux-gnu/libc.so.6"),
            ("libc.so.6", 0x0003, "/lib/i386-linux-gnu/libc.so.6"),
        ]);
        assert_eq!(found(&cache, "libc.so.6"), [Path::new("/lib/x86_64-linux-gnu/libc.so.6")]);
        assert!(found(&cache, "libm.so.6").is_empty());
    }

    #[test]
    fn a_table_behind_one_in_the_old_format_is_found() {
        let new = cache(&[("libz.so.1", 0x0303, "/lib/libz.so.1")]);
        let mut file = OLD_MAGIC.to_vec();
        file.extend(1_u32.to_ne_bytes());
        file.extend([0; 12]);
        file.resize(32, 0);
        file.extend(new.to_bytes());
        assert_eq!(Cache::parse(&file), Ok(new));
    }

    #[test]
    fn variants_for_newer_processors_are_left_out() {
        let mut file = cache(&[("libz.so.1", 0x0303, "/lib/libz.so.1")]).to_bytes();
        file[HEADER + 23] = 0x40;
        assert_eq!(Cache::parse(&file), Ok(Cache::default()));
    }

    #[test]
    fn a_table_cut_short_is_an_error() {
        let file = cache(&[("libz.so.1", 0x0303, "/lib/libz.so.1")]).to_bytes();
        for length in 24..file.len() {
            assert!(matches!(Cache::parse(&file[..length]), Err(CacheError::Truncated { .. })), "{length}");
        }
        assert_eq!(Cache::parse(b"ld.so-1.7.0\0"), Err(CacheError::Format));
    }

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let order = |a: &str, b: &str| loader_order(OsStr::new(a), OsStr::new(b));
        assert_eq!(order("libfoo.so.10", "libfoo.so.9"), Ordering::Greater);
        assert_eq!(order("libfoo1.so", "libfoo.so"), Ordering::Greater);
        assert_eq!(order("liba.so", "libb.so"), Ordering::Less);
        assert_eq!(order("liba.so.1", "liba.so"), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Cache::parse(&body);
            let _ = Cache::parse(&[MAGIC, &body].concat());
            let _ = Cache::parse(&[OLD_MAGIC, &body].concat());
        }

        #[test]
        fn what_is_written_is_read_back(
            entries in prop::collection::vec(("lib[a-z0-9.]{1,8}", 0_u32..3, "/[a-z/]{1,12}"), 0..20),
        ) {
            let mut cache = Cache::default();
            for (name, flags, path) in entries {
                cache.insert(name.into(), flags, path.into());
            }
            let mut read = Cache::parse(&cache.to_bytes()).unwrap();
            for paths in read.by_name.values_mut().chain(cache.by_name.values_mut()) {
                paths.sort();
            }
            prop_assert_eq!(read, cache);
        }
    }
}
