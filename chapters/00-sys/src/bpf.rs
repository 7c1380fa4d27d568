//! Small programs that the kernel runs for us: bpf(2), as far as the device policy of a cgroup (v2) needs it.
//!
//! Writing the program is the caller's business; here it is loaded, where the kernel's verifier reads it, and
//! attached to a cgroup, where it answers for every device that a process of that cgroup opens or makes.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;

use crate::call::{Error, Result, call};

/// One instruction of a program, as the kernel stores it: `struct bpf_insn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// The operation: class, source and kind.
    pub code: u8,
    /// The destination register in the low four bits, the source register in the high ones.
    pub registers: u8,
    /// How far to jump, or where in memory.
    pub offset: i16,
    /// The number to work with.
    pub immediate: i32,
}

// Commands, program types and flags of <linux/bpf.h>.
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 1 << 1;

/// The head of `union bpf_attr` as `BPF_PROG_LOAD` reads it; what is left out counts as zero.
#[repr(C)]
struct LoadAttributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    expected_attach_type: u32,
}

/// The head of `union bpf_attr` as `BPF_PROG_ATTACH` reads it.
#[repr(C)]
struct AttachAttributes {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
}

/// Has the kernel verify and load a program that decides on devices. It lives as long as the descriptor, or
/// as long as what it is attached to.
///
/// # Errors
/// `EPERM` without `CAP_BPF` (or `CAP_SYS_ADMIN`) in the first user namespace, `EINVAL` for a program that
/// the verifier refuses, `ENOSYS` in a kernel without bpf. bpf(2), `BPF_PROG_LOAD`.
pub fn load_device_program(program: &[Instruction]) -> Result<OwnedFd> {
    let name = || format!("bpf(BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE, {} instructions)", program.len());
    let count = u32::try_from(program.len()).map_err(|_| Error::new(name(), Errno::E2BIG))?;
    let attributes = LoadAttributes {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: count,
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: 0,
        name: *b"mini_devices\0\0\0\0",
        interface: 0,
        expected_attach_type: BPF_CGROUP_DEVICE,
    };
    let load = || {
        // SAFETY: `attributes` is valid for reads of the size we pass; its two pointers lead to `program`, of
        // `instruction_count` instructions, and to a constant string that ends in NUL. Both outlive the call.
        let fd = unsafe { bpf(BPF_PROG_LOAD, &attributes) }?;
        // SAFETY: the call succeeded, so the kernel opened this descriptor (close-on-exec) for us alone.
        Ok::<_, Errno>(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    loop {
        match call(name, load) {
            // The verifier gives up when a signal waits for us, and says so in this way.
            Err(error) if error.errno() == Errno::EAGAIN => {}
            other => return other,
        }
    }
}

/// Attaches a program of [`load_device_program`] to the cgroup whose directory is `cgroup`, beside those that
/// are there: a device is allowed when all of them say so. It goes when the cgroup does.
///
/// # Errors
/// `EPERM` without the capability, `EBADF` when `cgroup` is no cgroup v2 directory opened for reading.
/// bpf(2), `BPF_PROG_ATTACH`, `BPF_F_ALLOW_MULTI`.
pub fn attach_device_program(program: impl AsFd, cgroup: impl AsFd) -> Result<()> {
    let attributes = AttachAttributes {
        target: cgroup.as_fd().as_raw_fd() as u32,
        program: program.as_fd().as_raw_fd() as u32,
        attach_type: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    call(
        || "bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)".to_owned(),
        || {
            // SAFETY: `attributes` is valid for reads of the size we pass and holds no pointer.
            unsafe { bpf(BPF_PROG_ATTACH, &attributes) }.map(drop)
        },
    )
}

/// # Safety
/// `A` must be the head of `union bpf_attr` for `command`, and pointers in it valid during the call.
unsafe fn bpf<A>(command: libc::c_int, attributes: &A) -> std::result::Result<libc::c_int, Errno> {
    // SAFETY: the reference is valid for reads of `size_of::<A>()` bytes; the rest is the caller's promise.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of::<A>()) };
    Errno::result(result).map(|fd| fd as libc::c_int)
}
