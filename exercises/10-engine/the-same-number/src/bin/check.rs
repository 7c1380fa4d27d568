//! Whom do the three engines hit?

use std::error::Error;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use course_check::{Check, Program, kernel};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let cause = "the number is free once its owner has ended *and* was waited for; the next one that the kernel gives out is the one after `ns_last_pid`";
        if attacked(check, "trusting", true, cause)? && attacked(check, "looking", true, cause)? {
            attacked(
                check,
                "holding",
                false,
                "your attack was the same; the descriptor means the process that was opened, and that has ended",
            )?;
        }
        Ok(())
    })
}

/// Whether the attack on `engine` came to what it should: another process has the number, and is hit or not.
fn attacked(check: &mut Check, engine: &str, is_hit: bool, cause: &str) -> Result<bool, Box<dyn Error>> {
    let spare = check.number(2..=40).to_string();
    let mut driver = check.start("driver", [engine, &spare])?;
    let remembered = driver.line()?;
    let pid =
        remembered.strip_prefix("remembers ").ok_or_else(|| format!("the driver said `{remembered}`"))?;
    let said = driver.line()?;
    let other = stranger(&driver, pid);
    let taken = check
        .invariant(3, format!("{engine}: while the engine relies on its number, another process gets it"))
        .expected(format!("now {pid}, and a process `sleep 1000` that has this number inside"))
        .found(match other {
            Some(_) => format!("{said}, and there is one"),
            None => format!("{said}, and there is none"),
        })
        .cause(cause)
        .holds(said == format!("now {pid}") && other.is_some());
    let Some(other) = other.filter(|_| taken) else { return Ok(false) };
    driver.say("go on")?;
    driver.line()?; // "sent"
    let hit = ends(other, is_hit);
    let claim = if is_hit { "the engine kills a stranger" } else { "the engine lets the stranger live" };
    check
        .invariant(3, format!("{engine}: {claim}"))
        .expected(if is_hit { "the stranger is dead" } else { "the stranger lives" })
        .found(if hit { "the stranger is dead" } else { "the stranger lives" })
        .cause(cause)
        .holds(hit == is_hit);
    driver.finish()?;
    Ok(hit == is_hit)
}

/// The process below the driver that has this number in its own namespace and lives, by the number that it has here. It may
/// still be on its way through execve(2), and has no command line then.
fn stranger(driver: &Program, inside: &str) -> Option<u32> {
    let begun = Instant::now();
    loop {
        match look(driver, inside) {
            None if begun.elapsed() < Duration::from_secs(2) => sleep(Duration::from_millis(5)),
            found => return found,
        }
    }
}

fn look(driver: &Program, inside: &str) -> Option<u32> {
    let first = kernel::children(driver.pid());
    let all = first.into_iter().flat_map(kernel::children);
    all.into_iter().find(|pid| {
        let numbers = kernel::status(*pid, "NSpid").unwrap_or_default();
        let is_sleep = kernel::command(*pid).is_ok_and(|words| words == "sleep 1000");
        numbers.split_whitespace().last() == Some(inside) && is_sleep
    })
}

/// Whether it ends; where it should not, half a second is enough to see.
fn ends(pid: u32, should: bool) -> bool {
    let patience = if should { Duration::from_secs(5) } else { Duration::from_millis(500) };
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if kernel::status(pid, "State").map_or(true, |state| state.starts_with('Z')) {
            return true;
        }
        sleep(Duration::from_millis(10));
    }
    false
}
