//! What strangers write, read as `pull`, `load` and `import` read it.
//!
//! `cargo +nightly fuzz run archive` looks for inputs that break [`entry`]'s promises for as long as it is left alone
//! (`cargo install cargo-fuzz` first; libFuzzer is C++). `cargo test -p mini-images --test it -- --ignored seeds` gives it
//! real inputs to begin with. The ordinary tests make the same promises over a few hundred inputs
//! (`chapters/06-images/tests/it/hostile.rs`).

pub mod entry;
