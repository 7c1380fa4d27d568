//! Has the program exactly what its spec says, when it begins?

use std::error::Error;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use course_check::{Check, kernel};

/// CAP_KILL is number 5. capabilities(7), `linux/capability.h`.
const KILL: &str = "0000000000000020";

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        let root = check.jail("root")?;
        let name = check.word();
        let directory = root.join(&name);
        fs::create_dir(&directory)?;
        // Root's alone: its user could not enter it.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
        let [uid, gid, group] = [(); 3].map(|()| check.number(1000..=60_000));
        let words = [
            root.display().to_string(),
            uid.to_string(),
            gid.to_string(),
            group.to_string(),
            format!("/{name}"),
        ];
        let mut program = check.start("driver", words)?;
        let line = program.line()?;
        let started = line.strip_prefix("started ").and_then(|pid| pid.parse().ok());
        check
            .invariant(2, "every step is done while there is still the right to it")
            .expected("started")
            .found(&line)
            .cause("the step that failed needs what a step before it has given up: which one?")
            .holds(started.is_some());
        if let Some(pid) = started {
            compare(check, pid, [uid, gid, group], &directory)?;
        }
        program.finish()?;
        Ok(())
    })
}

fn compare(
    check: &mut Check,
    pid: u32,
    [uid, gid, group]: [u64; 3],
    directory: &Path,
) -> Result<(), Box<dyn Error>> {
    let four = |id: u64| [id; 4].map(|id| id.to_string()).join("\t");
    let lines = [
        (
            "Uid",
            four(uid),
            "its user",
            "real, effective, saved and file system id are all the program's user",
        ),
        ("Gid", four(gid), "its group", "the gid changes before the uid: afterwards there is no right to it"),
        (
            "Groups",
            group.to_string(),
            "its other groups",
            "setgroups(2) replaces the list; whoever leaves it out keeps the groups of whoever started the engine",
        ),
        (
            "CapEff",
            KILL.to_owned(),
            "what it may do",
            "without PR_SET_KEEPCAPS the change of user clears all sets, and capset(2) can give nothing back",
        ),
        (
            "CapBnd",
            KILL.to_owned(),
            "what a program that it runs may ever get",
            "PR_CAPBSET_DROP for every other capability, while there is still CAP_SETPCAP",
        ),
        (
            "NoNewPrivs",
            "1".to_owned(),
            "no set-user-id program gives it more",
            "PR_SET_NO_NEW_PRIVS needs no right, and nothing undoes it: it can come last",
        ),
    ];
    for (field, expected, claim, cause) in lines {
        let found = kernel::status(pid, field)?;
        check
            .invariant(2, format!("{claim}: `{field}` of /proc/PID/status"))
            .expected(&expected)
            .found(&found)
            .cause(cause)
            .holds(found == expected);
    }
    let [there, asked] =
        [Path::new(&format!("/proc/{pid}/cwd")), directory].map(|path| fs::metadata(path).map(|it| it.ino()));
    let (there, asked) = (there?, asked?);
    check
        .invariant(2, "its directory is the one that was asked for, which its own user could not enter")
        .expected(format!("inode {asked}"))
        .found(format!("inode {there}"))
        .cause("chdir(2) asks whether who calls may enter: it comes before the change of user")
        .holds(there == asked);
    Ok(())
}
