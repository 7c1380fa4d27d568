//! Does each end arrive as it was, from the right child, through a signal, and without a zombie?

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use course_check::{Check, kernel};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How a program may be ended, as kill(1) and signal(7) name it.
const SIGNALS: [(&str, u32); 4] = [("KILL", 9), ("USR2", 12), ("ALRM", 14), ("TERM", 15)];

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        // A code that could be taken for a signal's, and the other way round.
        let signal = SIGNALS[check.number(0..=3) as usize];
        let code = u64::from(128 + signal.1);
        let others = check.number(1..=99);
        ends(check, &format!("sleep 0.2; exit {code}"), others, &format!("code {code}"))?;
        let killed = format!("sleep 0.2; kill -{} $$", signal.0);
        ends(check, &killed, others + 1, &format!("signal {}", signal.1))?;
        through_a_signal(check, others + 2)
    })
}

/// A child ends while another has ended before it.
fn ends(check: &mut Check, command: &str, others: u64, expected: &str) -> Result<(), Box<dyn Error>> {
    let mut driver = check.start("driver", [command, &format!("exit {others}")])?;
    let pids = driver.line()?;
    let first = driver.line()?;
    check
        .invariant(
            4,
            format!("the end of `{command}`, while another child has ended before with code {others}"),
        )
        .expected(expected)
        .found(&first)
        .cause(if first == format!("code {others}") {
            "this is the other child's end: P_PIDFD waits for one child, P_ALL for any"
        } else if first.starts_with("code") && expected.starts_with("signal") {
            "si_status holds an exit code or a signal's number; si_code says which (CLD_EXITED)"
        } else {
            "with WNOHANG waitid(2) returns at once and fills in nothing; with WEXITED alone it waits"
        })
        .holds(first == expected);
    let second = driver.line()?;
    check
        .invariant(4, "the end of the child that ended first, fetched last")
        .expected(format!("code {others}"))
        .found(&second)
        .cause("its end was given to somebody who had asked for another child's")
        .holds(second == format!("code {others}"));
    let zombies: Vec<String> = kernel::children(driver.pid()).iter().map(u32::to_string).collect();
    check
        .invariant(4, "no child is left, neither running nor as a zombie")
        .expected("none")
        .found(if zombies.is_empty() {
            "none".to_owned()
        } else {
            format!("{} of {pids}", zombies.join(" "))
        })
        .cause("with WNOWAIT, or without fetching, the kernel keeps the end and the child's number")
        .holds(zombies.is_empty());
    driver.finish()?;
    Ok(())
}

/// A signal comes to the one who waits.
fn through_a_signal(check: &mut Check, code: u64) -> Result<(), Box<dyn Error>> {
    let mut driver = check.start("driver", [format!("sleep 0.5; exit {code}"), "exit 0".to_owned()])?;
    driver.line()?;
    let waiting = Pid::from_raw(driver.pid().cast_signed());
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(50));
        // One that has ended already is told by what it printed.
        let _ = kill(waiting, Signal::SIGUSR1);
    }
    let found = driver.line()?;
    check
        .invariant(4, "a signal arrives while the call waits")
        .expected(format!("code {code}"))
        .found(&found)
        .cause(if found.starts_with("error") {
            "EINTR is no failure: ask again, as `call` in call.rs does for you"
        } else {
            "the end that was fetched is not this child's"
        })
        .holds(found == format!("code {code}"));
    driver.finish()?;
    Ok(())
}
