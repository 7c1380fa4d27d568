//! Is the cgroup empty when `kill_all` has returned, whoever was in it?

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use course_check::{Check, kernel};
use mini_cgroups::{Cgroup, Controller, Layout};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(5);
        let layout = Layout::detect()?;
        round(check, &layout, "")?;
        let has_freezer = layout.hierarchies.iter().any(|it| it.controllers.contains(&Controller::Freezer));
        if has_freezer && layout.unified.is_some() {
            round(check, &Layout { unified: None, ..layout }, " (as on a machine without a v2 tree)")?;
        }
        Ok(())
    })
}

fn round(check: &mut Check, layout: &Layout, where_: &str) -> Result<(), Box<dyn Error>> {
    let guard = Guard { layout: layout.clone(), name: format!("/{}", check.word()) };
    let heads = check.number(8..=16).to_string();
    let v1 = layout.unified.is_none().then_some("v1");
    let mut program = check.start("driver", [&guard.name].into_iter().map(String::as_str).chain(v1))?;
    program.line()?; // "made"
    let mut hydra = check.start("hydra", [&guard.name, &heads].into_iter().map(String::as_str).chain(v1))?;
    hydra.patience(Duration::from_secs(15));
    hydra.line()?; // "running"
    let before = guard.processes()?;
    if before == 0 {
        return Err("the processes that were to be killed have ended by themselves".into());
    }

    program.patience(Duration::from_secs(12));
    program.say("kill")?;
    program.line()?; // "killed"
    let after = guard.processes()?;
    sleep(Duration::from_millis(200));
    let later = guard.processes()?;
    let nobody = check
        .invariant(5, format!("nobody is in the cgroup or below it when `kill_all` has returned{where_}"))
        .expected("no pid in any cgroup.procs, then and a moment later")
        .found(format!("{after} processes at once, {later} after 200 ms (before: {before})"))
        .cause(match later {
            0 => "the signals were sent, and nobody waited for the end: `populated 0` in cgroup.events",
            _ => "some forked while the list was read, or were in a cgroup below: stop all first, or let the kernel kill all",
        })
        .holds(after == 0 && later == 0);
    if nobody {
        program.say("remove")?;
        program.finish()?;
        let left = guard.directories();
        check
            .invariant(5, format!("no directory of it is left{where_}"))
            .expected("no directory, in any tree")
            .found(if left.is_empty() { "none".to_owned() } else { left.join(", ") })
            .cause("a cgroup that is not empty cannot be removed")
            .holds(left.is_empty());
    }
    Ok(())
}

/// The cgroup, which goes when the check is over, with whatever is in it.
struct Guard {
    layout: Layout,
    name: String,
}

impl Guard {
    fn open(&self) -> Result<Cgroup, Box<dyn Error>> {
        Ok(Cgroup::open(&self.layout, &self.name)?)
    }

    /// How many processes the kernel lists, in the tree that lists most.
    fn processes(&self) -> Result<usize, Box<dyn Error>> {
        Ok(self.open()?.directories().map(count).max().unwrap_or(0))
    }

    fn directories(&self) -> Vec<String> {
        let group = self.open();
        group.iter().flat_map(Cgroup::directories).map(|it| it.display().to_string()).collect()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(group) = self.open() {
            let _ = group.kill_all();
            let _ = group.remove();
        }
    }
}

/// The processes in `directory` and below it.
fn count(directory: &Path) -> usize {
    let own = kernel::read(directory.join("cgroup.procs")).unwrap_or_default().lines().count();
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let below: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    own + below.iter().map(|it| count(it)).sum::<usize>()
}
