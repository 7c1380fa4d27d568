//! `exec`: one more program in a container that runs, with the rooms, limits and powers of the first one.

use std::process::Stdio;

use mini_sys::signal::Signal;

use crate::harness::{Engine, await_end, eventually, is_alive, kill};

/// A container `web` that waits.
fn web(flags: &str) -> Option<Engine> {
    let engine = Engine::new()?;
    engine.call(&format!("run -d --name web {flags} host sleep 1000")).ok();
    Some(engine)
}

/// What a script prints in the container.
fn sh(engine: &Engine, flags: &str, script: &str) -> String {
    engine.with(&format!("exec {flags} web sh -c"), &[script]).ok()
}

#[test]
fn a_program_joins_every_namespace_of_the_container() {
    let Some(engine) = web("") else { return };
    let rooms = "cd /proc/self/ns; for room in cgroup ipc mnt net pid user uts; do readlink $room; done";
    let first = format!("/proc/{}/ns", engine.pid("web"));
    let outside: Vec<String> = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
        .map(|room| std::fs::read_link(format!("{first}/{room}")).unwrap().display().to_string())
        .to_vec();
    let inside = sh(&engine, "", rooms);
    assert_eq!(inside.lines().collect::<Vec<_>>(), outside);
    assert_eq!(sh(&engine, "", "tr '\\0' ' ' < /proc/1/cmdline"), "sleep 1000 ");
}

#[test]
fn it_has_the_limits_powers_and_directory_of_the_first_program() {
    let Some(engine) = web("--ulimit nofile=77:88 -w /tmp -e A=1") else { return };
    let asked = "pwd; ulimit -n; ulimit -Hn; echo $A $HOME; grep -E '^(Cap|NoNew)' /proc/self/status";
    let mut expected = "/tmp\n77\n88\n1 /root\n".to_owned();
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid("web"))).unwrap();
    let lines = status.lines().filter(|line| line.starts_with("Cap") || line.starts_with("NoNew"));
    expected += &lines.collect::<Vec<_>>().join("\n");
    assert_eq!(sh(&engine, "", asked), expected);
}

#[test]
fn it_is_in_the_cgroup_of_the_container() {
    let Some(engine) = web("-m 64m --pids-limit 20") else { return };
    let mut child = engine.command("exec web sleep 1000", &[] as &[&str]).spawn().unwrap();
    let command = child.id();
    let children = format!("/proc/{command}/task/{command}/children");
    let read = || std::fs::read_to_string(&children).unwrap_or_default();
    let is_sleep = || {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", read().trim()));
        name.is_ok_and(|name| name == "sleep\n")
    };
    eventually("it runs", is_sleep);
    let cgroup = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert_eq!(cgroup(read().trim()), cgroup(&engine.pid("web").to_string()));
    // With the container ends what runs in it.
    engine.call("rm -f web").ok();
    assert_eq!(child.wait().unwrap().code(), Some(137));
}

#[test]
fn flags_change_what_they_name() {
    let Some(engine) = web("-e A=1 -e B=1") else { return };
    assert_eq!(sh(&engine, "-e A=2 -e C=3", "echo $A $B $C"), "2 1 3");
    let file = engine.file("vars", "# none\nD=4\nE\n");
    let done = engine.with("exec --env-file", &[file.as_os_str(), "web".as_ref(), "env".as_ref()]);
    assert!(done.ok().contains("\nD=4\n") && !done.out().contains("\nE"), "{}", done.out());
    assert_eq!(sh(&engine, "-w /etc", "pwd"), "/etc");
    assert_eq!(sh(&engine, "-u 1000:7", "id -u; id -g; echo $HOME"), "1000\n7\n/");
    // The users are those that the container has by now.
    sh(&engine, "", "echo 'amy:x:1234:55::/srv:/bin/sh' >> /etc/passwd; echo 'pool:x:66:amy' >> /etc/group");
    assert_eq!(sh(&engine, "-u amy", "id -u; id -G; echo $HOME"), "1234\n55 66\n/srv");
    // As with Docker, all that there is to give.
    let effective = sh(&engine, "--privileged", "grep CapEff /proc/self/status");
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(Some(effective.as_str()), own.lines().find(|line| line.starts_with("CapEff")));
}

#[test]
fn a_link_in_the_container_does_not_lead_to_the_users_of_the_host() {
    let Some(engine) = web("") else { return };
    let secret = engine.file("passwd", "ghost:x:4242:4242::/:/bin/sh\n");
    sh(&engine, "", &format!("ln -sf {} /etc/passwd", secret.display()));
    let message = engine.call("exec -u ghost web true").fails(1);
    assert_eq!(message, "unable to find user ghost: no matching entries in passwd file");
    sh(&engine, "", "rm /etc/passwd; mkfifo /etc/passwd");
    engine.call("exec -u ghost web true").fails(1);
}

#[test]
fn streams_pass_unchanged_and_apart() {
    let Some(engine) = web("") else { return };
    let bytes: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    let done = engine.feed("exec -i web cat", &[] as &[&str], bytes.clone());
    done.ok();
    assert!(done.stdout == bytes, "what came back is another");
    let done = engine.with("exec web sh -c", &["echo out; echo err >&2"]);
    assert_eq!((done.ok(), done.err()), ("out".to_owned(), "err\n".to_owned()));
    // Without -i there is no input.
    assert_eq!(engine.feed("exec web cat", &[] as &[&str], "lost").ok(), "");
}

#[test]
fn the_exit_status_is_the_programs_own() {
    let Some(engine) = web("") else { return };
    for (script, status) in [("exit 0", 0), ("exit 77", 77), ("kill -9 $$", 137), ("kill -TERM $$", 143)] {
        engine.with("exec web sh -c", &[script]).exits(status);
    }
}

#[test]
fn what_cannot_be_run_is_told_in_dockers_words() {
    let Some(engine) = web("") else { return };
    let begin = "OCI runtime exec failed: exec failed: unable to start container process: ";
    for (line, status, end) in [
        ("nosuch", 127, "exec: \"nosuch\": executable file not found in $PATH"),
        ("/bin/nosuch", 127, "exec: \"/bin/nosuch\": stat /bin/nosuch: no such file or directory"),
        ("/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied"),
    ] {
        assert_eq!(engine.call(&format!("exec web {line}")).fails(status), format!("{begin}{end}"));
    }
    let message = engine.call("exec -w /nosuch web true").fails(127);
    let end = "chdir to cwd (\"/nosuch\") set in config.json failed: no such file or directory";
    assert_eq!(message, format!("{begin}{end}"));
    assert_eq!(engine.call("exec -w nosuch web true").fails(126), "Cwd must be an absolute path");
    let message = engine.call("exec -d web nosuch").fails(1);
    assert_eq!(message, format!("{begin}exec: \"nosuch\": executable file not found in $PATH"));
    let piped = engine.feed("exec -it web true", &[] as &[&str], "");
    assert_eq!(piped.fails(1), "the input device is not a TTY");
    engine.call("exec web").fails(1);
    engine.call("exec -e =x web true").fails(125);
    // The container is none the worse for it.
    assert_eq!(sh(&engine, "", "echo fine"), "fine");
}

#[test]
fn a_container_that_does_not_run_is_refused() {
    let Some(engine) = web("") else { return };
    let id = engine.inspect("web", ".Id");
    assert_eq!(engine.call("exec nosuch true").fails(1), "No such container: nosuch");
    engine.call("kill web").ok();
    eventually("it has ended", || engine.inspect("web", ".State.Status") == "exited");
    for line in ["exec web true", "exec -t web true", "exec -d web true", "container exec web true"] {
        assert_eq!(engine.call(line).fails(1), format!("container {id} is not running"));
    }
}

#[test]
fn a_container_whose_monitor_was_killed_is_repaired_first() {
    let Some(engine) = web("") else { return };
    let first = engine.pid("web");
    kill(crate::harness::parent(first), Signal::SIGKILL);
    eventually("its program is gone too", || !is_alive(first));
    let message = engine.call("exec web true").fails(1);
    assert!(message.ends_with("is not running"), "{message}");
    assert_eq!(engine.inspect("web", ".State.Status"), "exited");
}

#[test]
fn in_the_background_it_outlives_the_command() {
    let Some(engine) = web("") else { return };
    for flags in ["-d", "-d -t", "-d -i"] {
        let done =
            engine.with(&format!("exec {flags} web sh -c"), &["echo said; echo $$ > /pid; exec sleep 1000"]);
        assert_eq!((done.ok(), done.err()), (String::new(), String::new()));
        eventually("it runs", || {
            let asked = "grep -z sleep /proc/$(cat /pid)/cmdline > /dev/null && rm /pid";
            engine.with("exec web sh -c", &[asked]).code == 0
        });
    }
    // They end with the container, and somebody reaps them: otherwise the removal would wait.
    engine.call("rm -f web").ok();
}

#[test]
fn a_signal_ends_the_command_and_the_program_goes_on() {
    let Some(engine) = web("") else { return };
    let mut command = engine.command("exec web sh -c", &["echo $$ > /pid; exec sleep 1000"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("it runs", || engine.with("exec web test -s /pid", &[] as &[&str]).code == 0);
    kill(child.id() as i32, Signal::SIGINT);
    // Its streams are the program's too, and stay open.
    let mut child = child;
    assert_eq!(crate::harness::exit_code(&mut child, String::new), 130);
    assert_eq!(sh(&engine, "", "grep -cz sleep /proc/$(cat /pid)/cmdline"), "1");
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    let Some(engine) = web("") else { return };
    let start = |number: usize| {
        let script = format!("echo {number}; exit {number}");
        let mut command = engine.command("exec web sh -c", &[script]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..16).map(start).collect();
    for (number, child) in running.into_iter().enumerate() {
        assert_eq!(await_end(child, "exec".to_owned()).exits(number as i32), number.to_string());
    }
}
