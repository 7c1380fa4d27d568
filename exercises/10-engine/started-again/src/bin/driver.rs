//! `driver wanted POLICY STATUS RESTARTS HAND`: `yes` or `no`, as your code says; HAND is `hand` if a user has ended it, else `-`.
//! `driver boot POLICY STATUS LIFE HAND`: the same after a boot; LIFE is `never`, `exited` or `running`.
//! `driver pauses MILLISECONDS…`: the pause after each of these runs, in milliseconds.
//!
//! Containers, of the image `host`, in an engine at HOME:
//! `driver run HOME NAME POLICY SCRIPT`: makes and starts one, and tells its monitor's pid and the directory with its changes.
//! `driver stop HOME NAME`, `driver restore HOME` (what is called after a boot), `driver remove HOME NAME`.

use std::error::Error;
use std::time::Duration;

use ex_started_again::record::State;
use ex_started_again::restart::{self, BackOff};
use ex_started_again::{
    Config, Create, Home, HostConfig, Status, create, find, remove, restore, start, stop,
};
use mini_runtime::wire::FromMonitor;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["wanted", policy, status, restarts, hand] => {
            let state = State { restarts: restarts.parse()?, ..state("exited", hand) };
            answer(restart::is_wanted(&policy.parse()?, &state, status.parse()?));
        }
        ["boot", policy, status, life, hand] => {
            let state = State { exit_code: status.parse()?, ..state(life, hand) };
            answer(restart::is_wanted_at_boot(&policy.parse()?, &state));
        }
        ["pauses", ref runs @ ..] => {
            let mut pauses = BackOff::default();
            for ran in runs {
                println!("{}", pauses.next(Duration::from_millis(ran.parse()?)).as_millis());
            }
        }
        ["run", home, name, policy, script] => run(&Home::new(home), name, policy, script)?,
        ["stop", home, name] => {
            let home = Home::new(home);
            // At once: the program need not be asked.
            stop::stop(&home, &find(&home, name)?, Some(0), None)?;
            println!("stopped");
        }
        ["restore", home] => {
            let failures = restore::restore(&Home::new(home)).into_iter().filter_map(|it| it.failure);
            println!("restored{}", failures.map(|failure| format!(", {failure}")).collect::<String>());
        }
        ["remove", home, name] => {
            let home = Home::new(home);
            remove::remove(&home, &find(&home, name)?, true)?;
            println!("removed");
        }
        _ => return Err("usage: see the first lines of driver.rs".into()),
    }
    Ok(())
}

fn answer(yes: bool) {
    println!("{}", if yes { "yes" } else { "no" });
}

fn state(life: &str, hand: &str) -> State {
    let mut state = State::created();
    state.stopped_by_hand = hand == "hand";
    if life != "never" {
        state.started_at = Some(jiff::Timestamp::UNIX_EPOCH);
        state.status = if life == "running" { Status::Running } else { Status::Exited };
    }
    state
}

fn run(home: &Home, name: &str, policy: &str, script: &str) -> Result<(), Box<dyn Error>> {
    home.prepare()?;
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let record = create(
        home,
        Create {
            name: Some(name.to_owned()),
            image: home.images()?.host()?,
            config: Config { cmd: Some(command), ..Config::default() },
            host_config: HostConfig {
                restart_policy: policy.parse()?,
                network_mode: "none".to_owned(),
                ..HostConfig::default()
            },
        },
    )?;
    let changes = home.container(&record.id).join("upper");
    let attachment = start(home, record, None)?;
    match FromMonitor::receive(&attachment.socket)? {
        Some(FromMonitor::Started(_)) => println!("{} {}", attachment.monitor.pid, changes.display()),
        other => println!("failed: {other:?}"),
    }
    Ok(())
}
