//! Archives made for these tests, honest and hostile: the fields of a header are set as asked.

use std::sync::OnceLock;

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

/// A root filesystem with a shell and a few programs, small so that tests are quick.
pub(crate) fn root() -> Vec<u8> {
    root_and(Tar::new())
}

/// The same, with `more` after it.
pub(crate) fn root_and(more: Tar) -> Vec<u8> {
    static ROOT: OnceLock<Vec<u8>> = OnceLock::new();
    let mut bytes = ROOT.get_or_init(assembled).clone();
    bytes.extend(more.end());
    bytes
}

/// The same, with users of its own.
pub(crate) fn root_with_users() -> Vec<u8> {
    let passwd = b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\n";
    let group = b"root:x:0:\nweb:x:33:\naudio:x:29:web,root\n";
    root_and(Tar::new().file("etc/passwd", passwd).file("etc/group", group))
}

/// Without the zeros at its end.
fn assembled() -> Vec<u8> {
    let programs = ["sh", "cat", "echo", "env", "id", "pwd", "readlink", "sleep", "stat", "touch", "true"];
    let plan = mini_chroot::assemble::plan(&programs, &[], &mut mini_chroot::host::Host::new("/")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    mini_chroot::tree::perform(&plan.tree, directory.path()).unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all(".", directory.path()).unwrap();
    let mut bytes = tar.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1024);
    bytes
}

/// Bytes that cannot be packed, so that a layer of them stays long. Marsaglia's xorshift.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}
