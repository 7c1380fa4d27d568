//! Are orphans taken in, do signals arrive, and does the program's end come out?

use std::error::Error;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use course_check::{Check, Program, kernel};
use mini_sys::Pid;
use mini_sys::signal::{Signal, kill};

const SIGNALS: [Signal; 5] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        let orphans = check.number(5..=30);
        let signal = SIGNALS[check.number(0..=4) as usize];
        let code = check.number(3..=99);
        let (mut program, first) = start(check, orphans, signal, code)?;
        if !within(2000, || kernel::children(first).len() as u64 == orphans + 1) {
            program.line()?;
        }
        let inside = kernel::children(first).into_iter().find(|pid| is_number_2(*pid));

        // Pid 1 is stopped while they end, so that all of it is one SIGCHLD.
        send(first, Signal::SIGSTOP)?;
        program.say(&"x".repeat(orphans as usize))?;
        within(2000, || zombies(first) as u64 == orphans);
        send(first, Signal::SIGCONT)?;
        within(1500, || zombies(first) == 0);
        let left = zombies(first);
        check
            .invariant(4, format!("{orphans} orphans that end at once are taken in"))
            .expected("no zombie below pid 1")
            .found(format!("{left} of {orphans} are zombies"))
            .cause("signals of one kind do not queue: after a SIGCHLD, ask until there is no one left to ask about")
            .holds(left == 0);

        check.proving(5);
        let lives = is_alive(first) && inside.is_some_and(is_alive);
        check
            .invariant(5, "pid 1 and its program outlive the orphans")
            .expected("both alive")
            .found(if lives {
                "both alive"
            } else {
                "pid 1 has ended, and the kernel ended the program with it"
            })
            .cause("`reap` tells of any child: compare its pid with `child.pid`")
            .holds(lives);
        let Some(inside) = inside.filter(|_| lives) else { return Ok(()) };

        send(first, signal)?;
        let arrived = within(1500, || !is_alive(inside));
        check
            .invariant(5, format!("{signal} to pid 1 reaches the program"))
            .expected("the program ends, as it does on this signal")
            .found(if arrived { "it ended" } else { "it sleeps on" })
            .cause("what `signal::next` returns has to be passed on, all but SIGCHLD")
            .holds(arrived);
        if !arrived {
            return Ok(());
        }
        compare(check, &mut program, &format!("a program that ends with {code}"), code)?;

        let (mut program, first) = start(check, 1, signal, code)?;
        if !within(2000, || kernel::children(first).len() == 2) {
            program.line()?;
        }
        for pid in kernel::children(first).into_iter().filter(|pid| is_number_2(*pid)) {
            send(pid, Signal::SIGKILL)?;
        }
        compare(check, &mut program, "a program that SIGKILL ends", 128 + 9)
    })
}

fn start(check: &Check, orphans: u64, signal: Signal, code: u64) -> Result<(Program, u32), Box<dyn Error>> {
    let arguments = [orphans.to_string(), (signal as i32).to_string(), code.to_string()];
    let mut program = check.start("driver", arguments)?;
    let first = program.line()?.parse()?;
    program.line()?;
    Ok((program, first))
}

fn compare(check: &mut Check, program: &mut Program, who: &str, code: u64) -> Result<(), Box<dyn Error>> {
    let ended = program.finish()?;
    let found = ended.code.map_or("no status".to_owned(), |code| format!("status {code}"));
    check
        .invariant(5, format!("{who} gives its pid 1 the status {code}"))
        .expected(format!("status {code}"))
        .found(&found)
        .cause("return the `Exit` that `reap` gave for the program, as it is")
        .holds(found == format!("status {code}"));
    Ok(())
}

/// Whether `done` becomes true in so many milliseconds.
fn within(milliseconds: u64, mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < until {
        if done() {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    done()
}

fn send(pid: u32, signal: Signal) -> mini_sys::Result<()> {
    kill(Pid::from_raw(pid.cast_signed()), signal)
}

fn is_zombie(pid: u32) -> bool {
    kernel::status(pid, "State").is_ok_and(|state| state.starts_with('Z'))
}

fn is_alive(pid: u32) -> bool {
    kernel::status(pid, "State").is_ok_and(|state| !state.starts_with(['Z', 'X']))
}

fn zombies(parent: u32) -> usize {
    kernel::children(parent).into_iter().filter(|pid| is_zombie(*pid)).count()
}

/// The first that pid 1 made: the program.
fn is_number_2(pid: u32) -> bool {
    kernel::status(pid, "NSpid").is_ok_and(|pids| pids.split_ascii_whitespace().last() == Some("2"))
}
