//! `start`: start containers that are there. docker-start(1).

use anyhow::bail;
use mini_engine::attach::{self, AttachError};
use mini_engine::{Home, Record, StartError};

use crate::cli::Start;
use crate::commands::run::stay;
use crate::failure::{Failure, plain};
use crate::terminal::{self, Ending, Front};

pub(crate) fn run(home: &Home, args: &Start) -> anyhow::Result<u8> {
    super::repair(home);
    if args.attach || args.interactive {
        let [name] = args.containers.as_slice() else {
            bail!("you cannot start and attach multiple containers at once");
        };
        return in_front(home, name, args);
    }
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        start(home, record)?;
        Ok(format!("{name}\n"))
    })
}

/// Starts it in the background. One that runs is started already, whoever did it.
pub(crate) fn start(home: &Home, record: Record) -> anyhow::Result<()> {
    let (id, name) = (record.id.clone(), record.name.clone());
    let attachment = match mini_engine::start(home, record, None) {
        Err(StartError::Running(_)) => return Ok(()),
        other => other?,
    };
    let runs =
        || Record::load(home, &id).is_ok_and(|now| now.is_some_and(|now| now.state.status.is_active()));
    match terminal::await_start(&attachment.socket)? {
        Ending::Failed { .. } if runs() => Ok(()),
        Ending::Failed { message, hint, .. } => {
            Err(Failure { message: format!("cannot start `{name}`: {}", plain(&message)), hint, status: 1 }
                .into())
        }
        Ending::Lost => bail!("the monitor of `{name}` has ended, and its container with it"),
        _ => Ok(()),
    }
}

/// Starts it and stays with it.
fn in_front(home: &Home, name: &str, args: &Start) -> anyhow::Result<u8> {
    let record = mini_engine::find(home, name)?;
    let front = Front {
        of: (home.clone(), record.clone()),
        terminal: record.config.tty,
        input: args.interactive && record.config.open_stdin,
        output: [true; 2],
        signals: true,
        keys: args.detach_keys.clone(),
    };
    if front.terminal && front.input && !terminal::is_terminal() {
        bail!("the input device is not a TTY");
    }
    let socket = match mini_engine::start(home, record.clone(), None) {
        // Docker stays with one that runs already.
        Err(StartError::Running(_)) => match attach::attach(home, &record) {
            Err(AttachError::Stopped) => bail!("container {} has just ended", record.name),
            other => other?,
        },
        other => other?.socket,
    };
    let stayed = stay(home, &record, &socket, Some(terminal::take(front)?));
    // Other than `run`, Docker's `start` knows no status of its own for a program that cannot be started.
    stayed.map_err(|error| crate::failure::with_status(&error, 1))
}
