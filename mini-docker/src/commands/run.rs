//! `run`: create a container, start it, and stay with it until it ends. docker-run(1).

use std::os::fd::OwnedFd;

use anyhow::{Context as _, bail};
use mini_engine::{Home, Record};
use mini_runtime::explain::Format;
use mini_sys::signal::Signal;

use crate::cli::{Explain, Run};
use crate::commands::{create, print};
use crate::failure::{Failure, OURS, plain};
use crate::terminal::{self, Ending, Front, Taken};

pub(crate) fn run(home: &Home, args: &Run) -> anyhow::Result<u8> {
    start(home, args).map_err(ours)
}

/// Whatever goes wrong before the program runs is 125, except what has a status of its own.
fn ours(error: anyhow::Error) -> anyhow::Error {
    if error.is::<Failure>() { error } else { crate::failure::with_status(&error, OURS) }
}

fn start(home: &Home, args: &Run) -> anyhow::Result<u8> {
    let (make, explain) = (&args.make, args.explain.map(format));
    // With Docker these two are 1, as the daemon is not asked for anything.
    if args.detach && !make.attach.is_empty() {
        return refuse("conflicting options: cannot specify both --attach and --detach", None);
    }
    let [input, stdout, stderr] = create::attached(make, !args.detach);
    if make.tty && input && !terminal::is_terminal() {
        return refuse("the input device is not a TTY", Some("leave out -t to read from a pipe or a file"));
    }
    let record = create::make(home, make, !args.detach)?;
    let front = Front {
        of: (home.clone(), record.clone()),
        terminal: make.tty,
        input,
        output: [stdout, stderr],
        // Docker's rule: keys go to a terminal, and so do the signals that they are.
        signals: args.sig_proxy,
        keys: args.detach_keys.clone(),
    };
    let taken = if args.detach { None } else { Some(terminal::take(front)?) };
    let attachment = match mini_engine::start(home, record.clone(), explain) {
        Ok(attachment) => attachment,
        Err(error) => {
            discard(home, &record);
            return Err(error).context(format!("cannot start `{}`", record.name));
        }
    };
    stay(home, &record, &attachment.socket, taken)
}

fn refuse(message: &str, hint: Option<&str>) -> anyhow::Result<u8> {
    Err(Failure { message: message.to_owned(), hint: hint.map(str::to_owned), status: 1 }.into())
}

/// Stays with the container, or waits until it runs.
pub(crate) fn stay(
    home: &Home,
    record: &Record,
    socket: &OwnedFd,
    taken: Option<Taken>,
) -> anyhow::Result<u8> {
    let name = &record.name;
    let is_apart = taken.is_none();
    let ending = match taken {
        None => terminal::await_start(socket)?,
        Some(taken) => terminal::attend(socket, taken)?,
    };
    match ending {
        Ending::Started => {
            super::repair(home);
            print(&format!("{}\n", record.id))
        }
        Ending::Detached => Ok(0),
        Ending::Exited(status) => Ok(status as u8),
        Ending::Failed { message, hint, status } => {
            if is_apart {
                // Whoever keeps the id can remove what could not be started.
                print(&format!("{}\n", record.id))?;
            }
            let message = format!("cannot start `{name}`: {}", plain(&message));
            Err(Failure { message, hint, status: status as u8 }.into())
        }
        // As any program in a pipe whose reader has gone; the container goes on, as after any other end of this
        // command.
        Ending::Unread => Ok(128 + Signal::SIGPIPE as u8),
        Ending::Lost => {
            super::repair(home);
            bail!("the monitor of `{name}` has ended, and its container with it")
        }
    }
}

/// A container whose start could not even be tried is of no use to anybody.
fn discard(home: &Home, record: &Record) {
    let _ = mini_engine::remove::remove(home, record, true);
}

fn format(explain: Explain) -> Format {
    match explain {
        Explain::Text => Format::Text,
        Explain::Json => Format::Json,
    }
}
