//! Cgroup v2: one tree, whose controllers are enabled from parent to child. cgroups(7), "CGROUPS VERSION 2".

pub(crate) mod device_program;
pub(crate) mod limits;
pub(crate) mod stats;
