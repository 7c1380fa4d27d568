//! The program in the container. `/inside wait` prints `here` and stays until its input ends. `/inside write WORD LINES` waits
//! for a line, and writes LINES lines about WORD.

use std::io::{Read as _, Write as _, stdin, stdout};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut screen = stdout();
    if let [_, word, lines] = &words[..] {
        stdin().read_line(&mut String::new())?;
        let lines: usize = lines.parse().unwrap_or_default();
        for first in (0..lines).step_by(1000) {
            let text: String = (first..lines.min(first + 1000)).map(|number| line(word, number)).collect();
            screen.write_all(text.as_bytes())?;
        }
        return screen.flush();
    }
    screen.write_all(b"here\n")?;
    screen.flush()?;
    stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// A line of 100 bytes.
fn line(word: &str, number: usize) -> String {
    format!("{:.<99}\n", format!("{word} {number} "))
}
