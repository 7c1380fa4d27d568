//! Who is process `pid`? Four questions, asked of the kernel: proc(5).

use std::fs;
use std::io;
use std::path::PathBuf;

/// The file of the program that it runs.
pub fn program(pid: u32) -> io::Result<PathBuf> {
    todo!("program: where does the link `exe` lead?")
}

/// The directory in which it stands.
pub fn directory(pid: u32) -> io::Result<PathBuf> {
    todo!("directory: where does the link `cwd` lead?")
}

/// The file that its descriptor `number` means.
pub fn file(pid: u32, number: u32) -> io::Result<PathBuf> {
    todo!("file: where does the link named by the number lead?")
}

/// The number of its parent.
pub fn parent(pid: u32) -> io::Result<u32> {
    todo!("parent: which line of `status` has its number?")
}
