//! Does the student's answer agree with the kernel, for residents of rooms that differ from run to run?

use std::error::Error;
use std::process::ExitCode;

use course_check::{Check, Program, kernel};

const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(1);
        let me = std::process::id();
        let one = some_kinds(check);
        let (mut first, one) = resident(check, &one)?;
        let other = some_kinds(check);
        let (mut second, other) = resident(check, &other)?;
        compare(check, "a resident and a process of the host", one, me)?;
        compare(check, "two residents", one, other)?;
        compare(check, "a process and itself", other, other)?;
        first.finish()?;
        second.finish()?;

        let mut expectant = check.start("driver", ["expectant"])?;
        expectant.line()?;
        compare(
            check,
            "a process whose children will be born elsewhere, and one of the host",
            expectant.pid(),
            me,
        )?;
        expectant.finish()?;

        let mut short = check.start("driver", ["1", "1"])?;
        let gone = short.pid();
        short.finish()?;
        let answer = ask(check, gone, me)?;
        check
            .invariant(1, "a process that has ended cannot be asked")
            .expected("an error")
            .found(if answer.is_empty() {
                "an empty list: nothing shared".to_owned()
            } else {
                answer.clone()
            })
            .cause("an error was turned into \"nothing\"; pass it on with `?`")
            .holds(answer.starts_with("error:"));
        Ok(())
    })
}

/// Two to four of the kinds, in no special order. All of them can be made by one who is root in this user namespace.
fn some_kinds(check: &mut Check) -> Vec<&'static str> {
    let mut left = KINDS.to_vec();
    let count = check.number(2..=4);
    (0..count).map(|_| left.swap_remove(check.number(0..=left.len() as u64 - 1) as usize)).collect()
}

fn resident(check: &Check, kinds: &[&str]) -> Result<(Program, u32), Box<dyn Error>> {
    let mut program = check.start("driver", [&["resident"], kinds].concat())?;
    let pid = program.line()?.parse()?;
    Ok((program, pid))
}

fn ask(check: &Check, one: u32, other: u32) -> Result<String, Box<dyn Error>> {
    Ok(check.start("driver", [one.to_string(), other.to_string()])?.line()?)
}

fn compare(check: &mut Check, who: &str, one: u32, other: u32) -> Result<(), Box<dyn Error>> {
    let mut shared = Vec::new();
    for kind in KINDS {
        if kernel::namespace(one, kind)? == kernel::namespace(other, kind)? {
            shared.push(kind);
        }
    }
    let answer = ask(check, one, other)?;
    check
        .invariant(1, format!("{who} ({one} and {other})"))
        .expected(format!("shared: {}", shared.join(" ")))
        .found(format!("shared: {answer}"))
        .cause("compare what the links lead to (stat), of the process itself and not of its children")
        .holds(answer == shared.join(" "));
    Ok(())
}
