//! `driver NAME…`: what your code reads, a line for each: `registry repository tag`, or `refused`.

use ex_short_names::Reference;

fn main() {
    for name in std::env::args().skip(1) {
        match name.parse::<Reference>() {
            Ok(read) => println!("{} {} {}", read.registry(), read.repository(), read.tag().unwrap_or("-")),
            Err(error) => println!("refused: {error}"),
        }
    }
}
