//! `driver program|directory|parent PID`, `driver file PID NUMBER`: prints what your function answers.

use std::error::Error;

#[path = "../answers.rs"]
mod answers;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["program", pid] => answers::program(pid.parse()?).map(|path| path.display().to_string()),
        ["directory", pid] => answers::directory(pid.parse()?).map(|path| path.display().to_string()),
        ["file", pid, number] => {
            answers::file(pid.parse()?, number.parse()?).map(|path| path.display().to_string())
        }
        ["parent", pid] => answers::parent(pid.parse()?).map(|pid| pid.to_string()),
        _ => return Err("usage: driver program|directory|parent PID, or driver file PID NUMBER".into()),
    };
    println!("{}", answer.unwrap_or_else(|error| format!("error: {error}")));
    Ok(())
}
