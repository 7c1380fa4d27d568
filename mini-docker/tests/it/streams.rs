//! Standard input, output and error of a container without a terminal.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use mini_layers::Digest;

use crate::harness::{Engine, eventually};

/// Bytes that no text is made of, and that no two blocks have in common.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn output_and_errors_stay_apart() {
    let Some(engine) = Engine::new() else { return };
    let done = engine.with("run --rm host sh -c", &["echo out; echo err >&2; echo -n more; exit 3"]);
    done.exits(3);
    assert_eq!((done.out(), done.err()), ("out\nmore".to_owned(), "err\n".to_owned()));
}

#[test]
fn bytes_go_in_and_out_unchanged_and_the_end_of_input_arrives() {
    let Some(engine) = Engine::new() else { return };
    for length in [0, 1, 32 * 1024, 8_000_001] {
        let sent = noise(length);
        let done = engine.feed("run --rm -i host cat", &[] as &[&str], sent.clone());
        done.ok();
        assert_eq!(Digest::of(&done.stdout), Digest::of(&sent), "{length} bytes");
    }
    let sum = engine.feed("run --rm -i host sha256sum", &[] as &[&str], noise(3_000_000)).ok();
    assert_eq!(
        format!("sha256:{}", sum.split(' ').next().unwrap()),
        Digest::of(&noise(3_000_000)).to_string()
    );
}

#[test]
fn without_i_there_is_no_input() {
    let Some(engine) = Engine::new() else { return };
    let done = engine.feed("run --rm host sh -c", &["wc -c; readlink /proc/self/fd/0"], "ignored");
    assert_eq!(done.ok(), "0\n/dev/null");
    // In the background -i keeps input open, with nobody to write to it.
    engine.call("run -d -i --name open host cat").ok();
    assert_eq!(engine.inspect("open", ".State.Running"), "true");
}

#[test]
fn a_program_that_reads_no_input_ends_all_the_same() {
    let Some(engine) = Engine::new() else { return };
    let done = engine.feed("run --rm -i host sh -c", &["echo done; exit 5"], noise(4_000_000));
    assert_eq!(done.exits(5), "done");
    let done = engine.feed("run --rm -i host head -c 10", &[] as &[&str], noise(4_000_000));
    done.ok();
    assert_eq!(done.stdout, noise(10));
    // It closes its input and goes on.
    let done = engine.feed("run --rm -i host sh -c", &["exec <&-; sleep 0.1; echo on"], noise(4_000_000));
    assert_eq!(done.ok(), "on");
}

#[test]
fn a_slow_reader_loses_nothing_and_holds_the_program_back() {
    let Some(engine) = Engine::new() else { return };
    let script = "head -c 6000000 /dev/zero | tr '\\0' x; echo; echo end";
    let mut child = engine.command("run --rm host sh -c", &[script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut read = 0;
    let mut last = Vec::new();
    let mut chunk = vec![0; 100_000];
    loop {
        let length = stdout.read(&mut chunk).unwrap();
        if length == 0 {
            break;
        }
        read += length;
        last = chunk[..length].to_vec();
        if read < 1_000_000 {
            sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(read, 6_000_000 + "\nend\n".len());
    assert!(last.ends_with(b"\nend\n"));
    assert_eq!(crate::harness::exit_code(&mut child, || "run".to_owned()), 0);
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_program() {
    let Some(engine) = Engine::new() else { return };
    let script = "for i in $(seq 5000); do echo line $i; done; echo at the end >&2";
    let mut command = engine.command("run --name chatty host sh -c", &[script]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = [0; 7];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"line 1\n");
    crate::harness::exit_code(&mut child, || "run".to_owned());
    eventually("the program has ended", || engine.inspect("chatty", ".State.Status") == "exited");
    assert_eq!(engine.inspect("chatty", ".State.ExitCode"), "0");
    assert_eq!(engine.call("logs chatty").err(), "at the end\n");
}

#[test]
fn nobody_waits_for_a_program_that_writes_for_ever_to_nobody() {
    let Some(engine) = Engine::new() else { return };
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    for (line, stdin) in
        [("run --name web host yes", Stdio::null()), ("run --name web -i host cat", zeros.into())]
    {
        let mut child = engine
            .command(line, &[] as &[&str])
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = [0; 2];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        // As with Docker the command leaves, and the program runs on as long as it likes.
        assert_ne!(crate::harness::exit_code(&mut child, || line.to_owned()), 0);
        engine.call("rm -f web").ok();
    }
}

#[test]
fn input_arrives_while_the_program_runs() {
    let Some(engine) = Engine::new() else { return };
    let mut command = engine.command("run --rm -i host sh -c", &["while read line; do echo got $line; done"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for word in ["one", "two"] {
        writeln!(stdin, "{word}").unwrap();
        let mut answer = vec![0; "got one\n".len()];
        stdout.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), format!("got {word}\n"));
    }
    drop(stdin);
    assert_eq!(crate::harness::exit_code(&mut child, || "run".to_owned()), 0);
}

#[test]
fn what_the_program_leaves_running_ends_with_it_and_does_not_hold_the_output_open() {
    let Some(engine) = Engine::new() else { return };
    let done = engine.with("run --rm host sh -c", &["sleep 1000 & sleep 1000 >/dev/null & echo started"]);
    assert_eq!(done.ok(), "started");
}

#[test]
fn very_long_lines_and_bytes_that_are_no_text_arrive_and_are_logged() {
    let Some(engine) = Engine::new() else { return };
    let script = "head -c 100000 /dev/zero | tr '\\0' a; printf '\\377\\376\\n'";
    let done = engine.with("run --name odd host sh -c", &[script]);
    done.ok();
    assert_eq!(done.stdout.len(), 100_003);
    assert!(done.stdout.ends_with(b"a\xff\xfe\n"));
    let logged = engine.call("logs odd");
    logged.ok();
    assert_eq!(logged.out(), String::from_utf8_lossy(&done.stdout));
}
