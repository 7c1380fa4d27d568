//! Are the answers those of the kernel, also for a process that lies about itself?

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use course_check::{Check, kernel};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(1);
        for name in ["first", "second"] {
            about_a_liar(check, name)?;
        }
        Ok(())
    })
}

fn about_a_liar(check: &mut Check, name: &str) -> Result<(), Box<dyn Error>> {
    // A program, a directory and a file that nobody can know before.
    let directory = check.directory(&format!("{name}-{}", check.seed()))?;
    let program = directory.join(format!("program-{}", check.word()));
    fs::copy(std::env::current_exe()?.with_file_name("read-a-process-liar"), &program)?;
    let file = directory.join(check.word());
    fs::write(&file, "")?;
    let number = check.number(10..=90).to_string();
    let name = format!("{}) S {} (x", check.number(10..=99), check.number(2..=9));

    let mut parent = start(&program, &directory, [&file.to_string_lossy(), &number, &name])?;
    let pid = *kernel::children(parent.id()).first().ok_or("the process to ask about is not there")?;
    let of = pid.to_string();
    let questions: [(&str, &[&str], String, &str); 4] = [
        (
            "the program",
            &["program", &of],
            program.display().to_string(),
            "its name and its command line are its own words; the kernel has a link to the program's file",
        ),
        (
            "the directory",
            &["directory", &of],
            directory.display().to_string(),
            "`PWD` is a variable like any other; the kernel has a link to the working directory",
        ),
        (
            "the file behind a descriptor",
            &["file", &of, &number],
            file.display().to_string(),
            "each process has descriptors of its own: /proc/self is the one that reads it",
        ),
        (
            "the parent",
            &["parent", &of],
            parent.id().to_string(),
            "/proc/PID/stat has the name as its second word, and a name may hold blanks; `PPid` in status has a line of its own",
        ),
    ];
    for (what, words, expected, cause) in questions {
        let found = check.start("driver", words)?.line()?;
        check
            .invariant(1, format!("{what} of process {pid}, which calls itself `{name}`"))
            .expected(&expected)
            .found(&found)
            .cause(cause)
            .holds(found == expected);
    }
    drop(parent.stdin.take());
    parent.wait()?;
    Ok(())
}

/// Starts the liar and waits until it is what it claims not to be.
fn start(program: &Path, directory: &Path, words: [&str; 3]) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(words).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut String::new())?;
    }
    Ok(child)
}
