//! `driver NAME MEMORY [MEMORY-SWAP]`: makes the cgroup NAME with your code, and removes it when its input ends.

use std::error::Error;
use std::io::Read as _;

use ex_memory_and_swap::{Cgroup, Layout, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, memory, memory_swap) = match &arguments[..] {
        [name, memory] => (name, memory.parse()?, None),
        [name, memory, sum] => (name, memory.parse()?, Some(sum.parse()?)),
        _ => return Err("usage: driver NAME MEMORY [MEMORY-SWAP]".into()),
    };
    let limits = Limits { memory: Some(memory), memory_swap, ..Limits::default() };
    let group = Cgroup::create(&Layout::detect()?, name, &limits)?;
    println!("made");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(group.remove()?)
}
