//! `update`: other limits and another restart policy. docker-update(1).

use anyhow::bail;
use mini_engine::Home;
use mini_engine::update::{self, Update};

use crate::cli;

pub(crate) fn run(home: &Home, args: &cli::Update) -> anyhow::Result<u8> {
    let change = Update { restart_policy: args.restart.clone(), ..limits(&args.limits) };
    if change == Update::default() {
        bail!("you must provide one or more flags when using this command");
    }
    super::repair(home);
    super::for_each(&args.containers, |name| {
        let record = mini_engine::find(home, name)?;
        update::update(home, &record, &change)?;
        Ok(format!("{name}\n"))
    })
}

/// What is to change of what a container may use.
pub(crate) fn limits(args: &cli::Limits) -> Update {
    Update {
        memory: args.memory.map(|bytes| bytes.0),
        memory_swap: args.memory_swap.map(|bytes| bytes.0),
        memory_reservation: args.memory_reservation.map(|bytes| bytes.0),
        nano_cpus: args.cpus.map(|cpus| cpus.0),
        cpu_shares: args.cpu_shares,
        cpu_period: args.cpu_period,
        cpu_quota: args.cpu_quota,
        cpuset_cpus: args.cpuset_cpus.clone(),
        cpuset_mems: args.cpuset_mems.clone(),
        blkio_weight: args.blkio_weight,
        pids_limit: args.pids_limit,
        restart_policy: None,
    }
}
