//! `driver ATTACK DIARY TEXT FILE`: writes the archive of your attack number 1, 2 or 3 to FILE.

use std::error::Error;
use std::fs;

#[path = "../archive.rs"]
mod archive;
#[path = "../attack.rs"]
mod attack;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [number, diary, text, path] = &arguments[..] else {
        return Err("usage: driver ATTACK DIARY TEXT FILE".into());
    };
    let entries = match number.as_str() {
        "1" => attack::by_name(diary, text),
        "2" => attack::through_a_link(diary, text),
        _ => attack::past_the_check(diary, text),
    };
    fs::write(path, archive::write(&entries)?)?;
    Ok(())
}
