//! Blocks that need the other version of cgroups, in a small virtual machine, where one is there.
//!
//! The machine is `vmtest`: it runs a command with another kernel and the same files. The command is this
//! program again, told that it is inside.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use xtask::transcript::Block;
use xtask::workspace::Workspace;

use super::{FAILED, name};

/// Says that this is the virtual machine. For this program's own use.
pub(super) const INSIDE: &str = "--inside";

/// How much longer everything may take there: its processor may be emulated.
pub(super) const SLOWNESS: u32 = 10;

/// Seconds for all of it.
const PATIENCE: &str = "1800";

/// A virtual machine that we can use.
pub(super) struct Vm {
    program: PathBuf,
}

impl Vm {
    /// What `MINI_VMTEST` names, else `shared/vm/vmtest` beside the project.
    pub(super) fn find(root: &Path) -> Option<Self> {
        let named = std::env::var_os("MINI_VMTEST").map(PathBuf::from);
        let beside = root.ancestors().map(|above| above.join("shared/vm/vmtest")).find(|path| path.is_file());
        named.or(beside).map(|program| Self { program })
    }

    /// Replays `blocks` there, and returns which of them failed.
    pub(super) fn replay(
        &self,
        workspace: &Workspace,
        blocks: &[&Block],
        bless: bool,
    ) -> Result<Vec<String>> {
        println!("{} blocks need cgroup v2: replaying them in a virtual machine", blocks.len());
        let mut vm = self.command(workspace, bless)?;
        vm.args(blocks.iter().map(|block| name(block)));
        let whom = || format!("run {}", self.program.display());
        let mut vm = vm.stdout(Stdio::piped()).spawn().with_context(whom)?;
        let mut failed = Vec::new();
        for line in vm.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
            let line = line.with_context(whom)?;
            failed.extend(line.strip_prefix(FAILED).map(str::to_owned));
            println!("{line}");
        }
        let status = vm.wait().with_context(whom)?;
        ensure!(status.success() || !failed.is_empty(), "{} failed: {status}", self.program.display());
        Ok(failed)
    }

    /// This program, inside, with the project's files at their places: read-only, but for who blesses.
    fn command(&self, workspace: &Workspace, bless: bool) -> Result<Command> {
        let this = std::env::current_exe().context("find this program")?;
        let mode = if bless { "" } else { ":ro" };
        let mut vm = Command::new(&self.program);
        vm.args(["--timeout", PATIENCE, "-e"])
            .arg(format!("CARGO_TARGET_DIR={}", workspace.target.display()));
        vm.args(["-e", "MINI_REQUIRE_ALL=1", "--share"]).arg(format!("{}{mode}", workspace.root.display()));
        if !workspace.target.starts_with(&workspace.root) {
            vm.arg("--share").arg(format!("{}:ro", workspace.target.display()));
        }
        vm.current_dir(&workspace.root).arg("--").arg(this).args(["transcripts", INSIDE]);
        vm.args(bless.then_some("--bless"));
        Ok(vm)
    }
}

/// The workspace as it is seen inside, where there is no cargo to ask.
pub(super) fn workspace() -> Result<Workspace> {
    let root = std::env::current_dir().context("ask for the working directory")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(Workspace { root, target, members: Vec::new() })
}
