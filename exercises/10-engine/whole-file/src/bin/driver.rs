//! `driver PATH LETTER SIZE ROUNDS`: at a line from its standard input replaces PATH that often, by a text of SIZE times
//! LETTER and one of half that size in turn; tells `done` or what went wrong.

use std::error::Error;
use std::io::stdin;
use std::path::Path;

use ex_whole_file::file;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, letter, size, rounds] = &arguments[..] else {
        return Err("usage: driver PATH LETTER SIZE ROUNDS".into());
    };
    let (size, rounds): (usize, usize) = (size.parse()?, rounds.parse()?);
    let texts = [letter.repeat(size), letter.repeat(size / 2)];
    println!("ready");
    stdin().read_line(&mut String::new())?;
    for round in 0..rounds {
        if let Err(error) = file::replace(Path::new(path), texts[round % 2].as_bytes(), round == 0) {
            println!("failed: {error}");
            return Ok(());
        }
    }
    println!("done");
    Ok(())
}
