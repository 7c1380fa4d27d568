//! All of the chapter's claims, on containers that are started and looked after by the student's code.

use std::error::Error;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::{self, sleep};
use std::time::Duration;

use course_check::flood::{Flood, LINES, all_of, message};
use course_check::{Check, Program, kernel};
use mini_sys::{ipc, tty};
use serde_json::{Value, json};

/// CAP_KILL is number 5. capabilities(7), `linux/capability.h`.
const KILL: &str = "0000000000000020";

/// open(2): the terminal is not to become ours.
const O_NOCTTY: i32 = 0o400;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let root = check.jail("root")?;
        for name in ["dev", "proc"] {
            fs::create_dir(root.join(name))?;
        }
        fs::copy(std::env::current_exe()?.with_file_name("whole-start-inside"), root.join("inside"))?;
        fails(check, &root)?;
        if with_a_terminal(check, &root)? {
            check.proving(5);
            if onlooker_stops(check, &root)? {
                starter_is_slow(check, &root)?;
            }
        }
        Ok(())
    })
}

/// What a program is to have.
struct Wish {
    ids: [u64; 3],
    directory: PathBuf,
    size: [u64; 2],
}

impl Wish {
    fn new(check: &mut Check, root: &Path) -> Result<Self, Box<dyn Error>> {
        let name = check.word();
        fs::create_dir(root.join(&name))?;
        // Root's alone: its user could not enter it.
        fs::set_permissions(root.join(&name), fs::Permissions::from_mode(0o700))?;
        Ok(Self {
            ids: [(); 3].map(|()| check.number(1000..=60_000)),
            directory: Path::new("/").join(name),
            size: [check.number(40..=300), check.number(10..=90)],
        })
    }

    fn spec(&self, root: &Path, words: &[&str], terminal: bool) -> Value {
        let ([uid, gid, group], [columns, rows]) = (self.ids, self.size);
        let kill = ["CAP_KILL"];
        json!({
            "ociVersion": "1.1.0",
            "root": { "path": root },
            "process": {
                "args": words,
                "cwd": self.directory,
                "terminal": terminal,
                "consoleSize": { "width": columns, "height": rows },
                "user": { "uid": uid, "gid": gid, "additionalGids": [group] },
                "capabilities": {
                    "bounding": kill, "permitted": kill, "effective": kill, "inheritable": kill, "ambient": kill
                },
                "noNewPrivileges": true
            },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
                { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                  "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] }
            ],
            // Not the first of a pid namespace: to that one Ctrl-C does nothing unless it asks for it.
            "linux": { "namespaces": [{ "type": "mount" }] }
        })
    }
}

/// One container, its monitor, and the client that started it.
struct Run {
    monitor: Program,
    directory: PathBuf,
    starter: OwnedFd,
}

impl Run {
    fn new(check: &Check, name: &str, spec: &Value) -> Result<Self, Box<dyn Error>> {
        let directory = check.directory(name)?;
        fs::write(directory.join("config.json"), spec.to_string())?;
        let mut monitor = check.start("driver", [&directory])?;
        monitor.patience(Duration::from_secs(30));
        monitor.line()?; // "ready"
        let starter = ipc::connect(&directory, "starter")?;
        Ok(Self { monitor, directory, starter })
    }

    /// Waits until it is started: its pid, unless it cannot be, which counts against this invariant.
    fn pid(&mut self, check: &mut Check, invariant: u32) -> Result<Option<u32>, Box<dyn Error>> {
        let line = self.monitor.line()?;
        let pid = line.strip_prefix("started ").and_then(|pid| pid.parse().ok());
        check
            .invariant(invariant, "every step of the start succeeds")
            .expected("started")
            .found(&line)
            .cause("the step that failed needs what a step before it has given up, or has not made yet")
            .holds(pid.is_some());
        let Some(pid) = pid else { return Ok(None) };
        let state = kernel::status(pid, "State").unwrap_or_else(|_| "gone".to_owned());
        let lives = !state.starts_with('Z') && state != "gone";
        check
            .invariant(invariant, "what is said to be started is there")
            .expected("a process that runs or sleeps")
            .found(state)
            .cause("a panic on the way (a `todo!` that is left) ends it without a word; when nobody holds the far end of its terminal, SIGHUP does")
            .holds(lives);
        Ok(Some(pid).filter(|_| lives))
    }
}

/// Every start that fails says so, and why.
fn fails(check: &mut Check, root: &Path) -> Result<(), Box<dyn Error>> {
    let mut wish = Wish::new(check, root)?;
    let nosuch = format!("/{}", check.word());
    let not_found = format!("exec: \"{nosuch}\": stat {nosuch}: no such file or directory");
    failure(check, "missing", &wish.spec(root, &[&nosuch], true), &not_found)?;
    wish.directory = "/inside".into();
    failure(check, "nowhere", &wish.spec(root, &["/inside", "wait"], true), "Not a directory")
}

fn failure(check: &mut Check, name: &str, spec: &Value, expected: &str) -> Result<(), Box<dyn Error>> {
    let mut run = Run::new(check, name, spec)?;
    let found = run.monitor.line()?;
    check
        .invariant(3, "a start that fails is told, with what the kernel said")
        .expected(format!("failed: … {expected}"))
        .found(&found)
        .cause(
            "only the end of the channel says that the program runs; a report of a failure comes before it",
        )
        .holds(found.starts_with("failed: ") && found.ends_with(expected));
    let left = kernel::children(run.monitor.pid()).len();
    check
        .invariant(1, "of a start that failed, no process is left")
        .expected("no child of the monitor, not even a zombie")
        .found(format!("{left} children"))
        .cause("`perform` takes back what there is when `listen` returns an error")
        .holds(left == 0);
    run.monitor.finish()?;
    Ok(())
}

/// A program with all that a spec can ask for. False when nothing more can be learned.
fn with_a_terminal(check: &mut Check, root: &Path) -> Result<bool, Box<dyn Error>> {
    check.proving(2);
    let wish = Wish::new(check, root)?;
    let mut run = Run::new(check, "terminal", &wish.spec(root, &["/inside", "wait"], true))?;
    let Some(pid) = run.pid(check, 2)? else { return Ok(false) };
    let found = screen(&run.starter);
    let comes_out = check
        .invariant(2, "what the program writes at its terminal comes out at its starter")
        .expected("here")
        .found(&found)
        .cause("the near end for the program, the far end over the channel, and from there to each client")
        .holds(found == "here");
    if !comes_out {
        return Ok(false);
    }
    rights(check, pid, &wish)?;
    streams(check, pid)?;
    terminal(check, pid, &wish)?;
    session(check, pid)?;
    // Ctrl-C.
    ipc::send(&run.starter, &[b"0\x03"], true)?;
    let found = run.monitor.line().unwrap_or_else(|_| "it goes on".to_owned());
    let ended = check
        .invariant(2, "Ctrl-C at its starter ends the program")
        .expected("ended 130")
        .found(&found)
        .cause(
            "the terminal sends SIGINT to the foreground of the session that it controls: which one is that?",
        )
        .holds(found == "ended 130");
    Ok(ended)
}

fn rights(check: &mut Check, pid: u32, wish: &Wish) -> Result<(), Box<dyn Error>> {
    let four = |id: u64| [id; 4].map(|id| id.to_string()).join("\t");
    let [uid, gid, group] = wish.ids;
    let lines = [
        (
            "Uid",
            four(uid),
            2,
            "its user",
            "real, effective, saved and file system id are all the program's user",
        ),
        ("Gid", four(gid), 2, "its group", "the gid changes before the uid"),
        ("Groups", group.to_string(), 2, "its other groups", "setgroups(2) replaces the list"),
        (
            "CapEff",
            KILL.to_owned(),
            2,
            "what it may do",
            "PR_SET_KEEPCAPS before the change of user, capset(2) after",
        ),
        ("CapBnd", KILL.to_owned(), 2, "what it may ever get", "PR_CAPBSET_DROP while there is CAP_SETPCAP"),
        ("NoNewPrivs", "1".to_owned(), 2, "no way to more", "PR_SET_NO_NEW_PRIVS"),
        (
            "SigBlk",
            "0".repeat(16),
            4,
            "no signal is blocked",
            "the monitor has blocked SIGTERM, to hear of it in another way, and execve(2) leaves that as it is",
        ),
    ];
    for (field, expected, number, claim, cause) in lines {
        let found = kernel::status(pid, field)?;
        check
            .invariant(number, format!("{claim}: `{field}` of /proc/PID/status"))
            .expected(&expected)
            .found(&found)
            .cause(cause)
            .holds(found == expected);
    }
    let there = kernel::working_directory(pid)?;
    let asked = kernel::identity(inside(pid, &wish.directory))?;
    check
        .invariant(2, "its directory is the one that was asked for, which its own user could not enter")
        .expected(wish.directory.display())
        .found(if there == asked { "the same" } else { "another" })
        .cause("chdir(2) asks whether who calls may enter: it comes before the change of user")
        .holds(there == asked);
    Ok(())
}

fn streams(check: &mut Check, pid: u32) -> Result<(), Box<dyn Error>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let entry = entry?;
        let to = fs::read_link(entry.path())?;
        all.push(format!("{}: {}", entry.file_name().to_string_lossy(), to.display()));
    }
    all.sort();
    let (expected, found) = ("0: /dev/pts/0, 1: /dev/pts/0, 2: /dev/pts/0", all.join(", "));
    check
        .invariant(4, "the three streams are the terminal, and nothing else is open")
        .expected(expected)
        .found(&found)
        .cause("`settle` marks everything from 3 on; the terminal stands in for all three streams")
        .holds(found == expected);
    Ok(())
}

fn terminal(check: &mut Check, pid: u32, wish: &Wish) -> Result<(), Box<dyn Error>> {
    let path = inside(pid, Path::new("/dev/pts/0"));
    let about = fs::metadata(&path)?;
    let near = File::options().read(true).custom_flags(O_NOCTTY).open(&path)?;
    let now = tty::window_size(&near)?;
    let console = fs::metadata(inside(pid, Path::new("/dev/console"))).map_or(0, |console| console.rdev());
    let say = |user: u64, [columns, rows]: [u64; 2], same: bool| {
        format!(
            "of user {user}, {columns} by {rows}, {}shown as /dev/console",
            if same { "" } else { "not " }
        )
    };
    let expected = say(wish.ids[0], wish.size, true);
    let found = say(about.uid().into(), [now.columns.into(), now.rows.into()], console == about.rdev());
    check
        .invariant(2, "its terminal")
        .expected(&expected)
        .found(&found)
        .cause("chown(2), `TIOCSWINSZ` and a bind mount, before the far end is sent away")
        .holds(found == expected);
    Ok(())
}

/// proc_pid_stat(5): the session is field 6, its terminal 7.
fn session(check: &mut Check, pid: u32) -> Result<(), Box<dyn Error>> {
    let stat = kernel::read(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    let [session, terminal] = [3, 4].map(|at| fields.get(at).copied().unwrap_or("?"));
    let terminal: u64 = terminal.parse()?;
    let found = format!("session {session}, terminal {}:{}", terminal >> 8, terminal & 0xff);
    let expected = format!("session {pid}, terminal 136:0");
    check
        .invariant(2, "the terminal controls the program's session")
        .expected(&expected)
        .found(&found)
        .cause("`TIOCSCTTY`: streams alone do not make it the session's terminal")
        .holds(found == expected);
    Ok(())
}

/// A program with pipes that writes much, once it has read a line.
fn writer(check: &mut Check, root: &Path, name: &str) -> Result<(Run, Flood), Box<dyn Error>> {
    let word = check.word();
    let wish = Wish::new(check, root)?;
    let words = ["/inside", "write", &word, &LINES.to_string()];
    let mut run = Run::new(check, name, &wish.spec(root, &words, false))?;
    run.pid(check, 3)?.ok_or("the program does not run")?;
    let log = run.directory.join("log");
    Ok((run, Flood { word, log, invariant: 5 }))
}

/// One looks on and stops reading; the starter reads on. False when nothing more can be learned.
fn onlooker_stops(check: &mut Check, root: &Path) -> Result<bool, Box<dyn Error>> {
    let (mut run, flood) = writer(check, root, "onlooker")?;
    let onlooker = ipc::connect(&run.directory, "door")?;
    ipc::send(&onlooker, &[b"a"], true)?;
    // It is told that the program is there, and hears nothing more from then on.
    message(&onlooker)?;
    ipc::send(&run.starter, &[b"0go\n"], true)?;
    let starter = run.starter.try_clone()?;
    let reader = thread::spawn(move || all_of(&starter));
    let ended = run.monitor.line();
    let went_on = check
        .invariant(5, "one who looks on stops reading: the program and its log go on")
        .expected("ended 0")
        .found(match &ended {
            Ok(line) => line.clone(),
            Err(error) => format!("{error}; the log has {} bytes", flood.log_size()),
        })
        .cause("one process serves all: it may never wait for a client to read, and the program may wait for one client only")
        .holds(ended.is_ok_and(|line| line == "ended 0"));
    if !went_on {
        return Ok(false);
    }
    run.monitor.line()?; // "done"
    flood.memory(
        check,
        run.monitor.pid(),
        "who looks on is sent away when too much waits for it: the log has what it misses",
    )?;
    drop(onlooker);
    let read = reader.join().map_err(|_| "the reader's thread panicked")??;
    flood.compare(check, &read)?;
    run.monitor.finish()?;
    Ok(true)
}

/// The starter does not read until nothing moves any more.
fn starter_is_slow(check: &mut Check, root: &Path) -> Result<(), Box<dyn Error>> {
    let (mut run, flood) = writer(check, root, "starter")?;
    ipc::send(&run.starter, &[b"0go\n"], true)?;
    flood.stands_still();
    flood.is_held(check);
    let read = all_of(&run.starter)?;
    run.monitor.line()?; // "ended"
    run.monitor.line()?; // "done"
    flood.memory(check, run.monitor.pid(), "the starter's queue has no end")?;
    flood.compare(check, &read)?;
    run.monitor.finish()?;
    Ok(())
}

/// The first line that appears at the terminal, if one does within some seconds.
fn screen(socket: &OwnedFd) -> String {
    let mut seen = String::new();
    for _ in 0..500 {
        if ipc::is_readable(socket).unwrap_or(false) {
            match message(socket) {
                Ok(packet) if packet.first() == Some(&b'1') => seen += &String::from_utf8_lossy(&packet[1..]),
                Ok(packet) if packet.is_empty() => break,
                Ok(_) => {}
                Err(_) => break,
            }
            if seen.contains('\n') {
                break;
            }
        } else {
            sleep(Duration::from_millis(10));
        }
    }
    let line = seen.lines().next().unwrap_or("nothing").trim_end();
    line.to_owned()
}

fn inside(pid: u32, path: &Path) -> PathBuf {
    Path::new(&format!("/proc/{pid}/root")).join(path.strip_prefix("/").unwrap_or(path))
}
