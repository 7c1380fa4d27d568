//! `liar FILE NUMBER NAME`: starts a child that opens FILE as its descriptor NUMBER, calls itself NAME and waits, and
//! waits too, so that the child has a parent. Both go when standard input ends.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [file, number, name] => {
            let mut child = Command::new(std::env::current_exe()?);
            child.arg0("/usr/sbin/nginx").env("PWD", "/srv/www").args(["lie", file, number, name]);
            // They read the same standard input: it holds nothing, and its end reaches both.
            Ok(child.spawn()?.wait().map(drop)?)
        }
        [lie, file, number, name] if lie == "lie" => {
            let number = number.parse()?;
            // The kernel gives out the lowest number that is free.
            let mut open = vec![File::open(file)?];
            while open.last().is_none_or(|file| file.as_raw_fd() != number) {
                open.push(File::open(file)?);
            }
            fs::write("/proc/self/comm", name)?;
            println!("ready");
            io::stdin().read_to_end(&mut Vec::new())?;
            Ok(())
        }
        _ => Err("usage: liar FILE NUMBER NAME".into()),
    }
}
