//! Has the program a terminal, of its own, and does its session obey it?

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::{Check, Program, kernel};
use mini_sys::tty;

/// open(2): the terminal is not to become ours.
const O_NOCTTY: i32 = 0o400;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        let root = check.jail("root")?;
        for name in ["dev", "proc"] {
            fs::create_dir(root.join(name))?;
        }
        fs::copy(std::env::current_exe()?.with_file_name("own-terminal-inside"), root.join("inside"))?;
        let uid = check.number(1000..=60_000);
        let size = [check.number(40..=300), check.number(10..=90)];
        let words = [root.display().to_string(), uid.to_string(), size[0].to_string(), size[1].to_string()];
        let mut program = check.start("driver", words)?;
        let line = program.line()?;
        let pid = line.strip_prefix("started ").and_then(|pid| pid.parse().ok());
        check
            .invariant(2, "every step of the start succeeds")
            .expected("started")
            .found(&line)
            .cause("each of these calls has something that must come before it; the error names the call")
            .holds(pid.is_some());
        let Some(pid) = pid else { return Ok(()) };
        if !runs(check, pid) || !the_streams(check, pid)? || !the_screen(check, &mut program)? {
            return Ok(());
        }
        the_terminal(check, pid, uid, size)?;
        the_console(check, pid)?;
        the_session(check, pid)?;
        interrupt(check, &mut program)
    })
}

/// A process that panics on the way ends without a word, and silence is taken for success.
fn runs(check: &mut Check, pid: u32) -> bool {
    let state = kernel::status(pid, "State").unwrap_or_else(|_| "gone".to_owned());
    let lives = !state.starts_with('Z') && state != "gone";
    check
        .invariant(2, "what is said to be started is there")
        .expected("a process that runs or sleeps")
        .found(state)
        .cause("a panic on the way (a `todo!` that is left) ends it without a word; when nobody holds the far end of its terminal, SIGHUP does")
        .holds(lives)
}

/// Where its descriptors lead.
fn the_streams(check: &mut Check, pid: u32) -> Result<bool, Box<dyn Error>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let number: u32 = entry.file_name().to_string_lossy().parse()?;
        all.push((number, fs::read_link(entry.path())?.display().to_string()));
    }
    all.sort();
    let found: Vec<String> = all.iter().map(|(number, to)| format!("{number}: {to}")).collect();
    let output = all.iter().find(|(number, _)| *number == 1).map_or("nothing", |(_, to)| to);
    let is_near = check
        .invariant(2, "what the program writes to is the near end, which has a name in its own /dev/pts")
        .expected("1: /dev/pts/0")
        .found(format!("1: {output}"))
        .cause("opening `/dev/ptmx` gives the far end, which is the monitor's; the near end is the program's")
        .holds(output == "/dev/pts/0");
    let expected = "0: /dev/pts/0, 1: /dev/pts/0, 2: /dev/pts/0";
    check
        .invariant(4, "the three streams are the terminal, and nothing else is open")
        .expected(expected)
        .found(found.join(", "))
        .cause("`become_stdio` takes three answers: which of the streams are to be this one?")
        .holds(found.join(", ") == expected);
    Ok(is_near)
}

/// What the program writes comes out at the far end.
fn the_screen(check: &mut Check, program: &mut Program) -> Result<bool, Box<dyn Error>> {
    let found = program.line()?;
    Ok(check
        .invariant(2, "what the program writes comes out where the monitor reads")
        .expected("screen here")
        .found(&found)
        .cause("over the channel goes the far end: the other one than the program has")
        .holds(found == "screen here"))
}

fn the_terminal(check: &mut Check, pid: u32, uid: u64, size: [u64; 2]) -> Result<(), Box<dyn Error>> {
    let path = inside(pid, "dev/pts/0");
    let about = fs::metadata(&path)?;
    let found = format!("user {}, group {}", about.uid(), about.gid());
    let expected = format!("user {uid}, group 5");
    check
        .invariant(2, "the terminal is its user's, and of the group that devpts gave it")
        .expected(&expected)
        .found(&found)
        .cause("it was made by root: without chown(2) its user cannot open `/dev/tty`'s name again, as `tmux` does")
        .holds(found == expected);
    let terminal = File::options().read(true).custom_flags(O_NOCTTY).open(&path)?;
    let now = tty::window_size(&terminal)?;
    let [expected, found] =
        [size, [now.columns.into(), now.rows.into()]].map(|[columns, rows]| format!("{columns} by {rows}"));
    check
        .invariant(2, "it has the size that was asked for")
        .expected(&expected)
        .found(&found)
        .cause("`TIOCSWINSZ` before the program runs: what asks at its first line would get 0 by 0")
        .holds(found == expected);
    Ok(())
}

fn the_console(check: &mut Check, pid: u32) -> Result<(), Box<dyn Error>> {
    let device = |name: &str| match fs::metadata(inside(pid, name)) {
        Ok(about) if about.rdev() == 0 => "an ordinary file".to_owned(),
        Ok(about) => format!("device {}:{}", about.rdev() >> 8, about.rdev() & 0xff),
        Err(error) => error.to_string(),
    };
    let [expected, found] = ["dev/pts/0", "dev/console"].map(device);
    let there = kernel::mounts(pid)?.into_iter().find(|mount| mount.point == "/dev/console");
    check
        .invariant(2, "`/dev/console` is the same terminal, by a mount")
        .expected(format!("{expected}, a mount of devpts"))
        .found(match &there {
            Some(mount) => format!("{found}, a mount of {}", mount.kind),
            None => format!("{found}, no mount"),
        })
        .cause("mount(2) with MS_BIND shows one file at the place of another, which has to be there")
        .holds(found == expected && there.is_some_and(|mount| mount.kind == "devpts"));
    Ok(())
}

/// proc_pid_stat(5): the session is field 6, its terminal 7, the terminal's foreground group 8.
fn the_session(check: &mut Check, pid: u32) -> Result<(), Box<dyn Error>> {
    let stat = kernel::read(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let [session, terminal, foreground] = [3, 4, 5].map(|at| fields.get(at).copied().unwrap_or("?"));
    let terminal: u64 = terminal.parse()?;
    let has =
        if terminal == 0 { "none".to_owned() } else { format!("{}:{}", terminal >> 8, terminal & 0xff) };
    let found = format!("session {session}, terminal {has}, foreground {foreground}");
    let expected = format!("session {pid}, terminal 136:0, foreground {pid}");
    check
        .invariant(2, "the terminal controls the program's session, and the program is in front")
        .expected(&expected)
        .found(&found)
        .cause("`TIOCSCTTY`: streams alone do not make it the session's terminal")
        .holds(found == expected);
    Ok(())
}

/// Ctrl-C, which is a byte until the terminal makes a signal of it.
fn interrupt(check: &mut Check, program: &mut Program) -> Result<(), Box<dyn Error>> {
    program.say("key 3")?;
    let mut found = Vec::new();
    // The terminal shows `^C` before the program has ended.
    let ended = loop {
        match program.line() {
            Ok(line) if line == "closed" => break true,
            Ok(line) => found.push(line),
            Err(_) => break false,
        }
    };
    let status = program.finish()?.stdout;
    let status = status.trim();
    check
        .invariant(2, "Ctrl-C at the far end ends the program")
        .expected("ended 130, which is 128 and SIGINT")
        .found(if ended { status } else { "it goes on" })
        .cause(
            "the terminal sends SIGINT to the foreground of the session that it controls: which one is that?",
        )
        .holds(ended && status == "ended 130");
    Ok(())
}

fn inside(pid: u32, name: &str) -> PathBuf {
    Path::new(&format!("/proc/{pid}/root")).join(name)
}
