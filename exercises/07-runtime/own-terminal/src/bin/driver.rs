//! `driver ROOT UID COLUMNS ROWS`: a container with ROOT as its root and a terminal of that size, whose program is `/inside`
//! as the user UID.
//!
//! Prints `started PID`, or `failed:` and the step. Types at the terminal what it reads: `key N` is the byte N. Prints
//! what appears there as `screen TEXT`, `closed` when the terminal's near end is, and `ended STATUS` last.

use std::error::Error;
use std::io::BufRead as _;
use std::os::fd::OwnedFd;

use ex_own_terminal::{Plan, Setting, plan, start, stdio};
use mini_sys::{ipc, pidfd};
use oci_spec::runtime::Spec;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, uid, columns, rows] = &words[..] else {
        return Err("usage: driver ROOT UID COLUMNS ROWS".into());
    };
    let spec = spec(root, uid.parse()?, [columns.parse()?, rows.parse()?])?;
    let plan: Plan = plan(&spec, &Setting::default())?;
    let (streams, _) = stdio::pair(true, true)?;
    let started = match start(&plan, None, streams, None) {
        Ok(started) => started,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            println!("failed: {error}{cause}");
            return Ok(());
        }
    };
    println!("started {}", started.child.pid);
    let Some(console) = started.console else {
        println!("failed: no far end has come over the channel");
        return Ok(());
    };
    let keyboard = std::io::stdin().lock().lines();
    std::thread::scope(|scope| {
        let screen = scope.spawn(|| show(&console));
        for line in keyboard.map_while(Result::ok) {
            if let Some(key) = line.strip_prefix("key ").and_then(|key| key.parse::<u8>().ok()) {
                // Of a terminal that is closed the check hears from the other side.
                let _ = ipc::write(&console, &[key]);
            }
        }
        // Whoever waits for no key any more wants the program to end.
        let _ = pidfd::pidfd_send_signal(&started.child.pidfd, mini_sys::signal::Signal::SIGKILL);
        let _ = screen.join();
    });
    println!("ended {}", pidfd::wait(started.child.pidfd)?.shell_code());
    Ok(())
}

/// What appears, until the near end is closed: EIO.
fn show(console: &OwnedFd) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = ipc::read(console, &mut bytes) {
        for line in String::from_utf8_lossy(&bytes[..length]).lines().filter(|line| !line.is_empty()) {
            println!("screen {line}");
        }
    }
    println!("closed");
}

fn spec(root: &str, uid: u32, [columns, rows]: [u16; 2]) -> serde_json::Result<Spec> {
    serde_json::from_value(json!({
        "ociVersion": "1.1.0",
        "root": { "path": root },
        "process": {
            "args": ["/inside"],
            "cwd": "/",
            "terminal": true,
            "consoleSize": { "width": columns, "height": rows },
            "user": { "uid": uid, "gid": uid }
        },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
              "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] }
        ],
        // Not the first of a pid namespace: to that one Ctrl-C does nothing unless it asks for it.
        "linux": { "namespaces": [{ "type": "mount" }] }
    }))
}
