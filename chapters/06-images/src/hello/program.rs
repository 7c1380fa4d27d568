//! The program in `hello-world`, byte by byte: the smallest thing that a container can run.
//!
//! The kernel needs little of a program. An ELF header says for which processor it is and where it begins; one program
//! header says which part of the file goes where in memory: all of it, at one address, to be read and executed.
//! Then come eight instructions and a text. The instructions ask the kernel for two things, in the way that it is
//! asked on that processor: a number for the call and its arguments in registers, and one instruction that enters
//! the kernel. No compiler, no linker and no C library has a part in it.
//!
//! elf(5), syscall(2), write(2), _exit(2).

/// Where the file is put in memory: where linkers have always put programs on these processors.
const BASE: u64 = 0x40_0000;

/// The ELF header and one program header.
const HEADERS: u64 = 64 + 56;

/// A multiple of every page size that these processors have.
const ALIGNMENT: u64 = 0x1_0000;

/// A program that writes `text` and ends; none for a processor that we have no instructions for. `architecture` is
/// an image's word.
pub(super) fn program(architecture: &str, text: &str) -> Option<Vec<u8>> {
    let length = u16::try_from(text.len()).ok()?;
    let (machine, code) = match architecture {
        "amd64" => (62, amd64(length)),
        "arm64" => (183, arm64(length)),
        _ => return None,
    };
    let size = HEADERS + code.len() as u64 + u64::from(length);
    let mut program = headers(machine, size);
    program.extend(code);
    program.extend(text.bytes());
    Some(program)
}

/// What execve(2) reads. All numbers are little-endian.
fn headers(machine: u16, size: u64) -> Vec<u8> {
    let mut header = Vec::new();
    // 64 bits, little-endian, version 1, and nothing that only one system has.
    header.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    header.extend(2u16.to_le_bytes()); // a program with a fixed address
    header.extend(machine.to_le_bytes());
    header.extend(1u32.to_le_bytes()); // version
    header.extend((BASE + HEADERS).to_le_bytes()); // where it begins
    header.extend(64u64.to_le_bytes()); // program headers follow this one
    header.extend(0u64.to_le_bytes()); // no sections: those are for linkers
    header.extend(0u32.to_le_bytes()); // no flags
    for number in [64u16, 56, 1, 64, 0, 0] {
        header.extend(number.to_le_bytes()); // sizes and counts of the headers
    }
    header.extend(1u32.to_le_bytes()); // PT_LOAD: put it into memory
    header.extend(5u32.to_le_bytes()); // to be read and executed
    for number in [0, BASE, BASE, size, size, ALIGNMENT] {
        header.extend(number.to_le_bytes()); // from the start of the file to BASE, all of it
    }
    header
}

/// x86-64: the call's number in `rax`, arguments in `rdi`, `rsi`, `rdx`.
fn amd64(length: u16) -> Vec<u8> {
    let mut code = Vec::new();
    code.extend(b"\xb8\x01\0\0\0"); // mov eax, 1        write
    code.extend(b"\xbf\x01\0\0\0"); // mov edi, 1        to standard output
    code.extend(b"\x48\x8d\x35\x10\0\0\0"); // lea rsi, [rip+16] what lies behind the last instruction
    code.extend(b"\xba"); // mov edx, length
    code.extend(u32::from(length).to_le_bytes());
    code.extend(b"\x0f\x05"); // syscall
    code.extend(b"\xb8\x3c\0\0\0"); // mov eax, 60       exit
    code.extend(b"\x31\xff"); // xor edi, edi      with status 0
    code.extend(b"\x0f\x05"); // syscall
    code
}

/// ARM64: the call's number in `x8`, arguments in `x0`, `x1`, `x2`. An instruction is four bytes.
fn arm64(length: u16) -> Vec<u8> {
    let instructions: [u32; 8] = [
        0xd280_0020,                            // mov x0, #1   to standard output
        0x1000_00e1,                            // adr x1, .+28 what lies behind the last instruction
        0xd280_0002 | (u32::from(length) << 5), // mov x2, #length
        0xd280_0808,                            // mov x8, #64  write
        0xd400_0001,                            // svc #0
        0xd280_0000,                            // mov x0, #0   with status 0
        0xd280_0ba8,                            // mov x8, #93  exit
        0xd400_0001,                            // svc #0
    ];
    instructions.iter().flat_map(|instruction| instruction.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_text_lies_where_the_instructions_look_for_it() {
        let amd64 = amd64(0);
        // From the end of `lea`, which is 17 bytes in, on.
        assert_eq!(amd64.len(), 17 + 16);
        // From `adr`, which is the second instruction, on.
        assert_eq!(arm64(0).len(), 4 + 28);
    }

    #[test]
    fn the_headers_are_as_long_as_they_say() {
        assert_eq!(headers(62, 0).len() as u64, HEADERS);
        assert_eq!(program("amd64", "hi").map(|program| program.len()), Some(120 + 33 + 2));
        assert_eq!(program("s390x", "hi"), None);
    }

    #[test]
    #[allow(clippy::print_stderr, reason = "a test says what it skips")]
    fn the_program_for_arm64_writes_its_text_and_ends_well() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "hello\n".repeat(500);
        std::fs::write(file.path(), program("arm64", &text).unwrap()).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // It executes the instructions of another processor, and asks this kernel.
        let qemu = std::process::Command::new("qemu-aarch64-static").arg(file.path()).output();
        let Ok(done) = qemu else {
            let required = std::env::var_os("MINI_REQUIRE_ALL").is_some_and(|value| value == "1");
            assert!(!required, "needs `qemu-aarch64-static`, and MINI_REQUIRE_ALL is set");
            eprintln!("skipped: needs `qemu-aarch64-static`");
            return;
        };
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(done.stdout == text.as_bytes(), "{}", String::from_utf8_lossy(&done.stdout));
    }
}
