//! Is the shell out of its cgroup, and does it have more processes than that one allows?

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::kernel;
use mini_cgroups::{Cgroup, Controller, Layout, Limits};
use mini_sys::Pid;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        let allowed = check.number(3..=6);
        let wanted = allowed + check.number(5..=20);
        let jail = Jail::new(&check.word(), allowed)?;
        let mut program = check.start("driver", [wanted.to_string()])?;
        program.line()?; // "ready"
        jail.group.join(Pid::from_raw(i32::try_from(program.pid())?))?;
        program.say("go")?;
        // A shell that cannot fork says so, after a while, and ends: then the kernel has nothing more to show.
        let _ = program.line();
        let place = jail.place_of(program.pid());
        let count = kernel::children(program.pid()).len() as u64;

        check
            .invariant(4, "the shell is in a cgroup that is neither the one it began in, nor below it")
            .expected(format!("in /proc/<pid>/cgroup a path that does not begin with `{}`", jail.path))
            .found(place.as_ref().map_or("the shell has ended".to_owned(), |place| format!("`{place}`")))
            .cause(
                "write the pid of the shell that reads your lines, `$$`, to `cgroup.procs` of another cgroup",
            )
            .holds(place.is_some_and(|place| !Path::new(&place).starts_with(&jail.path)));
        check
            .invariant(4, "it has more processes than its cgroup allowed")
            .expected(format!("{wanted} processes, where {allowed} are allowed"))
            .found(format!("{count} processes"))
            .cause("a limit holds for whoever is in the cgroup or below it")
            .holds(count >= wanted);
        let limit = jail.limit()?;
        check
            .invariant(4, "the limit was left and not lifted")
            .expected(format!("{allowed} in pids.max"))
            .found(&limit)
            .cause("overwriting the limit is another hole; this exercise is about leaving")
            .holds(limit == allowed.to_string());
        Ok(())
    })
}

/// The cgroup that is to be left.
struct Jail {
    group: Cgroup,
    /// As `/proc/<pid>/cgroup` names it.
    path: String,
    /// Whether processes are counted in a v1 tree.
    is_separate: bool,
    /// The cgroups that were there before the student's code ran.
    before: BTreeSet<PathBuf>,
    bases: Vec<PathBuf>,
}

impl Jail {
    fn new(name: &str, allowed: u64) -> Result<Self, Box<dyn Error>> {
        let layout = Layout::detect()?;
        let path = format!("/{name}");
        let limits = Limits { pids: Some(i64::try_from(allowed)?), ..Limits::default() };
        let separate = layout.hierarchies.iter().map(|it| it.directory.clone());
        let bases: Vec<PathBuf> =
            layout.unified.iter().map(|unified| unified.directory.clone()).chain(separate).collect();
        let before = bases.iter().flat_map(|base| below(base)).collect();
        let is_separate = layout.hierarchies.iter().any(|it| it.controllers.contains(&Controller::Pids));
        let group = Cgroup::create(&layout, &path, &limits)?;
        Ok(Self { group, path, is_separate, before, bases })
    }

    /// The process's cgroup in the tree that counts processes; none when the process has ended.
    fn place_of(&self, pid: u32) -> Option<String> {
        let is_it = |controllers: &[String]| match self.is_separate {
            true => controllers.iter().any(|name| name == "pids"),
            false => controllers.is_empty(),
        };
        let found = kernel::cgroups(pid).ok()?.into_iter().find(|(controllers, _)| is_it(controllers));
        found.map(|(_, path)| path)
    }

    fn limit(&self) -> Result<String, Box<dyn Error>> {
        let files = self.group.directories().map(|directory| directory.join("pids.max"));
        let text = files.into_iter().find_map(|file| kernel::read(file).ok());
        Ok(text.ok_or("the cgroup with the limit is gone")?.trim().to_owned())
    }
}

impl Drop for Jail {
    /// Nothing stays behind: not the jail, and not where the student's shell went.
    fn drop(&mut self) {
        let _ = self.group.kill_all();
        let _ = self.group.remove();
        let mut new: Vec<PathBuf> =
            self.bases.iter().flat_map(|base| below(base)).filter(|it| !self.before.contains(it)).collect();
        new.sort();
        for directory in new.iter().rev() {
            // Its processes have been killed, and may take a moment to go.
            for _ in 0..200 {
                match fs::remove_dir(directory) {
                    Ok(()) => break,
                    Err(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
                }
            }
        }
    }
}

/// All directories below `directory`.
fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let paths: Vec<PathBuf> = directories.map(|entry| entry.path()).collect();
    paths.iter().flat_map(|path| below(path)).chain(paths.iter().cloned()).collect()
}
