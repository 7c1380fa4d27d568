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
    host_and(root, Tar::new())
}

/// The same, with `more` after it.
pub(crate) fn host_and(root: &Path, more: Tar) -> Vec<u8> {
    let layer = crate::harness::names(&root.join("layers")).pop().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all(".", root.join("layers").join(layer).join("diff")).unwrap();
    let mut bytes = tar.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(more.end());
    bytes
}

/// The same, with users of its own.
pub(crate) fn with_users(root: &Path) -> Vec<u8> {
    let passwd = b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\n";
    let group = b"root:x:0:\nweb:x:33:\naudio:x:29:web,root\n";
    host_and(root, Tar::new().file("etc/passwd", passwd).file("etc/group", group))
}
