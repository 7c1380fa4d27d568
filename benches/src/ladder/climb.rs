//! Climbs a rung: makes the process, lets it perform its steps, and waits for its end.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mini_cgroups::{Cgroup, Layout, Limits, default_devices};
use mini_chroot::{Detached, root};
use mini_engine::home::Home;
use mini_layers::Upper;
use mini_sys::clone;
use mini_sys::pidfd::{self, Exit};
use mini_sys::signal::Signal;
use mini_sys::{ipc, net, process};

use super::plan::{Places, Plan, Rung, Step, plan};
use crate::room::{Room, TrueRoot};
use crate::settle;

/// What all rungs stand on: a root file system with one program, a home for the engine, and our own program.
#[derive(Debug)]
pub struct Stage {
    room: Room,
    root: TrueRoot,
    layout: Layout,
    home: Home,
    mini_docker: PathBuf,
}

impl Stage {
    /// Sets it up in the temporary directory.
    ///
    /// # Errors
    /// When true(1) cannot be assembled, or the cgroups of this machine cannot be read.
    pub fn new(mini_docker: PathBuf) -> Result<Self> {
        let room = Room::new()?;
        let root = TrueRoot::assemble(&room.path().join("root"))?;
        let home = Home::new(room.path().join("home"));
        Ok(Self { root, layout: Layout::detect()?, home, mini_docker, room })
    }

    /// How long it takes to start a program as `rung` does, until it has ended.
    ///
    /// # Errors
    /// When a step fails or the program does.
    pub fn climb(&self, rung: Rung) -> Result<Duration> {
        if rung == Rung::Run {
            return self.run();
        }
        let upper = Upper { tree: self.room.directory("upper")?, work: self.room.directory("work")? };
        let places = Places { root: &self.root, upper, merged: self.room.directory("merged")? };
        self.perform(&plan(rung, &places))
    }

    fn perform(&self, plan: &Plan) -> Result<Duration> {
        let name = format!("mini-ladder-{}", std::process::id());
        let arguments = [c"true".to_owned()];
        let begun = Instant::now();
        let limits = Limits { devices: default_devices(), ..Limits::default() };
        let group = if plan.in_cgroup { Some(Cgroup::create(&self.layout, &name, &limits)?) } else { None };
        let ended = start(plan, group.as_ref(), &arguments);
        let took = begun.elapsed();
        if let Some(group) = group {
            group.kill_all()?;
            group.remove()?;
        }
        ensure!(ended? == Exit::Code(0), "a step failed");
        Ok(took)
    }

    /// What a user waits for. That the image `host` is made belongs to the first time, which does not count.
    fn run(&self) -> Result<Duration> {
        let mut command = Command::new(&self.mini_docker);
        command.args(["run", "--rm", "--network", "none", "host", "true"]);
        command.env("MINI_DOCKER_ROOT", self.home.path()).stdin(Stdio::null());
        let begun = Instant::now();
        let status = command.status().with_context(|| format!("run {}", self.mini_docker.display()))?;
        let took = begun.elapsed();
        ensure!(status.success(), "`mini-docker run` failed: {status}");
        settle::until_empty(&self.home.containers())?;
        Ok(took)
    }
}

fn start(plan: &Plan, group: Option<&Cgroup>, arguments: &[CString]) -> Result<Exit> {
    let directory = group.map(Cgroup::directory).transpose()?.flatten();
    let (gate, opener) = ipc::pipe()?;
    let child = clone::clone3(plan.clone, directory.as_ref().map(|fd| fd.as_fd()), || {
        let gate = fs::File::from(gate);
        let Err(error) = inside(&plan.inside, &gate, arguments);
        // The parent says that a step failed; which one, nobody else can.
        let _ = writeln!(std::io::stderr(), "{error:#}");
        clone::leave(1)
    })?;
    if let Some(group) = group {
        group.join_separate(child.pid)?;
        ipc::write(&opener, b"x")?;
    }
    Ok(pidfd::wait(&child.pidfd)?)
}

fn inside(steps: &[Step], gate: &fs::File, arguments: &[CString]) -> Result<Infallible> {
    let mut detached = Detached::default();
    for step in steps {
        match step {
            Step::Chroot(directory) => root::chroot(directory)?,
            Step::Root(step) => step.perform(&mut detached)?,
            Step::Overlay(overlay, target) => overlay.mount_at(target)?,
            Step::AwaitParent => {
                // Our own copy of the other end would keep us waiting if the parent died.
                process::set_pdeathsig(Signal::SIGKILL)?;
                ipc::read(gate, &mut [0])?;
            }
            Step::Namespace(step) => step.perform()?,
            Step::LoopbackUp => net::interface_up("lo")?,
            Step::Path(step) => step.perform()?,
            Step::Capability(step) => step.perform()?,
            Step::Exec(program) => {
                return Ok(process::execve(program, arguments, &[])?);
            }
        }
    }
    bail!("the plan has no program")
}
