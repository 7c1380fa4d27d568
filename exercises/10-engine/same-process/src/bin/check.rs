//! Is a process told from others that have its number, had it, or have ended?

use std::error::Error;
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};

use course_check::{Check, kernel};

/// What the kernel says of a process.
struct Known {
    pid: u32,
    start_time: u64,
    boot: String,
}

impl Known {
    fn of(pid: u32) -> Result<Self, Box<dyn Error>> {
        let stat = kernel::read(format!("/proc/{pid}/stat"))?;
        // The name stands in brackets and may hold anything.
        let after = stat.rsplit_once(')').ok_or("a stat without a name")?.1;
        let start_time = after.split_whitespace().nth(19).ok_or("a stat without a start time")?.parse()?;
        let boot = kernel::read("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Self { pid, start_time, boot })
    }

    fn words(&self) -> [String; 3] {
        [self.pid.to_string(), self.start_time.to_string(), self.boot.clone()]
    }
}

fn ask(check: &Check, verb: &str, words: &[String]) -> Result<String, Box<dyn Error>> {
    let arguments = [verb.to_owned()].into_iter().chain(words.iter().cloned());
    let mut program = check.start("driver", arguments.collect::<Vec<_>>())?;
    let answer = program.line()?;
    program.finish()?;
    Ok(answer)
}

fn claim(
    check: &mut Check,
    claim: &str,
    known: &Known,
    expected: &str,
    cause: &str,
) -> Result<(), Box<dyn Error>> {
    let found = ask(check, "alive", &known.words())?;
    check.invariant(3, claim).expected(expected).found(&found).cause(cause).holds(found == expected);
    Ok(())
}

/// A child that has ended and has not been waited for.
fn zombie(pid: u32) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    while !kernel::status(pid, "State")?.starts_with('Z') {
        if begun.elapsed() > Duration::from_secs(5) {
            return Err("`true` does not end".into());
        }
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let mut other = check.start("driver", ["wait"])?;
        other.line()?; // "here"
        let known = Known::of(other.pid())?;
        // Some ticks later: when it started is not when it is looked at.
        sleep(Duration::from_millis(100));

        let expected = known.words().join(" ");
        let found = ask(check, "of", &known.words()[..1])?;
        check
            .invariant(3, "what is remembered tells the process from every other")
            .expected(&expected)
            .found(&found)
            .cause("field 22 of /proc/PID/stat, and /proc/sys/kernel/random/boot_id")
            .holds(found == expected);

        claim(check, "a process that sleeps is alive", &known, "yes", "nothing about it has changed")?;
        let ticks = check.number(1..=known.start_time.max(2) - 1);
        let earlier = Known { start_time: known.start_time - ticks, ..Known::of(known.pid)? };
        claim(
            check,
            "one that had this pid before is not alive",
            &earlier,
            "no",
            "the pid is another's by now: the start time says so",
        )?;
        let boot = format!("{}-of-another-boot", check.word());
        let yesterday = Known { boot, ..Known::of(known.pid)? };
        claim(
            check,
            "one of another boot is not alive, even with the same pid and start time",
            &yesterday,
            "no",
            "start times are counted from the boot, so they come again after it",
        )?;

        let mut child = Command::new("true").spawn()?;
        zombie(child.id())?;
        let ended = Known::of(child.id())?;
        claim(
            check,
            "one that has ended and is still in the list is not alive",
            &ended,
            "no",
            "it is a zombie: its state in /proc/PID/stat is `Z`",
        )?;
        child.wait()?;
        other.finish()?;
        claim(check, "one that has ended is not alive", &known, "no", "there is no such process any more")?;
        let found = ask(check, "of", &known.words()[..1])?;
        check
            .invariant(3, "of a process that is gone nothing is remembered")
            .expected("none")
            .found(&found)
            .cause("there is no /proc/PID to read")
            .holds(found == "none");
        Ok(())
    })
}
