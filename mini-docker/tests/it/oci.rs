//! `oci …`: the life cycle of the OCI runtime specification, with runc's flags and words, on bundles of `runc spec`.

use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;

use mini_sys::file::{self, CWD, Mode, OFlags, ResolveFlags};
use mini_sys::ipc;
use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};
use crate::harness::eventually;
use crate::pty::Session;

#[test]
fn a_bundle_of_runc_spec_runs_unchanged_with_a_terminal_at_a_console_socket() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |_| {});
    let socket = runtime.path("console");
    let listener = UnixListener::bind(&socket).unwrap();
    let line = format!("create --bundle {} --console-socket {} box", bundle.display(), socket.display());
    runtime.apart(&line);
    let (stream, _) = listener.accept().unwrap();
    let (_, console) = ipc::receive(&stream, &mut [0; 64]).unwrap();
    let mut console = std::fs::File::from(console.expect("the terminal comes with a message"));
    assert_eq!(runtime.status("box"), "created");
    runtime.call("start box").ok();
    console.write_all(b"echo $((20 + 22)); tty; exit\n").unwrap();
    let mut shown = Vec::new();
    // The end of a terminal is an error.
    let _ = console.read_to_end(&mut shown);
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains("\n42\r\n/dev/pts/0\r\n"), "{shown}");
    eventually("it has stopped", || runtime.status("box") == "stopped");
    runtime.call("delete box").ok();
    assert_eq!(runtime.call("state box").fails(1), "container does not exist");
}

#[test]
fn the_engines_root_is_not_the_runtimes() {
    let Some(runtime) = Runtime::new() else { return };
    let engine = runtime.path("engine");
    std::fs::create_dir_all(engine.join("images/blobs")).unwrap();
    let with_variable = |line: &str| {
        let mut command = std::process::Command::new(crate::harness::binary());
        command.arg("oci").args(line.split_whitespace()).env("MINI_DOCKER_ROOT", &engine);
        crate::harness::finish(&mut command, None)
    };
    // What the variable names is the engine's, and what is there no container.
    with_variable("delete --force images").ok();
    assert!(engine.join("images/blobs").exists());
    // Nor is it when the root is typed.
    let typed = format!("--root {} delete --force images", engine.display());
    let message = with_variable(&typed).fails(1);
    assert!(message.ends_with("engine/images is no container's: it has directories in it"), "{message}");
    assert!(engine.join("images/blobs").exists());
}

#[test]
fn the_directory_of_states_that_nobody_named_goes_with_the_last_container() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "sleep 1000");
    let id = format!("last-{}", std::process::id());
    let unnamed = |line: &str| {
        let mut command = std::process::Command::new(crate::harness::binary());
        command.arg("oci").args(line.split_whitespace()).env_remove("MINI_DOCKER_ROOT");
        crate::harness::finish(&mut command, None)
    };
    let states = std::path::Path::new("/run/mini-docker-oci");
    let line = format!("create --bundle {} {id}", bundle.display());
    let out = std::fs::File::create(runtime.path("output")).unwrap();
    let mut create = std::process::Command::new(crate::harness::binary());
    create.arg("oci").args(line.split_whitespace()).stdout(out.try_clone().unwrap()).stderr(out);
    assert!(create.status().unwrap().success(), "{}", runtime.output());
    // Another command that finds nothing to do takes nothing away.
    unnamed("delete --force nobody").ok();
    assert!(states.join(&id).exists());
    unnamed(&format!("delete --force {id}")).ok();
    eventually("the directory is gone", || !states.exists());
}

#[test]
fn run_without_detach_serves_the_terminal_itself() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |_| {});
    let mut session =
        Session::start(&mut runtime.command(&format!("run -b {} box", bundle.display())), 70, 30);
    session.wait_for("# ");
    session.keys("stty size; exit 5\r");
    let (code, text) = session.end();
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("30 70"), "{text}");
    assert_eq!(runtime.call("list -q").ok(), "");
}

#[test]
fn without_a_terminal_the_streams_are_the_callers() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "cat; echo err >&2; hostname; exit 6");
    let mut command = runtime.command(&format!("run --bundle {} box", bundle.display()));
    let done = crate::harness::finish(&mut command, Some(b"in\n".to_vec()));
    assert_eq!((done.exits(6).as_str(), done.err().as_str()), ("in\nrunc", "err\n"));
    let wants_none = runtime.call(&format!("create --bundle {} --console-socket x box", bundle.display()));
    assert!(wants_none.fails(1).starts_with("cannot use console socket"));
    let other = runtime.bundle("other", |_| {});
    let wants_one = runtime.call(&format!("create --bundle {} box", other.display()));
    assert!(wants_one.fails(1).starts_with("cannot allocate tty"));
}

#[test]
fn a_container_goes_through_its_states_and_nothing_else() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |config| {
        run_script(config, "echo started; exec sleep 1000");
        config["annotations"] = json!({ "org.example.a": "b" });
    });
    let pid_file = runtime.path("pid");
    runtime.apart(&format!("create -b {} --pid-file {} box", bundle.display(), pid_file.display()));
    let state = runtime.state("box");
    assert_eq!((&state["status"], &state["id"]), (&json!("created"), &json!("box")));
    assert_eq!(state["bundle"], json!(bundle));
    assert_eq!((&state["rootfs"], &state["owner"]), (&json!(bundle.join("rootfs")), &json!("root")));
    assert_eq!(state["annotations"], json!({ "org.example.a": "b" }));
    assert_eq!(std::fs::read_to_string(pid_file).unwrap(), state["pid"].to_string());
    assert_eq!(runtime.output(), "", "its program has not started");
    let again = runtime.call(&format!("create -b {} box", bundle.display()));
    assert_eq!(again.fails(1), "container with given ID already exists");

    runtime.call("start box").ok();
    eventually("its program writes", || runtime.output() == "started\n");
    assert_eq!(runtime.status("box"), "running");
    assert_eq!(runtime.call("start box").fails(1), "cannot start an already running container");
    assert_eq!(
        runtime.call("delete box").fails(1),
        "cannot delete container box that is not stopped: running"
    );
    runtime.call("pause box").ok();
    assert_eq!(runtime.status("box"), "paused");
    runtime.call("resume box").ok();
    assert_eq!(runtime.status("box"), "running");

    runtime.call("kill box KILL").ok();
    eventually("it has stopped", || runtime.status("box") == "stopped");
    assert_eq!(runtime.state("box")["pid"], json!(0));
    assert_eq!(runtime.call("kill box").fails(1), "container not running");
    assert_eq!(runtime.call("start box").fails(1), "cannot start a container that has stopped");
    assert_eq!(runtime.call("pause box").fails(1), "container not running");
    runtime.call("delete box").ok();
    for verb in ["state", "start", "kill", "delete", "pause", "resume"] {
        assert_eq!(runtime.call(&format!("{verb} box")).fails(1), "container does not exist");
    }
    runtime.call("delete --force box").ok();
    assert!(runtime.call("state ../box").fails(1).starts_with("invalid container ID format"));
}

#[test]
fn what_was_created_and_never_started_is_deleted() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "echo never");
    runtime.apart(&format!("create -b {} box", bundle.display()));
    runtime.call("delete box").ok();
    assert_eq!(runtime.output(), "");
    // The name is free.
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    eventually("it has run", || runtime.output() == "never\n");
}

#[test]
fn a_program_that_is_not_there_is_told_at_once_and_leaves_nothing() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |config| {
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["nosuch"]);
    });
    let log = runtime.path("log.json");
    let line = format!("--log {} --log-format json create -b {} box", log.display(), bundle.display());
    let message = runtime.call(&line).fails(1);
    let expected = "unable to start container process: exec: \"nosuch\": executable file not found in $PATH";
    assert_eq!(message, expected);
    let entry: Value = serde_json::from_str(&std::fs::read_to_string(log).unwrap()).unwrap();
    assert_eq!((&entry["level"], &entry["msg"]), (&json!("error"), &json!(expected)));
    assert_eq!(runtime.call("list -q").ok(), "");
    let message = runtime.call("create -b /nosuch box").fails(1);
    assert!(message.contains("/nosuch"), "{message}");
    std::fs::remove_file(bundle.join("config.json")).unwrap();
    let message = runtime.call(&format!("create -b {} box", bundle.display())).fails(1);
    assert!(message.starts_with("JSON specification file config.json not found"), "{message}");
}

#[test]
fn containers_are_listed() {
    let Some(runtime) = Runtime::new() else { return };
    assert_eq!(
        runtime.call("list").ok(),
        "ID          PID         STATUS      BUNDLE      CREATED     OWNER"
    );
    let bundle = runtime.script("bundle", "exec sleep 1000");
    for id in ["one", "two"] {
        runtime.apart(&format!("create -b {} {id}", bundle.display()));
    }
    runtime.call("start two").ok();
    assert_eq!(runtime.call("list -q").ok(), "one\ntwo");
    let all: Value = serde_json::from_str(&runtime.call("list -f json").ok()).unwrap();
    assert_eq!((&all[0]["status"], &all[1]["status"]), (&json!("created"), &json!("running")));
    assert!(runtime.call("list").ok().lines().nth(2).unwrap().starts_with("two   "));
}

#[test]
fn one_more_program_is_run_from_a_process_file_or_a_command() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "exec sleep 1000");
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    assert_eq!(runtime.call("exec -e A=1 --cwd /tmp -u 7:8 box sh -c pwd").ok(), "/tmp");
    assert_eq!(runtime.call("exec -u 7:8 box id -u").ok(), "7");
    let process = json!({
        "cwd": "/etc", "args": ["sh", "-c", "pwd; echo $A; exit 9"], "env": ["PATH=/bin", "A=5"],
        "user": { "uid": 0, "gid": 0 }
    });
    std::fs::write(runtime.path("process.json"), process.to_string()).unwrap();
    assert_eq!(runtime.call("exec --process process.json box").exits(9), "/etc\n5");
    runtime.apart("exec -d --pid-file second box sleep 1000");
    let second: i32 = std::fs::read_to_string(runtime.path("second")).unwrap().parse().unwrap();
    let mut pids: Vec<i32> = serde_json::from_str(&runtime.call("ps -f json box").ok()).unwrap();
    pids.sort_unstable();
    let mut expected = vec![runtime.state("box")["pid"].as_i64().unwrap() as i32, second];
    expected.sort_unstable();
    assert_eq!(pids, expected);
    let table = runtime.call("ps box -o pid,args").ok();
    assert!(table.lines().skip(1).all(|line| line.ends_with("sleep 1000")), "{table}");
    let message = runtime.call("exec box nosuch").fails(127);
    let end = "unable to start container process: exec: \"nosuch\": executable file not found in $PATH";
    assert_eq!(message, format!("exec failed: {end}"));
    runtime.call("kill --all box 9").ok();
    eventually("all have ended", || !crate::harness::is_alive(second));
}

#[test]
fn limits_are_kept_and_changed() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("bundle", |config| {
        run_script(config, "exec sleep 1000");
        config["linux"]["resources"]["memory"] = json!({ "limit": 64 << 20 });
        config["linux"]["resources"]["pids"] = json!({ "limit": 30 });
        config["linux"]["resources"]["cpu"] = json!({ "shares": 0 });
    });
    runtime.apart(&format!("run -d -b {} box", bundle.display()));
    let stats = || -> Value { serde_json::from_str(&runtime.call("events --stats box").ok()).unwrap() };
    assert_eq!(stats()["data"]["memory"]["usage"]["limit"], json!(64 << 20));
    assert_eq!(stats()["data"]["pids"], json!({ "current": 1, "limit": 30 }));
    runtime.call("update --memory 83886080 --pids-limit 40 box").ok();
    assert_eq!(stats()["data"]["pids"]["limit"], json!(40));
    let file = runtime.path("limits.json");
    std::fs::write(&file, json!({ "memory": { "limit": 100 << 20, "swap": 200 << 20 } }).to_string())
        .unwrap();
    runtime.call("update --resources limits.json box").ok();
    assert_eq!(stats()["data"]["memory"]["usage"]["limit"], json!(100 << 20));
}

#[test]
fn what_the_runtime_can_do_is_told() {
    let Some(runtime) = Runtime::new() else { return };
    let features: Value = serde_json::from_str(&runtime.call("features").ok()).unwrap();
    assert_eq!(features["hooks"].as_array().unwrap().len(), 6);
    assert!(runtime.call("--version").ok().contains("spec: 1."));
    std::fs::create_dir(runtime.path("own")).unwrap();
    crate::bundles::make_root(&runtime.path("own/rootfs"));
    runtime.call("spec --bundle own").ok();
    assert!(runtime.call("spec --bundle own").fails(1).contains("Remove it first"));
    let mut session = Session::start(&mut runtime.command("run --bundle own box"), 70, 30);
    session.wait_for("# ");
    session.keys("hostname; exit\r");
    assert!(session.end().1.contains("mini-docker"));
}

#[test]
fn the_runtimes_own_file_cannot_be_written_by_way_of_its_processes() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.script("bundle", "echo here; sleep 1000");
    // A file of its own: one that anybody runs cannot be written anyway.
    let program = runtime.path("program");
    // cp(1) writes it: had this process the file open for that, a fork by another test's thread would keep it busy.
    let copied = std::process::Command::new("cp").arg(crate::harness::binary()).arg(&program).status();
    assert!(copied.unwrap().success());
    let command = runtime.command(&format!("run --bundle {} box", bundle.display()));
    let mut process = std::process::Command::new(&program)
        .args(command.get_args())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 5];
    process.stdout.take().unwrap().read_exact(&mut line).unwrap();
    // What a process in the container would do, CVE-2019-5736: keep hold of the file until nobody runs it any more.
    let held = file::openat2(
        CWD,
        std::path::Path::new(&format!("/proc/{}/exe", process.id())),
        OFlags::PATH,
        Mode::empty(),
        ResolveFlags::empty(),
    );
    let held = held.unwrap();
    runtime.call("kill box KILL").ok();
    process.wait().unwrap();
    let again = format!("/proc/self/fd/{}", held.as_raw_fd());
    let opened = std::fs::File::options().write(true).open(again);
    assert_eq!(opened.unwrap_err().kind(), std::io::ErrorKind::ReadOnlyFilesystem);
}
