//! `driver trusting|looking|holding SPARE`: in a pid namespace of its own, an engine remembers a process, your code gives its
//! number to another, and the engine sends its signal. SPARE processes come and go before, so that numbers differ.
//!
//! Prints `remembers PID`, then `now PID` when the number is another's, or `failed: …`; at a line from its standard input the
//! engine goes on, and `sent` follows. Stays until its standard input ends.

use std::cell::RefCell;
use std::error::Error;
use std::io::{Read as _, stdin};
use std::path::Path;
use std::process::{Child, Command};

use mini_sys::clone::CloneFlags;
use mini_sys::mount::{self, MsFlags};
use mini_sys::namespace;

#[path = "../attack.rs"]
mod attack;
#[path = "../engines.rs"]
mod engines;

use engines::Remembered;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["inside", engine, spare] => inside(engine, spare.parse()?),
        [engine, spare] => {
            namespace::unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
            let again = Command::new(std::env::current_exe()?).args(["inside", engine, spare]).status()?;
            if again.success() { Ok(()) } else { Err("the process inside has failed".into()) }
        }
        _ => Err("usage: driver trusting|looking|holding SPARE".into()),
    }
}

/// The first process of the namespace.
fn inside(engine: &str, spare: u32) -> Result<(), Box<dyn Error>> {
    mount::mount("", Path::new("/"), "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "")?;
    mount::mount("proc", Path::new("/proc"), "proc", MsFlags::empty(), "")?;
    for _ in 0..spare {
        Command::new("true").status()?;
    }
    let mut first = Command::new("sleep").arg("1000").spawn()?;
    let known = Remembered::of(first.id()).ok_or("the process has ended")?;
    println!("remembers {}", known.pid);
    let other = RefCell::new(None);
    let tell = |taken: std::io::Result<Child>| {
        match taken {
            Ok(child) => {
                println!("now {}", child.id());
                other.replace(Some(child));
            }
            Err(error) => println!("failed: {error}"),
        }
        let _ = stdin().read_line(&mut String::new());
    };
    match engine {
        "trusting" => {
            // It ends by itself, long before anybody asks.
            first.kill()?;
            first.wait()?;
            engines::trusting(known, || tell(attack::take(known.pid)));
        }
        "looking" => engines::looking(known, || tell(attack::in_the_gap(first))),
        "holding" => engines::holding(known, || tell(attack::in_the_gap(first))),
        _ => return Err(format!("no engine is called `{engine}`").into()),
    }
    println!("sent");
    stdin().read_to_end(&mut Vec::new())?;
    if let Some(mut child) = other.take() {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}
