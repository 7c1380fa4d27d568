//! The program in the jail: `/inside NAME` prints what your escape finds, and stays until its standard input ends.

use std::io::Read as _;

#[path = "../escape.rs"]
mod escape;

fn main() -> std::io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match escape::read_key(&name) {
        Ok(text) => println!("key {}", text.trim_end()),
        Err(error) => println!("error: {error}"),
    }
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
