//! Makes a user namespace, gives it its maps, and shows them from inside:
//! `cargo run -p mini-namespaces --example idmap`.
//!
//! As an ordinary user it gets what a rootless container gets. As root, it maps ten ids from 70000 on.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use mini_namespaces::idmap::{self, Caller, IdMap, Maps};
use mini_namespaces::why_no_user_namespaces;
use mini_sys::clone::{self, CloneFlags};
use mini_sys::{ipc, pidfd};

fn main() -> Result<(), Box<dyn Error>> {
    let caller = Caller::this_process(&std::env::var_os("PATH").unwrap_or_default());
    let maps = match &caller {
        Caller::Ordinary(user) => Maps::rootless(user),
        Caller::Privileged => {
            let map = vec![IdMap { inside: 0, outside: 70000, count: 10 }];
            Maps { uids: map.clone(), gids: map }
        }
    };
    let (read_end, write_end) = ipc::pipe()?;
    let child = clone::clone3(CloneFlags::CLONE_NEWUSER, None, || {
        // The child would keep its own way of writing open, and wait for ever.
        let _ = ipc::read(&read_end, &mut [0]);
        for file in ["uid_map", "gid_map", "setgroups"] {
            let text = std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
            let lines: Vec<String> =
                text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            println!("{file}: {}", lines.join("; "));
        }
        clone::leave(0)
    });
    let child = child.map_err(|error| match why_no_user_namespaces() {
        Some(reason) => format!("{error}: {reason}"),
        None => error.to_string(),
    })?;
    for step in idmap::plan(&caller, &maps) {
        println!("{}  # {}", step.call(), step.why());
        if let Err(error) = step.perform(child.pid) {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            return Err(format!("{error}{source}\nhint: {}", error.hint().unwrap_or_default()).into());
        }
    }
    ipc::write(&write_end, &[0])?;
    pidfd::wait(&child.pidfd)?;
    Ok(())
}
