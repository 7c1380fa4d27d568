//! Does whoever starts a program hear the truth about it, and soon?

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::{Check, Program, kernel};

fn main() -> ExitCode {
    course_check::main(|check| {
        let place = check.directory("place")?;
        check.proving(3);
        runs(check, &place)?;
        ends_by_itself(check, &place)?;
        fails(check, &place)
    })
}

/// One that stays: the answer must come while it does.
fn runs(check: &mut Check, place: &Path) -> Result<(), Box<dyn Error>> {
    let mut driver = start(check, place, (64, 64), &beside("program"))?;
    let line = match driver.line() {
        Ok(line) => line,
        Err(error) if driver.stderr().is_empty() => {
            check
                .invariant(3, "a program that stays is said to run while it does")
                .expected("runs PID")
                .found(error)
                .cause("the end of the channel is seen when its *last* copy is closed: who has one still? The program, if the channel does not close on exec; the parent, if it keeps its own")
                .holds(false);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let pid: Option<u32> = line.strip_prefix("runs ").and_then(|pid| pid.parse().ok());
    let image = pid.and_then(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok());
    let name = image.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    check
        .invariant(3, "what is said to run is the program, and it is that by now")
        .expected("runs PID, and /proc/PID/exe is last-words-program")
        .found(format!("{line}, and /proc/PID/exe is {name}"))
        .cause("the answer came before execve(2) had succeeded")
        .holds(name == "last-words-program");
    if let Some(pid) = pid {
        check.proving(4);
        let open = open(pid)?;
        check
            .invariant(4, "the program has its streams and nothing else")
            .expected("0 1 2")
            .found(&open)
            .cause("the channel is the parent's and the new process's: it closes on exec")
            .holds(open == "0 1 2");
        check.proving(3);
    }
    driver.finish()?;
    Ok(())
}

/// One that runs and ends at once, with the status that shells give a program that is not there.
fn ends_by_itself(check: &mut Check, place: &Path) -> Result<(), Box<dyn Error>> {
    let mut driver = start(check, place, (64, 64), &beside("hasty"))?;
    let mut found = driver.line()?;
    if found.starts_with("runs ") {
        found = "runs, ".to_owned() + &driver.line()?;
    }
    check
        .invariant(3, "a program that ends with 127 at once has been started")
        .expected("runs, ended 127")
        .found(&found)
        .cause("an exit status is the program's to choose: whether it was started has to be told another way")
        .holds(found == "runs, ended 127");
    driver.finish()?;
    Ok(())
}

/// Every step can fail.
fn fails(check: &mut Check, place: &Path) -> Result<(), Box<dyn Error>> {
    let program = beside("program");
    let nowhere = place.join(check.word());
    let text = place.join(check.word());
    fs::write(&text, "no program\n")?;
    let garbage = place.join(check.word());
    fs::write(&garbage, "neither\n")?;
    fs::set_permissions(&garbage, fs::Permissions::from_mode(0o755))?;
    let files = check.number(20..=60);
    let cases = [
        (nowhere.as_path(), files, program.as_path(), "step 1: ENOENT"),
        (text.as_path(), files, program.as_path(), "step 1: ENOTDIR"),
        // More now than at most.
        (place, files + 1, program.as_path(), "step 2: EINVAL"),
        (place, files, nowhere.as_path(), "step 3: ENOENT"),
        (place, files, text.as_path(), "step 3: EACCES"),
        (place, files, garbage.as_path(), "step 3: ENOEXEC"),
    ];
    for (directory, now, program, expected) in cases {
        let mut driver = start(check, directory, (now, files), program)?;
        let found = driver.line()?;
        check
            .invariant(3, format!("a failure is told with its step and errno: {expected}"))
            .expected(expected)
            .found(&found)
            .cause("step and number go over the channel together; the parent makes the sentence")
            .holds(found == expected);
        let left = kernel::children(driver.pid()).len();
        check
            .invariant(3, "of a process that failed, nothing is left")
            .expected("no child of the driver, not even a zombie")
            .found(format!("{left} children"))
            .cause("it has ended, and its parent is to wait for it: `pidfd::wait`")
            .holds(left == 0);
        driver.finish()?;
    }
    Ok(())
}

fn start(
    check: &Check,
    directory: &Path,
    files: (u64, u64),
    program: &Path,
) -> Result<Program, Box<dyn Error>> {
    let [now, most] = [files.0, files.1].map(|number| number.to_string());
    let words = [directory.as_os_str(), now.as_ref(), most.as_ref(), program.as_os_str()];
    Ok(check.start("driver", words)?)
}

fn beside(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    let path = this.with_file_name(format!("last-words-{name}"));
    path.canonicalize().unwrap_or(path)
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
