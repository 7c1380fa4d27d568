//! Writes what comes before an entry's content: the old header, and records for what it has no room for.
//!
//! Most entries of a layer need the old header only. A record is written for a name or link longer than a
//! hundred bytes, a number with more than its digits, a time before 1970, and each extended attribute.
//! ustar(5), pax(1); book ch. 5.

use tar::{EntryType, Header};

/// What is written about an entry.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    pub(crate) name: Vec<u8>,
    pub(crate) entry_type: EntryType,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Seconds since 1970.
    pub(crate) mtime: i64,
    pub(crate) size: u64,
    pub(crate) device: Option<(u32, u32)>,
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

/// The largest numbers that seven and eleven octal digits can write.
const SEVEN_DIGITS: u64 = 0o777_7777;
const ELEVEN_DIGITS: u64 = 0o777_7777_7777;

impl Heading {
    /// An empty file whose name says it all: a whiteout.
    pub(crate) fn marker(name: Vec<u8>) -> Self {
        Self {
            name,
            entry_type: EntryType::Regular,
            link: Vec::new(),
            mode: 0o600,
            uid: 0,
            gid: 0,
            mtime: 0,
            size: 0,
            device: None,
            xattrs: Vec::new(),
        }
    }

    /// An empty directory of root's.
    pub(crate) fn directory(path: &[u8]) -> Self {
        let name = [path, b"/"].concat();
        Self { entry_type: EntryType::Directory, mode: 0o755, ..Self::marker(name) }
    }

    /// The records that must stand before the header.
    pub(crate) fn records(&self) -> Vec<(String, Vec<u8>)> {
        let mut records = Vec::new();
        let mut record = |key: &str, value: Vec<u8>| records.push((key.to_owned(), value));
        if self.name.len() > 100 {
            record("path", self.name.clone());
        }
        if self.link.len() > 100 {
            record("linkpath", self.link.clone());
        }
        let ids = [("uid", u64::from(self.uid)), ("gid", u64::from(self.gid))];
        for (key, number) in ids.into_iter().filter(|&(_, number)| number > SEVEN_DIGITS) {
            record(key, number.to_string().into_bytes());
        }
        if self.size > ELEVEN_DIGITS {
            record("size", self.size.to_string().into_bytes());
        }
        if u64::try_from(self.mtime).is_ok_and(|mtime| mtime <= ELEVEN_DIGITS) {
            // It fits the header.
        } else {
            record("mtime", self.mtime.to_string().into_bytes());
        }
        for (name, value) in &self.xattrs {
            record(&format!("SCHILY.xattr.{name}"), value.clone());
        }
        records
    }

    /// The old header. What does not fit is cut or left at zero: the records say it.
    pub(crate) fn header(&self) -> Header {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        fill(&mut old.name, &self.name);
        fill(&mut old.linkname, &self.link);
        header.set_entry_type(self.entry_type);
        header.set_mode(self.mode);
        let fitting = |number: u64, most: u64| if number > most { 0 } else { number };
        header.set_uid(fitting(u64::from(self.uid), SEVEN_DIGITS));
        header.set_gid(fitting(u64::from(self.gid), SEVEN_DIGITS));
        header.set_mtime(fitting(u64::try_from(self.mtime).unwrap_or(0), ELEVEN_DIGITS));
        header.set_size(fitting(self.size, ELEVEN_DIGITS));
        if let (Some((major, minor)), Some(ustar)) = (self.device, header.as_ustar_mut()) {
            ustar.set_device_major(major);
            ustar.set_device_minor(minor);
        }
        header.set_cksum();
        header
    }
}

fn fill(field: &mut [u8; 100], text: &[u8]) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_entry_needs_no_records() {
        let mut heading = Heading::marker(vec![b'a'; 100]);
        heading.mtime = 1_700_000_000;
        assert!(heading.records().is_empty());
        assert_eq!(heading.header().path_bytes().as_ref(), &[b'a'; 100]);
    }

    #[test]
    fn what_the_header_has_no_room_for_becomes_a_record() {
        let mut heading = Heading::marker(vec![b'a'; 101]);
        (heading.uid, heading.mtime, heading.size) = (u32::MAX - 1, -1, 1 << 33);
        heading.xattrs = vec![("user.x".to_owned(), b"\n".to_vec())];
        let keys: Vec<_> = heading.records().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["path", "uid", "size", "mtime", "SCHILY.xattr.user.x"]);
        assert_eq!((heading.header().uid().unwrap(), heading.header().size().unwrap()), (0, 0));
    }
}
