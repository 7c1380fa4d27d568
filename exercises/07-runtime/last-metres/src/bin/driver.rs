//! `driver ROOT UID GID GROUP DIRECTORY`: a container with ROOT as its root, whose last steps are your list. Its program is
//! `/probe`, as the user UID of the groups GID and GROUP, in DIRECTORY, with CAP_KILL alone and no way to more.
//!
//! Prints `started PID`, with the number on the host, or `failed:` and the step. Ends when its standard input does.

use std::error::Error;
use std::os::fd::AsFd as _;

use ex_last_metres::stdio::ProgramSide;
use ex_last_metres::{Plan, Setting, plan, start};
use mini_sys::{file, pidfd};
use oci_spec::runtime::Spec;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, uid, gid, group, directory] = &words[..] else {
        return Err("usage: driver ROOT UID GID GROUP DIRECTORY".into());
    };
    let spec = spec(root, [uid.parse()?, gid.parse()?, group.parse()?], directory)?;
    let plan: Plan = plan(&spec, &Setting::default())?;
    let streams = ProgramSide {
        stdin: std::io::stdin().as_fd().try_clone_to_owned()?,
        stdout: file::open_null()?,
        stderr: std::io::stderr().as_fd().try_clone_to_owned()?,
    };
    match start(&plan, None, streams, None) {
        Ok(started) => {
            println!("started {}", started.child.pid);
            pidfd::wait(started.child.pidfd)?;
        }
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            println!("failed: {error}{cause}");
        }
    }
    Ok(())
}

fn spec(root: &str, [uid, gid, group]: [u32; 3], directory: &str) -> serde_json::Result<Spec> {
    let kill = ["CAP_KILL"];
    serde_json::from_value(json!({
        "ociVersion": "1.1.0",
        "root": { "path": root },
        "process": {
            "args": ["/probe"],
            "cwd": directory,
            "user": { "uid": uid, "gid": gid, "additionalGids": [group] },
            // Ambient, since a program of an ordinary user gets what is ambient and nothing else.
            "capabilities": {
                "bounding": kill, "permitted": kill, "effective": kill, "inheritable": kill, "ambient": kill
            },
            "noNewPrivileges": true
        },
        "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] }
    }))
}
