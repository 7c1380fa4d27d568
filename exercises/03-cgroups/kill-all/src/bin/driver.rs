//! `driver NAME [v1]`: makes the cgroup NAME; at the first line kills all in it with your code, at the second removes it.
//! With `v1` it makes believe that this machine has no v2 tree.

use std::error::Error;
use std::io::stdin;

use ex_kill_all::{Cgroup, Layout, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rest @ ..] = &arguments[..] else { return Err("usage: driver NAME [v1]".into()) };
    let mut layout = Layout::detect()?;
    if !rest.is_empty() {
        layout.unified = None;
    }
    let group = Cgroup::create(&layout, name, &Limits { pids: Some(200), ..Limits::default() })?;
    println!("made");
    stdin().read_line(&mut String::new())?;
    group.kill_all()?;
    println!("killed");
    stdin().read_line(&mut String::new())?;
    group.remove()?;
    println!("removed");
    Ok(())
}
