//! `driver wait`: waits until its standard input ends.
//! `driver of PID`: what your code remembers of the process: `pid start-time boot`, or `none`.
//! `driver alive PID START-TIME BOOT`: `yes` or `no`.

use std::error::Error;
use std::io::{Read as _, stdin};

use ex_same_process::record::ProcessId;
use mini_sys::Pid;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["wait"] => {
            println!("here");
            stdin().read_to_end(&mut Vec::new())?;
        }
        ["of", pid] => match ProcessId::of(Pid::from_raw(pid.parse()?)) {
            Some(known) => println!("{} {} {}", known.pid, known.start_time, known.boot),
            None => println!("none"),
        },
        ["alive", pid, start_time, boot] => {
            let known =
                ProcessId { pid: pid.parse()?, start_time: start_time.parse()?, boot: boot.to_owned() };
            println!("{}", if known.is_alive() { "yes" } else { "no" });
        }
        _ => return Err("usage: driver wait | of PID | alive PID START-TIME BOOT".into()),
    }
    Ok(())
}
