//! Does the escape find a descriptor with any number, and does nothing but the streams get through `shut`?

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use course_check::Check;

fn main() -> ExitCode {
    course_check::main(|check| {
        let engine = check.directory("engine")?;
        let [state, keys] = [engine.join("state"), engine.join("keys")];
        fs::create_dir(&state)?;
        fs::create_dir(&keys)?;
        let jail = check.jail("jail")?;
        fs::create_dir(jail.join("proc"))?;
        fs::copy(std::env::current_exe()?.with_file_name("leaked-descriptor-inside"), jail.join("inside"))?;

        check.proving(5);
        let number = check.number(100..=900);
        out(check, &jail, &state, &keys, number)?;
        shut(check, &jail, &state, &keys, 3)?;
        shut(check, &jail, &state, &keys, number)
    })
}

/// The way out is open: is it found?
fn out(check: &mut Check, jail: &Path, state: &Path, keys: &Path, number: u64) -> Result<(), Box<dyn Error>> {
    let (name, key) = (check.word(), check.word());
    fs::write(keys.join(&name), &key)?;
    let mut program = start(check, "leaky", jail, state, number, &name)?;
    let found = program.line()?;
    check
        .invariant(5, format!("the engine left its directory open as {number}: from inside, read `keys/{name}` beside it"))
        .expected(format!("key {key}"))
        .found(&found)
        .cause("names of the host lead nowhere in here; `/proc/self/fd` lists what is open, under numbers that differ")
        .holds(found == format!("key {key}"));
    program.finish()?;
    Ok(())
}

/// The same engine calls `shut`: what is left?
fn shut(
    check: &mut Check,
    jail: &Path,
    state: &Path,
    keys: &Path,
    number: u64,
) -> Result<(), Box<dyn Error>> {
    let (name, key) = (check.word(), check.word());
    fs::write(keys.join(&name), &key)?;
    let mut program = start(check, "shut", jail, state, number, &name)?;
    let found = match program.line() {
        Ok(found) => found,
        // It could say nothing at all, not even what is wrong.
        Err(error) if program.stderr().is_empty() => {
            check
                .invariant(5, "after `shut` the program still has its three streams")
                .expected("a line on its standard output")
                .found(error)
                .cause("0, 1 and 2 are to stay open; what is to go begins at 3")
                .holds(false);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let open = open(program.pid())?;
    check
        .invariant(
            5,
            format!("after `shut`, with the directory open as {number}, the program has its streams alone"),
        )
        .expected("0 1 2")
        .found(&open)
        .cause("the streams are 0, 1 and 2; everything from 3 on is to go, and there is no highest number")
        .holds(open == "0 1 2");
    check
        .invariant(5, "after `shut`, the same escape finds no key")
        .expected("error: …")
        .found(&found)
        .cause("the descriptor is open in the jailed program still")
        .holds(found.starts_with("error: "));
    program.finish()?;
    Ok(())
}

fn start(
    check: &Check,
    how: &str,
    jail: &Path,
    state: &Path,
    number: u64,
    name: &str,
) -> Result<course_check::Program, course_check::ProgramError> {
    let number = number.to_string();
    check.start("driver", [how.as_ref(), jail.as_os_str(), state.as_os_str(), number.as_ref(), name.as_ref()])
}

/// The numbers of what a process has open, in order.
fn open(pid: u32) -> Result<String, Box<dyn Error>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        numbers.push(entry?.file_name().to_string_lossy().parse::<u32>()?);
    }
    numbers.sort_unstable();
    Ok(numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
}
