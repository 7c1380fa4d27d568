//! Waiting for long in little memory: madvise(2), malloc_trim(3), mallopt(3), poll(2).

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::PollFd;

use crate::call::{Error, Result};

/// Gives back what this process does not need while it waits, then waits until one of `fds` is ready or `limit` has
/// passed (none: for ever). How many are ready: 0 too when a signal came first.
///
/// Given back are free blocks of the heap, the stack below this frame, and the pages of the program's own file,
/// which the kernel reads again one by one when they are needed. The wait is made here and not in
/// [`crate::ipc::poll`], because every function on the way to another place would bring its pages back.
///
/// # Errors
/// `ENOMEM`. madvise(2) `MADV_DONTNEED`, poll(2).
#[inline(never)]
pub fn wait_in_little(fds: &mut [PollFd<'_>], limit: Option<Duration>) -> Result<usize> {
    let milliseconds = limit.map_or(-1, |limit| i32::try_from(limit.as_millis()).unwrap_or(i32::MAX));
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let maps: Vec<Map<'_>> = maps.lines().filter_map(Map::parse).collect();
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let program = program.to_string_lossy();
    let ours = maps.iter().filter(|map| map.name == program && !map.permissions.contains('w'));
    let unchanged: Vec<(usize, usize)> = ours.flat_map(unchanged).collect();
    let stack = maps.iter().find(|map| map.name == "[stack]").map(|map| (map.start, map.end));
    drop(maps);
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes a number and touches free blocks alone.
    unsafe {
        libc::malloc_trim(0);
    }
    if let Some((start, end)) = stack {
        forget_unused_stack(start, end);
    }
    for (start, end) in unchanged {
        // SAFETY: these pages are the program file's own, mapped read-only: they are as they are in the file,
        // and are read from there again when touched.
        unsafe { forget(start, end) };
    }
    // SAFETY: `PollFd` is a transparent `pollfd`, and the slice is valid for its length during the call.
    let ready = unsafe { libc::poll(fds.as_mut_ptr().cast(), fds.len() as libc::nfds_t, milliseconds) };
    match Errno::result(ready) {
        Ok(count) => Ok(count as usize),
        Err(Errno::EINTR) => Ok(0),
        Err(errno) => Err(Error::new("poll()", errno)),
    }
}

/// Has threads that are made from now on use the one heap of the first thread. A heap of their own keeps its end when
/// they are gone, and [`wait_in_little`] cannot give that back. mallopt(3).
pub fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two numbers.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// The frames below this one have returned: what they left is read by nobody.
#[inline(never)]
fn forget_unused_stack(start: usize, end: usize) {
    let here = 0_u8;
    // A page for the calls that follow, and the rest of this one.
    let unused = ((&raw const here as usize) & !4095).saturating_sub(4096 * 2);
    if start < unused && unused < end {
        // SAFETY: the stack grows down, so from its start to two pages below a local variable of this frame
        // there is no live frame; no other thread runs on it. Pages read as zero when they are used again.
        unsafe { forget(start, unused) };
    }
}

/// The ranges of pages of a mapping that are the file's own and not this process's copies, which the dynamic linker
/// has made of those it wrote addresses into. `/proc/self/pagemap`: 8 bytes a page, bit 61 tells.
fn unchanged(map: &Map<'_>) -> Vec<(usize, usize)> {
    const PAGE: usize = 4096;
    const OF_FILE: u64 = 1 << 61;
    let mut entries = vec![0; (map.end - map.start) / PAGE * 8];
    let read = File::open("/proc/self/pagemap")
        .and_then(|pagemap| pagemap.read_exact_at(&mut entries, (map.start / PAGE * 8) as u64));
    if read.is_err() {
        return Vec::new();
    }
    let of_file = |entry: &[u8]| entry.try_into().is_ok_and(|entry| u64::from_ne_bytes(entry) & OF_FILE != 0);
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (index, _) in entries.chunks(8).enumerate().filter(|(_, entry)| of_file(entry)) {
        let start = map.start + index * PAGE;
        match ranges.last_mut() {
            Some(last) if last.1 == start => last.1 += PAGE,
            _ => ranges.push((start, start + PAGE)),
        }
    }
    ranges
}

/// # Safety
/// Nothing in the range may be needed as it is: file mappings are read again, anonymous pages become zero.
unsafe fn forget(start: usize, end: usize) {
    // SAFETY: the caller vouches for the range; a failure changes nothing.
    unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
}

/// A line of `/proc/self/maps`. proc(5).
#[derive(Debug, PartialEq, Eq)]
struct Map<'a> {
    start: usize,
    end: usize,
    permissions: &'a str,
    name: &'a str,
}

impl<'a> Map<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let permissions = fields.next()?;
        let name = fields.nth(3).unwrap_or_default().trim_start();
        Some(Self {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            permissions,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps_are_read() {
        let line = "55d9-55fa r-xp 0009b000 fd:00 1234    /usr/bin/mini docker";
        let map = Map { start: 0x55d9, end: 0x55fa, permissions: "r-xp", name: "/usr/bin/mini docker" };
        assert_eq!(Map::parse(line), Some(map));
        assert_eq!(Map::parse("1000-2000 rw-p 00000000 00:00 0 ").map(|map| map.name), Some(""));
    }

    #[test]
    fn a_process_goes_on_after_giving_back() {
        use std::os::fd::AsFd as _;
        let kept: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        let (read, write) = crate::ipc::pipe().unwrap();
        crate::ipc::write(&write, b"x").unwrap();
        let mut fds = [PollFd::new(read.as_fd(), nix::poll::PollFlags::POLLIN)];
        assert_eq!(wait_in_little(&mut fds, None), Ok(1));
        assert_eq!(kept.iter().map(String::len).sum::<usize>(), 2890);
    }
}
