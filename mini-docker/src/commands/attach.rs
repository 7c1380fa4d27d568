//! `attach`: come to a container that runs. docker-attach(1).

use std::time::Duration;

use anyhow::bail;
use mini_engine::record::ProcessId;
use mini_engine::{Home, Record, attach};
use mini_runtime::wire::ToMonitor;
use mini_sys::signal::Signal;
use mini_sys::tty::WindowSize;

use crate::cli::Attach;
use crate::terminal::{self, Ending, Front};

pub(crate) fn run(home: &Home, args: &Attach) -> anyhow::Result<u8> {
    super::repair(home);
    let record = mini_engine::find(home, &args.container)?;
    let socket = attach::attach(home, &record)?;
    let front = Front {
        of: (home.clone(), record.clone()),
        terminal: record.config.tty,
        input: !args.no_stdin && record.config.open_stdin,
        output: [true; 2],
        signals: args.sig_proxy,
        keys: args.detach_keys.clone(),
    };
    if front.terminal && front.input && !terminal::is_terminal() {
        bail!("the input device is not a TTY");
    }
    if let Some(size) = terminal::size().filter(|_| record.config.tty) {
        // Another size and then the right one: the program draws its screen again for who has not seen it.
        let other = WindowSize { columns: size.columns.saturating_add(1), rows: size.rows.saturating_add(1) };
        // What cannot be said to it now is noticed in a moment.
        let _ = ToMonitor::Resize(other).send(&socket);
    }
    match terminal::attend(&socket, terminal::take(front)?)? {
        Ending::Exited(status) => Ok(status as u8),
        Ending::Unread => Ok(128 + Signal::SIGPIPE as u8),
        Ending::Detached => bail!("read escape sequence"),
        Ending::Started | Ending::Failed { .. } | Ending::Lost => lost(home, &record),
    }
}

/// The monitor has ended the conversation.
fn lost(home: &Home, record: &Record) -> anyhow::Result<u8> {
    super::repair(home);
    let name = &record.name;
    let watches = |record: &Record| record.state.monitor.as_ref().is_some_and(lives_on);
    match Record::load(home, &record.id)? {
        Some(now) if now.state.status.is_up() && watches(&now) => {
            bail!(
                "`{name}` writes faster than this command was read: `mini-docker logs {name}` has all of it"
            )
        }
        _ => {
            bail!("lost sight of `{name}`, which has ended: `mini-docker logs {name}` has all that it wrote")
        }
    }
}

/// Whether the process is there to stay. One that ends closes its sockets a moment before it is gone.
fn lives_on(process: &ProcessId) -> bool {
    const LOOKS: usize = 20;
    for _ in 0..LOOKS {
        if !process.is_alive() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}
