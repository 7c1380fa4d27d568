//! Is the program in its cgroup, with its limits in force, before it runs?
//!
//! The cgroup is made below one that is frozen. So whoever is born in it, or joins it, stands still at that moment, and
//! there is time to look how far it has come.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use course_check::{Check, Program, kernel};
use mini_cgroups::{Cgroup, Layout};

/// How often the program is started at full speed.
const ROUNDS: usize = 12;

fn main() -> ExitCode {
    course_check::main(|check| {
        let frost = Frost::new(&check.word())?;
        let limits = (check.number(12..=48) << 20, check.number(5..=40));

        // Limits that the kernel refuses: then nothing may have been started.
        check.proving(1);
        let mut program = start(check, &frost, "refused", limits, true)?;
        program.patience(Duration::from_secs(2));
        // A program that stands still in the frozen cgroup keeps its driver waiting; that is an answer too.
        let ended = program.finish();
        let there = frost.group("refused")?.pids()?.len();
        check
            .invariant(1, "with a limit that the kernel refuses, no process is started")
            .expected("no process in the cgroup, and an error")
            .found(match (&ended, there) {
                (Ok(ended), 0) if ended.code == Some(0) => "no process, and no error either".to_owned(),
                (_, 0) => "no process, and an error".to_owned(),
                (_, there) => format!("{there} process, in a cgroup whose limits are not in force"),
            })
            .cause("the process was there before its limits were; it ran without them, or with some of them")
            .holds(there == 0 && ended.is_ok_and(|ended| ended.code != Some(0)));

        // In the frozen cgroup.
        let mut program = start(check, &frost, "frozen", limits, false)?;
        // The program's own line comes first where it runs already.
        while program.line()? != "started" {}
        let group = frost.group("frozen")?;
        let stats = group.stats()?;
        let found = (
            stats.memory.and_then(|memory| memory.limit).unwrap_or(0),
            stats.pids.and_then(|pids| pids.limit).unwrap_or(0),
        );
        check
            .invariant(1, "its limits stand in their files while it has not run yet")
            .expected(format!("{} bytes of memory, {} processes", limits.0, limits.1))
            .found(format!("{} bytes of memory, {} processes (0: no limit)", found.0, found.1))
            .cause("the cgroup was made without the limits that were asked for")
            .holds(found == limits);

        check.proving(2);
        let children = kernel::children(program.pid());
        let pid = children.first().copied().ok_or("the driver has no child: nothing was started")?;
        let image = fs::read_link(format!("/proc/{pid}/exe"))?;
        let name = image.file_name().unwrap_or_default().to_string_lossy().into_owned();
        check
            .invariant(2, "the program begins after its process is in the cgroup")
            .expected("in a frozen cgroup the process stands still before execve(2): it is still `limit-first-driver`")
            .found(format!("its program is `{name}` (/proc/{pid}/exe)"))
            .cause("it was started first and moved afterwards: what it did until then is not limited and not counted")
            .holds(name == "limit-first-driver");
        let missing = missing(&group, pid)?;
        check
            .invariant(2, "it is in the cgroup in every tree that limits something")
            .expected(format!("its pid in `cgroup.procs` of {} directories", group.directories().count()))
            .found(if missing.is_empty() { "all of them".to_owned() } else { format!("not in {}", missing.join(", ")) })
            .cause("with cgroup v1 each controller has a tree of its own, and each wants the pid: `Cgroup::join_files`")
            .holds(missing.is_empty());
        frost.thaw()?;
        program.finish()?;

        // And as it is meant, at full speed, often enough that a gap shows: what the program itself reads first.
        let mut worst: Option<(usize, usize, String)> = None;
        for round in 0..ROUNDS {
            let name = format!("free-{round}");
            let mut program = start(check, &frost, &name, limits, false)?;
            let lines = [program.line()?, program.line()?];
            let first = lines.iter().find_map(|line| line.strip_prefix("first ")).unwrap_or_default();
            let place = format!("/{}/{name}", frost.name);
            let inside = first.split(' ').filter(|line| line.ends_with(&place)).count();
            let trees = frost.group(&name)?.directories().count();
            if inside < trees {
                worst = Some((inside, trees, first.to_owned()));
            }
            program.finish()?;
        }
        check
            .invariant(2, "the first thing that the program reads, /proc/self/cgroup, names its cgroup")
            .expected(format!("in each of {ROUNDS} starts, the cgroup in every tree"))
            .found(worst.as_ref().map_or("so it is".to_owned(), |(inside, trees, first)| {
                format!("in {inside} of {trees} trees only: `{first}`")
            }))
            .cause("the program ran before its process was in all trees: there is no gate, or it opens too early")
            .holds(worst.is_none());
        Ok(())
    })
}

fn start(
    check: &Check,
    frost: &Frost,
    name: &str,
    limits: (u64, u64),
    impossible: bool,
) -> Result<Program, Box<dyn Error>> {
    let program = std::env::current_exe()?.with_file_name("limit-first-program");
    let mut arguments = vec![
        format!("/{}/{name}", frost.name),
        limits.0.to_string(),
        limits.1.to_string(),
        program.to_string_lossy().into_owned(),
    ];
    arguments.extend(impossible.then(|| "impossible".to_owned()));
    Ok(check.start("driver", &arguments)?)
}

/// The directories of the cgroup that the process has not joined.
fn missing(group: &Cgroup, pid: u32) -> Result<Vec<String>, Box<dyn Error>> {
    let mut missing = Vec::new();
    for directory in group.directories() {
        let pids = kernel::read(directory.join("cgroup.procs"))?;
        if !pids.lines().any(|line| line == pid.to_string()) {
            missing.push(directory.display().to_string());
        }
    }
    Ok(missing)
}

/// A frozen cgroup, in which the student's will be made.
struct Frost {
    layout: Layout,
    name: String,
}

impl Frost {
    fn new(name: &str) -> Result<Self, Box<dyn Error>> {
        let layout = Layout::detect()?;
        let freezer =
            |it: &&mini_cgroups::Hierarchy| it.controllers.contains(&mini_cgroups::Controller::Freezer);
        let unified = layout.unified.as_ref().map(|unified| &unified.directory);
        let base: &PathBuf = unified
            .or_else(|| layout.hierarchies.iter().find(freezer).map(|it| &it.directory))
            .ok_or("no tree of this machine can freeze")?;
        fs::create_dir(base.join(name))?;
        let frost = Self { layout, name: name.to_owned() };
        frost.all()?.freeze()?;
        Ok(frost)
    }

    /// The frozen cgroup, with those below it.
    fn all(&self) -> Result<Cgroup, Box<dyn Error>> {
        Ok(Cgroup::open(&self.layout, &format!("/{}", self.name))?)
    }

    /// The student's cgroup `name`.
    fn group(&self, name: &str) -> Result<Cgroup, Box<dyn Error>> {
        Ok(Cgroup::open(&self.layout, &format!("/{}/{name}", self.name))?)
    }

    fn thaw(&self) -> Result<(), Box<dyn Error>> {
        Ok(self.all()?.thaw()?)
    }
}

impl Drop for Frost {
    /// Whatever was found, nothing stays behind.
    fn drop(&mut self) {
        if let Ok(all) = self.all() {
            let _ = all.thaw();
            let _ = all.kill_all();
            let _ = all.remove();
        }
    }
}
