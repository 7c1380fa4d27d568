//! `attach`: come to a container that runs. docker-attach(1).

use anyhow::bail;
use mini_engine::events::{self, Event};
use mini_engine::{Home, Record, attach};
use mini_sys::signal::Signal;

use crate::cli::Attach;
use crate::terminal::{self, Ending, Front};

pub(crate) fn run(home: &Home, args: &Attach) -> anyhow::Result<u8> {
    super::repair(home);
    let record = mini_engine::find(home, &args.container)?;
    let socket = attach::attach(home, &record)?;
    let front = Front {
        terminal: record.config.tty,
        input: !args.no_stdin && record.config.open_stdin,
        output: [true; 2],
        signals: args.sig_proxy,
        keys: args.detach_keys.clone(),
    };
    if front.terminal && front.input && !terminal::is_terminal() {
        bail!("the input device is not a TTY");
    }
    events::emit(home, &Event::container(&record, "attach"));
    match terminal::attend(&socket, terminal::take(front)?)? {
        Ending::Exited(status) => Ok(status as u8),
        Ending::Unread => Ok(128 + Signal::SIGPIPE as u8),
        Ending::Detached => {
            events::emit(home, &Event::container(&record, "detach"));
            bail!("read escape sequence")
        }
        Ending::Started | Ending::Failed { .. } | Ending::Lost => lost(home, &record),
    }
}

/// The monitor has ended the conversation.
fn lost(home: &Home, record: &Record) -> anyhow::Result<u8> {
    super::repair(home);
    let name = &record.name;
    match Record::load(home, &record.id)? {
        Some(now) if now.state.status.is_up() => {
            bail!(
                "`{name}` writes faster than this command was read: `mini-docker logs {name}` has all of it"
            )
        }
        _ => bail!("the monitor of `{name}` has ended, and its container with it"),
    }
}
