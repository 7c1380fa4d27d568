//! `exec`: one more program in a container that runs. docker-exec(1).

mod parent;

use anyhow::bail;
use mini_engine::events::{Event, Pen};
use mini_engine::exec::{self, Ready};
use mini_engine::{Home, Record};
use mini_runtime::stdio::ProgramSide;
use mini_runtime::{StartError, Started, Step};
use mini_sys::Errno;

use self::parent::Parent;
use crate::cli::Exec;
use crate::failure::{Failure, line, words};
use crate::session::{self, End, Front};
use crate::terminal;

/// What cannot be executed is 126, what is not there 127, as in a shell.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

pub(crate) fn run(home: &Home, args: &Exec) -> anyhow::Result<u8> {
    let request = request(args)?;
    let record = find(home, &args.container)?;
    if args.detach {
        return in_background(home, &record, &request);
    }
    if request.tty {
        return at_terminal(home, &record, &request, args);
    }
    if parent::is_wanted() {
        return at_job_control(home, &record, &request, args.interactive);
    }
    let ready = prepare(home, &record, &request)?;
    let (theirs, ours) = session::streams(args.interactive)?;
    let story = Story::begin(home, &record, &request);
    let started = start(ready, theirs)?;
    let status = session::wait(&started, ours)?;
    story.end(status);
    Ok(status as u8)
}

/// What is told of it: that it was asked for, started, and how it ended.
struct Story<'a> {
    record: &'a Record,
    id: String,
    /// Taken in hand before the container is joined.
    pen: Pen,
}

impl<'a> Story<'a> {
    fn begin(home: &Home, record: &'a Record, request: &exec::Exec) -> Self {
        // Without a source of chance it is told without an id.
        let story = Self { record, id: mini_engine::id::random().unwrap_or_default(), pen: Pen::new(home) };
        // With Docker the program's name is apart from its arguments, also where there are none.
        let (name, words) =
            request.arguments.split_first().map_or(("", &[][..]), |(name, words)| (name, words));
        let words = format!("{name} {}", words.join(" "));
        story.pen.tell(&story.event(&format!("exec_create: {words}")));
        story.pen.tell(&story.event(&format!("exec_start: {words}")));
        story
    }

    fn end(&self, status: i32) {
        self.pen.tell(&self.event("exec_die").with("exitCode", &status));
    }

    fn event(&self, action: &str) -> Event {
        Event::container(self.record, action).with("execID", &self.id)
    }
}

/// The container. One whose monitor is gone is repaired first, and only then: this is the fast path.
fn find(home: &Home, name: &str) -> anyhow::Result<Record> {
    let record = mini_engine::find(home, name)?;
    let monitor = &record.state.monitor;
    if record.state.status.is_active() && !monitor.as_ref().is_some_and(|monitor| monitor.is_alive()) {
        super::repair(home);
        return Ok(mini_engine::find(home, name)?);
    }
    Ok(record)
}

fn request(args: &Exec) -> anyhow::Result<exec::Exec> {
    if args.tty && args.interactive && !args.detach && !terminal::is_terminal() {
        bail!("the input device is not a TTY");
    }
    let mut env = Vec::new();
    for file in &args.env_file {
        env.extend(file.read()?);
    }
    env.extend(args.env.iter().filter_map(|given| crate::values::variable(&given.0)));
    Ok(exec::Exec {
        arguments: args.command.clone(),
        env,
        user: args.user.clone().unwrap_or_default(),
        working_dir: args.workdir.clone().unwrap_or_default(),
        tty: args.tty,
        console_size: terminal::size().filter(|_| args.tty).map_or([0, 0], |size| [size.rows, size.columns]),
        privileged: args.privileged,
    })
}

/// As with Docker, what keeps the container from being asked at all is 1, an unknown user too, and what is wrong with the
/// request 126.
fn prepare(home: &Home, record: &Record, request: &exec::Exec) -> anyhow::Result<Ready> {
    use mini_engine::ExecError::{NotRunning, Paused, Restarting, User};
    exec::prepare(home, record, request).map_err(|error| match error {
        NotRunning(_) | Paused(_) | Restarting(_) | User(_) => error.into(),
        other => crate::failure::with_status(&other.into(), NOT_EXECUTABLE),
    })
}

fn start(ready: Ready, streams: ProgramSide) -> anyhow::Result<Started> {
    let inside = ready.plan.inside.clone();
    let first = ready.plan.first_inside();
    ready.run(streams).map_err(|error| {
        let place = match &error {
            StartError::Step { number, .. } => inside.get(number.wrapping_sub(first + 1)),
            StartError::Exec(_) | StartError::Prepare(_) => None,
        };
        refused(&error, place).into()
    })
}

/// A program that could not be started, in Docker's words.
fn refused(error: &StartError, step: Option<&Step>) -> Failure {
    let (why, status) = match (error, step) {
        (StartError::Exec(error), _) => (error.to_string(), error.exit_code() as u8),
        (StartError::Step { source, .. }, Some(Step::WorkingDirectory { path, .. })) => {
            let why = source.errno().desc().to_lowercase();
            let is_missing = matches!(source.errno(), Errno::ENOENT | Errno::ENOTDIR);
            let status = if is_missing { NOT_FOUND } else { NOT_EXECUTABLE };
            (
                format!("chdir to cwd ({:?}) set in config.json failed: {why}", path.display().to_string()),
                status,
            )
        }
        _ => (words(error), NOT_EXECUTABLE),
    };
    Failure {
        message: format!("OCI runtime exec failed: exec failed: unable to start container process: {why}"),
        hint: error.hint(),
        status,
    }
}

fn at_terminal(home: &Home, record: &Record, request: &exec::Exec, args: &Exec) -> anyhow::Result<u8> {
    let ready = prepare(home, record, request)?;
    let front = Front::take(args.interactive, args.detach_keys.clone())?;
    let story = Story::begin(home, record, request);
    let started = match start(ready, session::nothing()?) {
        Ok(started) => started,
        Err(error) => {
            // The terminal first: the message is to be read.
            drop(front);
            return Err(error);
        }
    };
    match front.stay(started)? {
        End::Exited(status) => {
            story.end(status);
            Ok(status as u8)
        }
        End::Detached => bail!("read escape sequence"),
    }
}

/// This command ends as soon as the program runs.
fn in_background(home: &Home, record: &Record, request: &exec::Exec) -> anyhow::Result<u8> {
    match Parent::start(home, record, request, None) {
        Ok(_) => Ok(0),
        // As with Docker, whose command line only hands on what it was told.
        Err(error) => bail!("{}", line(&error)),
    }
}

/// This command may be stopped by whoever is at the keyboard, and the program must be able to end all the same.
fn at_job_control(
    home: &Home,
    record: &Record,
    request: &exec::Exec,
    interactive: bool,
) -> anyhow::Result<u8> {
    let (theirs, ours) = session::streams(interactive)?;
    let parent = Parent::start(home, record, request, Some(theirs))?;
    session::attend(parent.socket(), ours)?;
    Ok(parent.status()? as u8)
}
