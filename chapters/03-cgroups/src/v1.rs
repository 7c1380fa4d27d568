//! Cgroup v1: a tree for each controller, each with files of its own style. cgroups(7), "CGROUPS VERSION 1".

pub(crate) mod limits;
pub(crate) mod stats;
