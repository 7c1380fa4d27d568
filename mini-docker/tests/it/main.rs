//! mini-docker as its users meet it: the real binary on the real kernel, nothing else assumed.
//!
//! `harness` gives each test an engine of its own and `leaks` sees that nothing is left of it; `needs` says what a
//! test requires, `host_image` shares the image `host` between tests, `tars`, `made` and `pty` make archives,
//! images and terminals, `bundles` those of other engines, `registry`, `token_server`, `front` and `passage` a registry and what stands before it.
//! The rest are claims, a module for what they are about.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on panics, and says what it skips"
)]

mod attaching;
mod behaviour;
mod bundles;
mod columns;
mod commit;
mod completion;
mod cp;
mod crash;
mod creating;
mod detaching;
mod diff;
mod engines;
mod environment;
mod events;
mod exec;
mod exec_terminal;
mod exits;
mod explain;
mod export;
mod fault_changes;
mod faults;
mod files;
mod front;
mod full_disk;
mod harness;
mod health;
mod hello;
mod help;
mod history;
mod host_image;
mod hostile;
mod images;
mod import;
mod in_the_vm;
mod init;
mod inspect;
mod interrupted;
mod isolation;
mod kernel;
mod leaks;
mod left;
mod lifecycle;
mod limits;
mod listing;
mod load;
mod log_options;
mod login;
mod logs;
mod machine;
mod made;
mod manifests;
mod monitor_memory;
mod naming;
mod needs;
mod nested_cgroups;
mod oci;
mod oci_archives;
mod oci_attributes;
mod oci_hooks;
mod oci_refused;
mod oci_seccomp;
mod oci_spec;
mod ordinary;
mod parallel;
mod passage;
mod pausing;
mod platforms;
mod podman;
mod prune;
mod pty;
mod pull;
mod push;
mod races;
mod registry;
mod renaming;
mod restarting;
mod restoring;
mod save;
mod search;
mod selecting;
mod starting;
mod stats;
mod stopped;
mod streams;
mod tags;
mod tars;
mod terminal;
mod token_server;
mod tokens;
mod top;
mod trees;
mod updating;
mod usage;
mod way;
