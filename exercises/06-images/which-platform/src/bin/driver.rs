//! `driver INDEX PLATFORM…`: the digest that your code chooses for each platform, a line each, or `none`.

use std::error::Error;
use std::fs;

use ex_which_platform::platform::Platform;
use oci_spec::image::ImageIndex;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [index, platforms @ ..] = &arguments[..] else {
        return Err("usage: driver INDEX PLATFORM…".into());
    };
    let index: ImageIndex = serde_json::from_slice(&fs::read(index)?)?;
    for platform in platforms {
        let chosen = platform.parse::<Platform>()?.choose(index.manifests());
        println!("{}", chosen.map_or("none".to_owned(), |entry| entry.digest().to_string()));
    }
    Ok(())
}
