//! A host in a directory, with programs and libraries that consist of headers alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use mini_chroot::host::Host;
use mini_chroot::machine::Machine;

pub(crate) const FOREIGN: Machine = Machine { number: 43, bits: 64, little_endian: false };

/// What an ELF file shall say.
#[derive(Clone, Copy, Default)]
pub(crate) struct Elf<'a> {
    pub(crate) interpreter: Option<&'a str>,
    pub(crate) needed: &'a [&'a str],
    pub(crate) soname: Option<&'a str>,
    pub(crate) rpath: Option<&'a str>,
    pub(crate) runpath: Option<&'a str>,
    pub(crate) foreign: bool,
}

impl Elf<'_> {
    /// A 64-bit ELF file: header, three program headers, interpreter, dynamic section, texts.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let machine = if self.foreign { FOREIGN } else { Machine::native().unwrap() };
        let number = |value: u64, length: usize| {
            if machine.little_endian {
                value.to_le_bytes()[..length].to_vec()
            } else {
                value.to_be_bytes()[8 - length..].to_vec()
            }
        };
        const HEADERS: u64 = 64 + 3 * 56;
        let mut texts = vec![0];
        let mut dynamic: Vec<(u64, u64)> = Vec::new();
        let named = self.needed.iter().map(|name| (1, *name));
        let named = named.chain(self.soname.map(|name| (14, name)));
        let named = named.chain(self.rpath.map(|path| (15, path))).chain(self.runpath.map(|path| (29, path)));
        for (tag, text) in named {
            dynamic.push((tag, texts.len() as u64));
            texts.extend(text.as_bytes());
            texts.push(0);
        }
        let texts_at = HEADERS + 16 * (dynamic.len() as u64 + 2);
        dynamic.extend([(5, texts_at), (0, 0)]);
        let interpreter_at = texts_at + texts.len() as u64;
        let interpreter = self.interpreter.map(|path| [path.as_bytes(), b"\0"].concat()).unwrap_or_default();
        let end = interpreter_at + interpreter.len() as u64;

        let order = if machine.little_endian { 1 } else { 2 };
        let mut file = [&b"\x7fELF\x02"[..], &[order, 1], &[0; 9]].concat();
        let word = |file: &mut Vec<u8>, value: u64, length: usize| file.extend(number(value, length));
        for (value, length) in [(3, 2), (machine.number.into(), 2), (1, 4), (0, 8), (64, 8), (0, 8), (0, 4)] {
            word(&mut file, value, length);
        }
        for value in [64, 56, 3, 64, 0, 0] {
            word(&mut file, value, 2);
        }
        let interp = if interpreter.is_empty() { 0 } else { 3 };
        let dynamic_size = 16 * dynamic.len() as u64;
        for (kind, at, size) in
            [(1, 0, end), (interp, interpreter_at, interpreter.len() as u64), (2, HEADERS, dynamic_size)]
        {
            word(&mut file, kind, 4);
            word(&mut file, 5, 4);
            for value in [at, at, at, size, size, 8] {
                word(&mut file, value, 8);
            }
        }
        for (tag, value) in dynamic {
            word(&mut file, tag, 8);
            word(&mut file, value, 8);
        }
        file.extend(texts);
        file.extend(interpreter);
        file
    }
}

/// A root directory that [`Host`] can be told to look at.
pub(crate) struct FakeHost(tempfile::TempDir);

impl FakeHost {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn host(&self) -> Host {
        Host::new(self.0.path())
    }

    pub(crate) fn write(&self, path: &str, content: &[u8], mode: u32) -> &Self {
        let path = self.outside(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn elf(&self, path: &str, elf: Elf<'_>) -> &Self {
        self.write(path, &elf.bytes(), 0o755)
    }

    pub(crate) fn link(&self, path: &str, to: &str) -> &Self {
        let path = self.outside(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(to, path).unwrap();
        self
    }

    fn outside(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(Path::new(path).strip_prefix("/").unwrap())
    }
}
