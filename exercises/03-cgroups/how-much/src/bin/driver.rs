//! `driver NAME PROGRAM ARGUMENT…`: measures PROGRAM in the cgroup NAME with your code, and prints bytes and
//! milliseconds.

#[path = "../measure.rs"]
mod measure;

use std::error::Error;
use std::ffi::CString;

use mini_cgroups::Layout;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, command @ ..] = &arguments[..] else {
        return Err("usage: driver NAME PROGRAM ARGUMENT…".into());
    };
    let command = command.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;
    let needed = measure::measure(&Layout::detect()?, name, &command)?;
    println!("{} {}", needed.memory, needed.cpu.as_millis());
    Ok(())
}
