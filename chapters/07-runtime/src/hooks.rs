//! Hooks: programs that others want run at named moments of a container's life.
//!
//! Each gets the container's state as JSON on its standard input. Some run on the host, some in the container's
//! namespaces, some before the root is changed and some after: which is which is all there is to know about them.
//! OCI runtime spec, "POSIX-platform Hooks"; book ch. 7.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mini_sys::ipc::{self, PollFd, PollFlags};
use mini_sys::{Errno, Error, Pid, Result, pidfd};
use oci_spec::runtime::{ContainerState, Hook, Spec, State};

/// When hooks are run, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// On the host, when the namespaces are there: the older name.
    Prestart,
    /// On the host, when the namespaces are there and the root is not changed yet.
    CreateRuntime,
    /// In the container's namespaces, with the host's files still in sight.
    CreateContainer,
    /// In the container, right before its program.
    StartContainer,
    /// On the host, when the program runs.
    Poststart,
    /// On the host, when the container is deleted.
    Poststop,
}

/// The hooks of one moment, and what they are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    moment: Moment,
    list: Vec<Hook>,
    state: State,
}

impl Moment {
    /// The name in the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }

    /// What the container is said to be by then.
    fn status(self) -> ContainerState {
        match self {
            Self::Prestart | Self::CreateRuntime | Self::CreateContainer => ContainerState::Creating,
            Self::StartContainer => ContainerState::Created,
            Self::Poststart => ContainerState::Running,
            Self::Poststop => ContainerState::Stopped,
        }
    }

    fn of(self, spec: &Spec) -> Vec<Hook> {
        let Some(hooks) = spec.hooks() else { return Vec::new() };
        #[allow(deprecated, reason = "prestart is what Docker uses")]
        let list = match self {
            Self::Prestart => hooks.prestart(),
            Self::CreateRuntime => hooks.create_runtime(),
            Self::CreateContainer => hooks.create_container(),
            Self::StartContainer => hooks.start_container(),
            Self::Poststart => hooks.poststart(),
            Self::Poststop => hooks.poststop(),
        };
        list.clone().unwrap_or_default()
    }
}

impl Hooks {
    /// Those of `spec` for this moment, which are told `state`; none when there are none.
    pub fn at(moment: Moment, spec: &Spec, state: &State) -> Option<Self> {
        let list = moment.of(spec);
        let mut state = state.clone();
        state.set_status(moment.status());
        (!list.is_empty()).then_some(Self { moment, list, state })
    }

    /// When they are run.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// The programs, as a reader of plans sees them.
    pub(crate) fn call(&self) -> String {
        let names: Vec<_> = self.list.iter().map(|hook| hook.path().display().to_string()).collect();
        format!("run the {} hooks: {}", self.moment.name(), names.join(", "))
    }

    /// Runs them one after the other, told that the container's process is `pid`.
    ///
    /// # Errors
    /// The first that cannot be run, fails or takes too long.
    pub fn run(&self, pid: Option<Pid>) -> Result<()> {
        let mut state = self.state.clone();
        state.set_pid(pid.map(Pid::as_raw));
        let state = serde_json::to_vec(&state).unwrap_or_default();
        self.list.iter().try_for_each(|hook| self.run_one(hook, &state))
    }

    fn run_one(&self, hook: &Hook, state: &[u8]) -> Result<()> {
        let name = format!("the {} hook `{}`", self.moment.name(), hook.path().display());
        let mut words = hook.args().iter().flatten();
        let mut command = Command::new(hook.path());
        if let Some(own_name) = words.next() {
            command.arg0(own_name);
        }
        let variables = hook.env().iter().flatten().filter_map(|variable| variable.split_once('='));
        command.args(words).env_clear().envs(variables).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().map_err(|error| Error::from_io(format!("run {name}"), &error))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A hook that does not care for the state may have closed it.
            let _ = stdin.write_all(state);
        }
        let limit = hook.timeout().and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        if !ends_within(&child, limit)? {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::new(format!("wait for {name}"), Errno::ETIMEDOUT));
        }
        let status = child.wait().map_err(|error| Error::from_io(format!("wait for {name}"), &error))?;
        if status.success() { Ok(()) } else { Err(Error::new(format!("{name}: {status}"), Errno::ECANCELED)) }
    }
}

fn ends_within(child: &Child, limit: Option<Duration>) -> Result<bool> {
    let process = pidfd::pidfd_open(Pid::from_raw(child.id() as i32))?;
    Ok(ipc::poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], limit)? > 0)
}
