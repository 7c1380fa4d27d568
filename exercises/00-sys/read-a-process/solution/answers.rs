//! Who is process `pid`? Four questions, asked of the kernel: proc(5).

use std::fs;
use std::io;
use std::path::PathBuf;

/// The file of the program that it runs.
pub fn program(pid: u32) -> io::Result<PathBuf> {
    // ANCHOR: program
    fs::read_link(format!("/proc/{pid}/exe"))
    // ANCHOR_END: program
}

/// The directory in which it stands.
pub fn directory(pid: u32) -> io::Result<PathBuf> {
    // ANCHOR: directory
    fs::read_link(format!("/proc/{pid}/cwd"))
    // ANCHOR_END: directory
}

/// The file that its descriptor `number` means.
pub fn file(pid: u32, number: u32) -> io::Result<PathBuf> {
    // ANCHOR: file
    fs::read_link(format!("/proc/{pid}/fd/{number}"))
    // ANCHOR_END: file
}

/// The number of its parent.
pub fn parent(pid: u32) -> io::Result<u32> {
    // ANCHOR: parent
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    line.and_then(|number| number.trim().parse().ok()).ok_or(io::ErrorKind::InvalidData.into())
    // ANCHOR_END: parent
}
