//! Does the attack find what the newcomer has open, and does `hide` keep it from being found?

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use course_check::Check;

fn main() -> ExitCode {
    course_check::main(|check| {
        let engine = check.directory("engine")?;
        let [state, keys] = [engine.join("state"), engine.join("keys")];
        fs::create_dir(&state)?;
        fs::create_dir(&keys)?;
        let jail = check.jail("jail")?;
        fs::create_dir(jail.join("proc"))?;
        fs::copy(std::env::current_exe()?.with_file_name("over-the-shoulder-inside"), jail.join("inside"))?;
        check.proving(4);
        let (name, key) = (check.word(), check.word());
        fs::write(keys.join(&name), &key)?;
        let secret = check.word();
        fs::write(state.join("self"), &secret)?;

        let (found, _) = run(check, "careless", &jail, &state, &name)?;
        check
            .invariant(4, format!("an engine joins the container with its directory open: read `keys/{name}` beside it"))
            .expected(format!("key {key}"))
            .found(&found)
            .cause("it is there for less than a second, as a process of its own: /proc/PID/fd of each, again and again")
            .holds(found == format!("key {key}"));
        let (found, engine) = run(check, "hidden", &jail, &state, &name)?;
        check
            .invariant(4, "an engine that calls `hide` joins the container: the attack finds nothing")
            .expected("error: …")
            .found(&found)
            .cause("what it has open can be seen until execve(2): it is the process that must not be looked into")
            .holds(found.starts_with("error: "));
        check
            .invariant(4, "what the engine has open still works after `hide`")
            .expected(format!("engine {secret}"))
            .found(&engine)
            .cause("nothing is to be closed: the engine needs it until it becomes a program")
            .holds(engine == format!("engine {secret}"));
        Ok(())
    })
}

/// What the attack says, and the engine.
fn run(
    check: &Check,
    how: &str,
    jail: &Path,
    state: &Path,
    name: &str,
) -> Result<(String, String), Box<dyn Error>> {
    let mut program =
        check.start("driver", [how.as_ref(), jail.as_os_str(), state.as_os_str(), name.as_ref()])?;
    program.patience(Duration::from_secs(15));
    let ready = program.line()?;
    if ready != "ready" {
        return Err(format!("the container's first process said `{ready}`").into());
    }
    program.say("join")?;
    let ended = program.finish()?;
    let find = |wanted: &[&str]| {
        let found = ended.stdout.lines().find(|line| wanted.iter().any(|word| line.starts_with(word)));
        found.unwrap_or("nothing").to_owned()
    };
    Ok((find(&["key ", "error: "]), find(&["engine "])))
}
