#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| mini_fuzz::entry::manifest(content));
