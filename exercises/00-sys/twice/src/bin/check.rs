//! Does anything of the parent's happen twice when the child's code panics?

use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let task = check.word();
        let file = check.directory("notes")?.join(check.word());
        let mut driver = check.start("driver", [task.as_ref(), file.as_os_str()])?;
        let pid = driver.pid();
        let ended = driver.finish()?;

        let noted = fs::read_to_string(&file).unwrap_or_default();
        let noted: Vec<&str> = noted.lines().collect();
        check
            .invariant(3, "the parent's destructors ran once, in the parent")
            .expected(format!("cleaned up by {pid}"))
            .found(if noted.is_empty() { "nothing".to_owned() } else { noted.join(", ") })
            .cause("the child came back into the parent's code: by returning, or by a panic, which unwinds its copy of the stack")
            .holds(noted == [format!("cleaned up by {pid}")]);
        let times = ended.stdout.matches(&task).count();
        check
            .invariant(3, format!("what the parent had printed before, `{task} begun`, arrives once"))
            .expected("once")
            .found(format!("{times} times in `{}`", ended.stdout.trim_end()))
            .cause("exit(3) writes out the buffers, and the child has a copy of them; _exit(2) does not")
            .holds(times == 1);
        check
            .invariant(3, "the child whose code panicked leaves with `ABANDONED`")
            .expected("child ended with 125")
            .found(ended.stdout.trim_end())
            .cause("`leave` ends a process at once, with the status that it is given")
            .holds(ended.stdout.contains("child ended with 125"));
        Ok(())
    })
}
