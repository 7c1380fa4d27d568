//! Commands of an engine with your code, which lives in HOME:
//!
//! `driver run HOME NAME POLICY SCRIPT`: makes a container of the image `host` and starts it; tells its monitor's pid and its id.
//! `driver make HOME NAME`: makes one, and ends as a command does that is killed before the start; tells its id.
//! `driver nameless HOME ID`: makes one that has no name yet, and none that makes it.
//! `driver stop HOME NAME`, `driver remove HOME NAME` (by force), `driver restore HOME` (what is called after a boot).
//! `driver list HOME`: a line with `NAME=STATUS` of each container, as `ps -a` has it.
//! `driver count HOME NAME TIMES`: says `ready`, and at a line from its standard input adds 1 that often to the restarts in
//! the record. `driver want HOME ID NAME…`: says `ready`, and at a line reserves each name for ID; tells how many it got.
//! `driver pauses MILLISECONDS…`: the pause after each of these runs, in milliseconds.

use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use ex_whole_life::record::State;
use ex_whole_life::restart::BackOff;
use ex_whole_life::{
    Config, Create, Home, HostConfig, Record, create, find, names, remove, repair, restore, start, stop,
};
use mini_runtime::wire::FromMonitor;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["pauses", runs @ ..] = &words[..] {
        let mut pauses = BackOff::default();
        for ran in runs {
            println!("{}", pauses.next(Duration::from_millis(ran.parse()?)).as_millis());
        }
        return Ok(());
    }
    let [verb, home, rest @ ..] = &words[..] else { return Err("usage: driver VERB HOME …".into()) };
    let home = Home::new(home);
    home.prepare()?;
    match (*verb, rest) {
        ("run", [name, policy, script]) => run(&home, made(&home, name, policy, script)?)?,
        ("make", [name]) => println!("{}", made(&home, name, "no", "true")?.id),
        ("nameless", [id]) => nameless(&home, id)?,
        ("stop", [name]) => {
            // At once: the program need not be asked.
            stop::stop(&home, &find(&home, name)?, Some(0), None)?;
            println!("stopped");
        }
        ("remove", [name]) => {
            remove::remove(&home, &find(&home, name)?, true)?;
            println!("removed");
        }
        ("restore", []) => {
            let failures = restore::restore(&home).into_iter().filter_map(|it| it.failure);
            println!("restored{}", failures.map(|failure| format!(", {failure}")).collect::<String>());
        }
        ("list", []) => {
            let layout = mini_cgroups::Layout::detect().ok();
            let (records, _) = repair::records(&home, layout.as_ref())?;
            let mut all: Vec<String> =
                records.iter().map(|it| format!("{}={}", it.name, it.state.status.word())).collect();
            all.sort();
            println!("{}", all.join(" "));
        }
        ("count", [name, times]) => {
            let id = find(&home, name)?.id;
            let times: u32 = times.parse()?;
            at_a_word()?;
            for _ in 0..times {
                Record::change(&home, &id, |record| record.state.restarts += 1)?;
            }
            println!("done");
        }
        ("want", [id, wanted @ ..]) => {
            at_a_word()?;
            let got = wanted.iter().filter(|name| names::reserve(&home, name, id).is_ok());
            println!("{}", got.count());
        }
        _ => return Err("usage: see the first lines of driver.rs".into()),
    }
    Ok(())
}

fn nameless(home: &Home, id: &str) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir(home.container(id))?;
    std::fs::write(home.container(id).join("lock"), "")?;
    let record = Record {
        id: id.to_owned(),
        name: String::new(),
        created: jiff::Timestamp::now(),
        maker: None,
        image: mini_layers::Digest::of(b""),
        layer: None,
        arguments: vec!["true".to_owned()],
        config: Config::default(),
        host_config: HostConfig::default(),
        state: State::created(),
    };
    record.save(home)?;
    println!("made");
    Ok(())
}

fn at_a_word() -> Result<(), Box<dyn Error>> {
    println!("ready");
    stdin().read_line(&mut String::new())?;
    Ok(())
}

fn made(home: &Home, name: &str, policy: &str, script: &str) -> Result<Record, Box<dyn Error>> {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let request = Create {
        name: Some(name.to_owned()),
        image: home.images()?.host()?,
        config: Config { cmd: Some(command), ..Config::default() },
        host_config: HostConfig {
            restart_policy: policy.parse()?,
            network_mode: "none".to_owned(),
            ..HostConfig::default()
        },
    };
    Ok(create(home, request)?)
}

fn run(home: &Home, record: Record) -> Result<(), Box<dyn Error>> {
    let id = record.id.clone();
    let attachment = start(home, record, None)?;
    match FromMonitor::receive(&attachment.socket)? {
        Some(FromMonitor::Started(_)) => println!("{} {id}", attachment.monitor.pid),
        other => println!("failed: {other:?}"),
    }
    Ok(())
}
