//! Does the attack find the file from an open jail, and nothing from a walled one?

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use course_check::{Check, Program, kernel};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        let vault = check.directory("vault")?;
        let (name, text) = (check.word(), check.word());
        let secret = vault.join(&name);
        let mut victim =
            check.start("driver", ["victim".as_ref(), vault.as_os_str(), name.as_ref(), text.as_ref()])?;
        victim.line()?;

        let (mut open, _) = imprison(check, "open", &secret)?;
        let found = attack(&mut open)?;
        let stolen = check
            .invariant(2, "without a pid room, the attack reads a file of the host")
            .expected(format!("`{text}`, the text of {} for one process of the host", secret.display()))
            .found(&found)
            .cause("`/proc/<pid>/root` is the root of that process; the file is below one of them, and not below every one")
            .holds(found == format!("text {text}"));
        open.finish()?;
        if !stolen {
            return Ok(());
        }

        let (mut walled, pid) = imprison(check, "walled", &secret)?;
        let found = attack(&mut walled)?;
        check
            .invariant(2, "in the walled jail, the same attack finds nothing")
            .expected("nothing")
            .found(&found)
            .cause("it takes two things: a list of processes of its own, and a /proc that shows this list")
            .holds(found == "nothing");
        let (inside, outside) =
            (kernel::namespace(pid, "pid")?, kernel::namespace(std::process::id(), "pid")?);
        check
            .invariant(2, "the walled jail is in a pid room of its own")
            .expected("another inode than the host's")
            .found(format!("{inside} inside, {outside} outside"))
            .cause("the list of processes is a kind of namespace like any other")
            .holds(inside != outside);
        // Seen from here, a /proc shows what it shows to everybody: the room that it was mounted in.
        let listed = processes(&format!("/proc/{pid}/root/proc"))?;
        check
            .invariant(2, "its /proc lists nobody but those inside")
            .expected("1")
            .found(listed.join(" "))
            .cause("a /proc shows the pid room of who mounted it; the host's was shown again")
            .holds(listed == ["1"]);
        walled.finish()?;
        victim.finish()?;
        Ok(())
    })
}

fn imprison(check: &Check, how: &str, secret: &Path) -> Result<(Program, u32), Box<dyn Error>> {
    let jail = check.directory(how)?;
    fs::create_dir(jail.join("proc"))?;
    let mut program = check.start("driver", [how.as_ref(), jail.as_os_str(), secret.as_os_str()])?;
    let pid = program.line()?.parse()?;
    Ok((program, pid))
}

fn attack(program: &mut Program) -> Result<String, Box<dyn Error>> {
    program.say("go")?;
    Ok(program.line()?)
}

fn processes(directory: &str) -> std::io::Result<Vec<String>> {
    let names =
        fs::read_dir(directory)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.parse::<u32>().is_ok()).collect())
}
