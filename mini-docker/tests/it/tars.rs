//! Archives made for these tests, honest and hostile: the fields of a header are set as asked.

use std::path::Path;

use tar::Header;

/// An archive that is being written.
#[derive(Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(b'0', name, "", content, 0o644)
    }

    pub(crate) fn executable(self, name: &str, content: &[u8]) -> Self {
        self.entry(b'0', name, "", content, 0o755)
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.entry(b'5', name, "", b"", 0o755)
    }

    pub(crate) fn symlink(self, name: &str, text: &str) -> Self {
        self.entry(b'2', name, text, b"", 0o777)
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.entry(b'1', name, target, b"", 0o644)
    }

    fn entry(self, flag: u8, name: &str, link: &str, content: &[u8], mode: u32) -> Self {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        old.linkflag[0] = flag;
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_600_000_000);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.raw(header.as_bytes()).raw(content)
    }

    /// Any bytes, filled up to whole blocks.
    pub(crate) fn raw(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// With the zeros that end an archive.
    pub(crate) fn end(self) -> Vec<u8> {
        let mut bytes = self.0;
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }
}

/// The tree of the image `host` as an archive: a root filesystem that programs run in.
pub(crate) fn host(root: &Path) -> Vec<u8> {
    let layer = crate::harness::names(&root.join("layers")).pop().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all(".", root.join("layers").join(layer).join("diff")).unwrap();
    tar.into_inner().unwrap()
}
