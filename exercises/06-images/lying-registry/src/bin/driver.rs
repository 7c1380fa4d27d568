//! `driver ATTACK REAL TEXT DIRECTORY`: puts what your registry number 1, 2 or 3 sends into DIRECTORY: for each digest
//! that is asked for two files, `<hex>` and `<hex>.says`. REAL is what the real image's `motd` says.

use std::error::Error;
use std::fs;
use std::path::Path;

#[path = "../attack.rs"]
mod attack;
#[path = "../image.rs"]
mod image;

use image::Image;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [number, real, text, directory] = &arguments[..] else {
        return Err("usage: driver ATTACK REAL TEXT DIRECTORY".into());
    };
    let real = Image::with(real);
    let answers = match number.as_str() {
        "1" => attack::another_layer(&real, text),
        "2" => attack::with_a_label(&real, text),
        _ => attack::from_the_top(&real, text),
    };
    for (asked, answer) in answers {
        let path = Path::new(directory).join(asked.hex());
        fs::write(path.with_extension("says"), answer.says.to_string())?;
        fs::write(path, answer.content)?;
    }
    Ok(())
}
