//! The program in the container: prints `here`, and stays until its standard input ends, or somebody presses Ctrl-C.

use std::io::{Read as _, Write as _};

fn main() -> std::io::Result<()> {
    let mut screen = std::io::stdout();
    screen.write_all(b"here\n")?;
    screen.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
