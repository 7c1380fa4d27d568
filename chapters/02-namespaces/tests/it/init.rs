//! Pid 1 and its duties: invariants 4 (no zombie stays) and 5 (signals go in, the end comes out) of the book's
//! chapter 2. Requires root, and sh(1).

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};

use mini_sys::Pid;
use mini_sys::signal::{self, Signal};

use crate::needs;

/// The example with our pid 1 before a shell command, and the pid that this pid 1 has outside.
fn start(command: &str) -> (Child, Pid) {
    let mut example = needs::example("init");
    example.args(["sh", "-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = example.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let pid = line.split_whitespace().find_map(|word| word.parse::<i32>().ok().filter(|pid| *pid != 1));
    (child, Pid::from_raw(pid.unwrap()))
}

fn exit_code(command: &str) -> Option<i32> {
    start(command).0.wait().unwrap().code()
}

#[test]
fn the_exit_code_is_the_programs() {
    if !needs::root() {
        return;
    }
    assert_eq!(exit_code("exit 0"), Some(0));
    assert_eq!(exit_code("exit 7"), Some(7));
    assert_eq!(exit_code("kill -KILL $$"), Some(137));
}

#[test]
fn the_program_is_not_pid_1_and_starts_with_a_clean_slate() {
    if !needs::root() {
        return;
    }
    let (mut child, _) = start("echo $$ $PPID; trap : TERM; kill -TERM $$; echo alive");
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.wait().unwrap();
    assert_eq!(output, "2 1\nalive\n");
}

#[test]
fn orphans_that_end_are_taken_in() {
    if !needs::root() {
        return;
    }
    let output = needs::stdout(&needs::example("init").output().unwrap());
    assert_eq!(output, "a pid 1 that only waits has 3 zombies\nour pid 1 has 0 zombies\n");
}

#[test]
fn signals_to_pid_1_reach_the_program() {
    if !needs::root() {
        return;
    }
    for (signal, name) in [(Signal::SIGTERM, "TERM"), (Signal::SIGHUP, "HUP"), (Signal::SIGUSR1, "USR1")] {
        let trap = format!("trap 'exit 5' {name}; echo ready; while :; do sleep 0.02; done");
        let (mut child, pid) = start(&trap);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        signal::kill(pid, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5), "{name}");
    }
}

#[test]
fn a_program_without_a_handler_is_ended_by_the_signal() {
    if !needs::root() {
        return;
    }
    let (mut child, pid) = start("echo ready; exec sleep 60");
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    signal::kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn what_is_left_ends_with_pid_1() {
    if !needs::root() {
        return;
    }
    let (mut child, _) = start("sleep 60 & exit 3");
    let mut output = String::new();
    let mut stdout = child.stdout.take().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    // The sleeping one holds the pipe open for as long as it lives.
    stdout.read_to_string(&mut output).unwrap();
    assert_eq!(output, "");
}

/// Requires script(1), which runs a command on a terminal of its own.
#[test]
fn the_program_has_the_terminals_foreground() {
    if !needs::root() || !needs::program("script") {
        return;
    }
    // Fields 5 and 8 of proc_pid_stat(5): the process group, and the terminal's foreground group.
    let show = "read a b c d group f g foreground rest </proc/self/stat; echo $group $foreground";
    let init = needs::example_path("init");
    let command = format!("{} sh -c '{show}'", init.display());
    let mut script = std::process::Command::new("script");
    let output = script.args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    let output = needs::stdout(&output);
    let last: Vec<&str> = output.lines().last().unwrap_or_default().split_whitespace().collect();
    let [group, foreground] = last[..] else { panic!("{output}") };
    assert_eq!(group, foreground);
    assert!(!output.contains(&format!("pid 1 inside is {group} ")), "pid 1 kept it: {output}");
}
