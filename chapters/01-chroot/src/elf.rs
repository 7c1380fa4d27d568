//! Reads what a program says about how it wants to be started: an ELF file's headers, or a script's `#!`.
//!
//! A dynamically linked program holds three things besides its code: the path of a loader
//! (`PT_INTERP`), which the kernel starts in the program's place, the names of the libraries it needs
//! (`DT_NEEDED`), and directories to look for them first (`DT_RPATH`, `DT_RUNPATH`). A static program holds
//! none of these. This module reads them and nothing else: sections and symbols stay untouched, and no
//! program is run. The file may be hostile: a wrong length or offset is an error, never a panic, and no part
//! larger than a mebibyte is read.
//!
//! elf(5), execve(2), ld.so(8); book ch. 1.

use std::ffi::OsString;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use goblin::container::Ctx;
use goblin::elf::{Dynamic, Elf, Header, ProgramHeader, dynamic, program_header};

use crate::machine::Machine;

/// The largest part that we read: the dynamic sections of real programs have some 500 bytes.
const LARGEST_PART: u64 = 1 << 20;
/// The longest text that we read, as PATH_MAX.
const LONGEST_TEXT: u64 = 4096;

/// What execve(2) would do with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executable {
    /// Load it.
    Object(Object),
    /// Start the interpreter that its first line names.
    Script(Script),
}

/// An ELF program or library.
#[derive(Debug, Clone, PartialEq, Eq)]
// ANCHOR: object
pub struct Object {
    /// The processor it is for.
    pub machine: Machine,
    /// The loader it asks the kernel for (`PT_INTERP`); none in a static program and in most libraries.
    pub interpreter: Option<PathBuf>,
    /// The name it answers to as a library (`DT_SONAME`).
    pub soname: Option<OsString>,
    /// The libraries it needs, in order (`DT_NEEDED`).
    pub needed: Vec<OsString>,
    /// Directories to search before all others (`DT_RPATH`), with their `$ORIGIN` unresolved.
    pub rpath: Vec<OsString>,
    /// Directories to search for this object's own needs (`DT_RUNPATH`); where there are any, `rpath` is void.
    pub runpath: Vec<OsString>,
    /// Whether default directories are out of bounds (`DF_1_NODEFLIB`, ld's `-z nodefaultlib`).
    pub no_default_directories: bool,
}
// ANCHOR_END: object

/// The first line of a script: `#!interpreter argument`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The program to start.
    pub interpreter: PathBuf,
    /// The rest of the line, which the kernel passes as a single argument.
    pub argument: Option<OsString>,
}

/// Why a file cannot be read as a program.
#[derive(Debug, thiserror::Error)]
pub enum ElfError {
    /// It starts neither with `\x7fELF` nor with `#!`.
    #[error("it is neither an ELF file nor a script")]
    NotAProgram,
    /// It ends before what its own headers promise.
    #[error("it ends inside its {part}")]
    Truncated {
        /// What we were reading.
        part: &'static str,
    },
    /// A header holds an impossible value.
    #[error("it has a damaged {part}")]
    Damaged {
        /// What we were reading.
        part: &'static str,
        /// What is impossible about it.
        #[source]
        source: goblin::error::Error,
    },
    /// A header promises more than any real program has.
    #[error("its {part} has {length} bytes, which no real program has")]
    TooLarge {
        /// What we were reading.
        part: &'static str,
        /// The length that the header gives.
        length: u64,
    },
    /// An address in the dynamic section lies in no segment of the file.
    #[error("its {part} is at address {address:#x}, which is in none of its segments")]
    Astray {
        /// What we were looking for.
        part: &'static str,
        /// Where it is said to be.
        address: u64,
    },
    /// The kernel would not let us read.
    #[error("cannot read its {part}")]
    Read {
        /// What we were reading.
        part: &'static str,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
}

/// Reads the headers of a program or library.
///
/// # Errors
/// When `source` is neither ELF nor a script, is cut short, or contradicts itself.
pub fn read(source: &mut (impl Read + Seek)) -> Result<Executable, ElfError> {
    let mut start = Vec::with_capacity(256);
    let reading = source.by_ref().take(256).read_to_end(&mut start);
    reading.map_err(|source| ElfError::Read { part: "first bytes", source })?;
    if start.starts_with(b"#!") {
        return script(&start[2..]).map(Executable::Script).ok_or(ElfError::NotAProgram);
    }
    if !start.starts_with(b"\x7fELF") {
        return Err(ElfError::NotAProgram);
    }
    let damaged = |source| ElfError::Damaged { part: "ELF header", source };
    let header = Elf::parse_header(&start).map_err(damaged)?;
    let ctx = Ctx::new(header.container().map_err(damaged)?, header.endianness().map_err(damaged)?);
    Reader { source, ctx }.object(&header).map(Executable::Object)
}

/// The kernel takes the first word as the interpreter and the rest of the line as one argument.
fn script(after_mark: &[u8]) -> Option<Script> {
    let line = after_mark.split(|&byte| byte == b'\n').next()?.trim_ascii();
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let rest = rest.trim_ascii();
    let argument = (!rest.is_empty()).then(|| text(rest));
    (!word.is_empty()).then(|| Script { interpreter: text(word).into(), argument })
}

/// A file and how its numbers are written.
struct Reader<'a, S> {
    source: &'a mut S,
    ctx: Ctx,
}

impl<S: Read + Seek> Reader<'_, S> {
    fn object(&mut self, header: &Header) -> Result<Object, ElfError> {
        let segments = self.segments(header)?;
        let interpreter = match find(&segments, program_header::PT_INTERP) {
            Some(segment) => Some(self.text("interpreter's name", segment.p_offset)?.into()),
            None => None,
        };
        let mut object = Object {
            machine: Machine {
                number: header.e_machine,
                bits: if self.ctx.is_big() { 64 } else { 32 },
                little_endian: self.ctx.is_little_endian(),
            },
            interpreter,
            soname: None,
            needed: Vec::new(),
            rpath: Vec::new(),
            runpath: Vec::new(),
            no_default_directories: false,
        };
        if let Some(segment) = find(&segments, program_header::PT_DYNAMIC) {
            self.dynamic(&mut object, &segments, segment)?;
        }
        Ok(object)
    }

    fn segments(&mut self, header: &Header) -> Result<Vec<ProgramHeader>, ElfError> {
        let part = "program headers";
        let count = usize::from(header.e_phnum);
        let bytes = self.bytes(part, header.e_phoff, (count * ProgramHeader::size(self.ctx)) as u64)?;
        ProgramHeader::parse(&bytes, 0, count, self.ctx).map_err(|source| ElfError::Damaged { part, source })
    }

    /// Fills in what the dynamic section tells. It holds numbers; texts stand in a table that one of the
    /// numbers is the address of.
    fn dynamic(
        &mut self,
        object: &mut Object,
        segments: &[ProgramHeader],
        segment: &ProgramHeader,
    ) -> Result<(), ElfError> {
        let part = "dynamic section";
        let bytes = self.bytes(part, segment.p_offset, segment.p_filesz)?;
        let here = ProgramHeader { p_offset: 0, ..segment.clone() };
        let parsed = Dynamic::parse(&bytes, &[here], self.ctx);
        let parsed = parsed.map_err(|source| ElfError::Damaged { part, source })?;
        let entries = parsed.map(|dynamic| dynamic.dyns).unwrap_or_default();
        let Some(table) = entries.iter().find(|entry| entry.d_tag == dynamic::DT_STRTAB) else {
            return Ok(());
        };
        let table = offset_of(segments, table.d_val)
            .ok_or(ElfError::Astray { part: "string table", address: table.d_val })?;
        for entry in &entries {
            let at = table.saturating_add(entry.d_val);
            match entry.d_tag {
                dynamic::DT_NEEDED => object.needed.push(self.text("library names", at)?),
                dynamic::DT_SONAME => object.soname = Some(self.text("own name", at)?),
                dynamic::DT_RPATH => object.rpath = directories(self.text("library path", at)?),
                dynamic::DT_RUNPATH => object.runpath = directories(self.text("library path", at)?),
                dynamic::DT_FLAGS_1 => {
                    object.no_default_directories = entry.d_val & dynamic::DF_1_NODEFLIB != 0;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn bytes(&mut self, part: &'static str, offset: u64, length: u64) -> Result<Vec<u8>, ElfError> {
        if length > LARGEST_PART {
            return Err(ElfError::TooLarge { part, length });
        }
        let bytes = self.at_most(part, offset, length)?;
        if (bytes.len() as u64) < length { Err(ElfError::Truncated { part }) } else { Ok(bytes) }
    }

    fn text(&mut self, part: &'static str, offset: u64) -> Result<OsString, ElfError> {
        let mut bytes = self.at_most(part, offset, LONGEST_TEXT)?;
        let end = bytes.iter().position(|&byte| byte == 0).ok_or(ElfError::Truncated { part })?;
        bytes.truncate(end);
        Ok(OsString::from_vec(bytes))
    }

    fn at_most(&mut self, part: &'static str, offset: u64, length: u64) -> Result<Vec<u8>, ElfError> {
        // An offset that lseek(2) cannot even express lies behind the end of every file.
        if i64::try_from(offset).is_err() {
            return Err(ElfError::Truncated { part });
        }
        // With room for all of it, this is a single read(2).
        let mut bytes = Vec::with_capacity(length as usize);
        let reading = self.source.seek(SeekFrom::Start(offset));
        let reading = reading.and_then(|_| self.source.by_ref().take(length).read_to_end(&mut bytes));
        reading.map_err(|source| ElfError::Read { part, source })?;
        Ok(bytes)
    }
}

fn find(segments: &[ProgramHeader], kind: u32) -> Option<&ProgramHeader> {
    segments.iter().find(|segment| segment.p_type == kind)
}

/// The place in the file of what will be at `address` in memory.
fn offset_of(segments: &[ProgramHeader], address: u64) -> Option<u64> {
    segments.iter().filter(|segment| segment.p_type == program_header::PT_LOAD).find_map(|segment| {
        let inside = address.checked_sub(segment.p_vaddr).filter(|inside| *inside < segment.p_filesz)?;
        segment.p_offset.checked_add(inside)
    })
}

fn directories(path: OsString) -> Vec<OsString> {
    let parts = path.into_vec();
    let parts = parts.split(|&byte| byte == b':').filter(|part| !part.is_empty());
    parts.map(|part| OsString::from_vec(part.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// The test's own program, which every machine that runs the tests has.
    fn own_bytes() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_dynamic_program_names_its_loader_and_its_libraries() {
        let Executable::Object(object) = read(&mut Cursor::new(own_bytes())).unwrap() else {
            panic!("script?")
        };
        assert_eq!(Some(object.machine), Machine::native());
        if let Some(loader) = &object.interpreter {
            assert!(loader.is_absolute(), "{loader:?}");
            assert!(object.needed.iter().any(|name| name.to_string_lossy().starts_with("libc.")));
        }
    }

    #[test]
    fn a_script_names_its_interpreter_and_one_argument() {
        let line = b"#! /usr/bin/env  -S sh -e \nrm -rf /\n".to_vec();
        let Executable::Script(script) = read(&mut Cursor::new(line)).unwrap() else { panic!("ELF?") };
        assert_eq!(script.interpreter, PathBuf::from("/usr/bin/env"));
        assert_eq!(script.argument, Some("-S sh -e".into()));
    }

    #[test]
    fn text_and_nothing_are_no_programs() {
        for bytes in [&b"hello"[..], b"", b"#!", b"#!  \n", b"\x7fEL"] {
            let error = read(&mut Cursor::new(bytes)).unwrap_err();
            assert!(matches!(error, ElfError::NotAProgram), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn a_file_cut_short_is_an_error_wherever_it_is_cut() {
        let bytes = own_bytes();
        for length in [4, 20, 63, 64, 100, 200, 700] {
            let error = read(&mut Cursor::new(&bytes[..length])).unwrap_err();
            assert!(
                matches!(error, ElfError::Truncated { .. } | ElfError::Damaged { .. }),
                "{length} bytes: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
            let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
            bytes.extend(body);
            let _ = read(&mut Cursor::new(bytes));
        }

        #[test]
        fn no_damage_to_a_real_program_makes_the_reader_panic(
            damage in prop::collection::vec((0_usize..4096, any::<u8>()), 1..40),
        ) {
            let mut bytes = own_bytes();
            bytes.truncate(1 << 16);
            for (place, value) in damage {
                bytes[place] = value;
            }
            let _ = read(&mut Cursor::new(bytes));
        }
    }
}
