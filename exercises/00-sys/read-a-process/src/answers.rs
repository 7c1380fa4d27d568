//! Who is process `pid`? Four questions, asked of the kernel: proc(5).

use std::fs;
use std::io;
use std::path::PathBuf;

/// The file of the program that it runs.
pub fn program(pid: u32) -> io::Result<PathBuf> {
    todo!("ask the kernel who a process is")
}

/// The directory in which it stands.
pub fn directory(pid: u32) -> io::Result<PathBuf> {
    todo!("ask the kernel who a process is")
}

/// The file that its descriptor `number` means.
pub fn file(pid: u32, number: u32) -> io::Result<PathBuf> {
    todo!("ask the kernel who a process is")
}

/// The number of its parent.
pub fn parent(pid: u32) -> io::Result<u32> {
    todo!("ask the kernel who a process is")
}
