//! Archives made for these tests: the fields of a header are set as asked, however wrong.

use tar::Header;

/// An archive that is being written.
#[derive(Clone, Default)]
pub(crate) struct Tar {
    bytes: Vec<u8>,
    pub(crate) mode: Option<u32>,
    pub(crate) owner: (u64, u64),
    pub(crate) mtime: u64,
    pub(crate) device: (u32, u32),
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self { mtime: 1_600_000_000, ..Self::default() }
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(b'0', name.as_bytes(), b"", content)
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.entry(b'5', name.as_bytes(), b"", b"")
    }

    pub(crate) fn symlink(self, name: &str, text: &str) -> Self {
        self.entry(b'2', name.as_bytes(), text.as_bytes(), b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.entry(b'1', name.as_bytes(), target.as_bytes(), b"")
    }

    pub(crate) fn device(mut self, flag: u8, name: &str, major: u32, minor: u32) -> Self {
        self.device = (major, minor);
        self.entry(flag, name.as_bytes(), b"", b"")
    }

    /// An extended header for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while rest + length.to_string().len() != length {
                length += 1;
            }
            data.extend_from_slice(format!("{length} {key}=").as_bytes());
            data.extend_from_slice(value);
            data.push(b'\n');
        }
        self.entry(b'x', b"PaxHeaders/x", b"", &data)
    }

    pub(crate) fn entry(self, flag: u8, name: &[u8], link: &[u8], content: &[u8]) -> Self {
        let header = self.header(flag, name, link, content.len() as u64);
        self.raw(&header, content)
    }

    pub(crate) fn header(&self, flag: u8, name: &[u8], link: &[u8], size: u64) -> Header {
        let mut header = if flag == b'S' { Header::new_gnu() } else { Header::new_ustar() };
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name);
        old.linkname[..link.len()].copy_from_slice(link);
        old.linkflag[0] = flag;
        header.set_mode(self.mode.unwrap_or(if flag == b'5' { 0o755 } else { 0o644 }));
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(self.mtime);
        header.set_size(size);
        let _ = header.set_device_major(self.device.0);
        let _ = header.set_device_minor(self.device.1);
        header.set_cksum();
        header
    }

    /// Any header, and what follows it, filled up to whole blocks.
    pub(crate) fn raw(mut self, header: &Header, content: &[u8]) -> Self {
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// With the zeros that end an archive.
    pub(crate) fn end(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    /// Without them.
    pub(crate) fn unended(self) -> Vec<u8> {
        self.bytes
    }
}

/// Applies an archive to a directory, as root does.
pub(crate) fn apply(tar: &[u8], tree: &std::path::Path) -> Result<mini_layers::apply::Applied, String> {
    let how = mini_layers::apply::How { owners: mini_layers::Owners::Keep, whiteouts: true, lower: None };
    let target = std::fs::File::open(tree).unwrap();
    let applied = mini_layers::apply::apply(tar, std::os::fd::AsFd::as_fd(&target), how);
    applied.map_err(|error| chain(&error))
}

/// An error and its sources, as the command line prints them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
