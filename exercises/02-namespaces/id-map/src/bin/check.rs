//! Which maps did the kernel take, from an ordinary user and from root?

use std::error::Error;
use std::process::ExitCode;

use course_check::{Check, kernel};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        // A user's own group has mostly another number than the user.
        let (uid, gid) = (check.number(2000..=29_999), check.number(30_000..=59_999));
        let arguments = ["ordinary".to_owned(), uid.to_string(), gid.to_string()];
        compare(
            check,
            "an ordinary user",
            &arguments,
            [&format!("0 {uid} 1"), &format!("0 {gid} 1"), "deny"],
        )?;

        let (uid, gid) = (check.number(100_000..=199_999), check.number(200_000..=299_999));
        let count = check.number(2..=65_536);
        let arguments = ["privileged".to_owned(), uid.to_string(), gid.to_string(), count.to_string()];
        let maps = [&format!("0 {uid} {count}"), &format!("0 {gid} {count}"), "allow"];
        compare(check, "root", &arguments, maps)
    })
}

fn compare(
    check: &mut Check,
    who: &str,
    arguments: &[String],
    expected: [&str; 3],
) -> Result<(), Box<dyn Error>> {
    let mut program = check.start("driver", arguments)?;
    let pid: u32 = program.line()?.parse()?;
    // One step a line.
    let said = program.line()?.replace("; ", "\n");
    for (file, expected) in ["uid_map", "gid_map", "setgroups"].into_iter().zip(expected) {
        let text = kernel::read(format!("/proc/{pid}/{file}"))?;
        let found = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let cause = match (file, who) {
            ("setgroups", "root") => "root may keep setgroups(2): only an ordinary user has to give it up",
            ("setgroups", _) => {
                "nobody wrote `deny`, or too late: once a map of groups is there it is refused"
            }
            _ => {
                "the kernel's answer to each of your steps stands there too; man 7 user_namespaces has the conditions"
            }
        };
        check
            .invariant(3, format!("{file} of a namespace that {who} made"))
            .expected(expected)
            .found(match found.as_str() {
                right if right == expected => right.to_owned(),
                "" => format!("no map\n{said}"),
                wrong => format!("{wrong}\n{said}"),
            })
            .cause(cause)
            .holds(found == expected);
    }
    program.finish()?;
    Ok(())
}
