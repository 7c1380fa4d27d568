//! `driver HOME make ID…`: makes containers that have no name yet.
//! `driver HOME reserve ID NAME…`: says `ready`, and at a line from its standard input wants each name in turn. It tells
//! what became of each: `mine`, `taken by ID`, or `failed: …`.

use std::error::Error;
use std::fs;
use std::io::{Write as _, stdin, stdout};

use ex_one_owner::names::{self, NameError};
use ex_one_owner::record::State;
use ex_one_owner::{Config, Home, HostConfig, Record};
use jiff::Timestamp;
use mini_layers::Digest;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, verb, rest @ ..] = &arguments[..] else { return Err("usage: driver HOME VERB …".into()) };
    let home = Home::new(home);
    home.prepare()?;
    match (verb.as_str(), rest) {
        ("make", ids) => ids.iter().try_for_each(|id| make(&home, id))?,
        ("reserve", [id, names @ ..]) => {
            println!("ready");
            stdin().read_line(&mut String::new())?;
            let said: Vec<String> = names.iter().map(|name| reserve(&home, name, id)).collect();
            // All at the end: a line that is printed is a wait in which nobody races.
            stdout().write_all((said.join("\n") + "\n").as_bytes())?;
        }
        _ => return Err("usage: driver HOME make ID… | HOME reserve ID NAME…".into()),
    }
    Ok(())
}

fn reserve(home: &Home, name: &str, id: &str) -> String {
    match names::reserve(home, name, id) {
        Ok(()) => "mine".to_owned(),
        Err(NameError::Taken { id, .. }) => format!("taken by {id}"),
        Err(error) => format!("failed: {error}"),
    }
}

fn make(home: &Home, id: &str) -> Result<(), Box<dyn Error>> {
    fs::create_dir(home.container(id))?;
    fs::write(home.container(id).join("lock"), "")?;
    let record = Record {
        id: id.to_owned(),
        name: String::new(),
        created: Timestamp::now(),
        maker: None,
        image: Digest::of(b""),
        layer: None,
        arguments: vec!["true".to_owned()],
        config: Config::default(),
        host_config: HostConfig::default(),
        state: State::created(),
    };
    Ok(record.save(home)?)
}
