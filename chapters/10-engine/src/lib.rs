//! The container as its user knows it: it has a name, a state and a log, and survives who started it.
//!
//! Start with [`mod@create`] and [`mod@start`]: a container is a directory with a record in it, and a small
//! process that stays with it (`monitor` in the source) while it runs. There is no daemon: every command reads
//! and writes these files itself, and [`repair`] puts right what a killed one left. Book ch. 10.

pub mod attach;
mod checkups;
pub mod commit;
pub mod config;
pub mod cp;
pub mod create;
pub mod diff;
pub mod doctor;
pub mod door;
pub mod event_filter;
pub mod events;
pub mod exec;
pub mod export;
pub mod filter;
pub mod find;
pub mod guard;
pub mod health;
pub mod home;
pub mod id;
pub mod inspect;
pub mod kernel;
pub mod leaks;
pub mod list;
pub mod log_options;
pub mod logs;
mod monitor;
pub mod names;
pub mod pause;
pub mod places;
mod probe;
pub mod prune;
pub mod record;
pub mod remove;
pub mod rename;
pub mod repair;
pub mod restart;
pub mod restore;
pub mod spec;
pub mod start;
pub mod stats;
pub mod stop;
pub mod survey;
pub mod top;
pub mod update;
mod upper;
pub mod usage;
pub mod user;

pub use commit::{CommitError, commit};
pub use config::{Config, HostConfig, Ulimit};
pub use create::{Create, CreateError, create};
pub use exec::{Exec, ExecError, Ready};
pub use export::{ExportError, export};
pub use filter::{Filter, FilterError};
pub use find::{FindError, find};
pub use home::{Home, HomeError};
pub use record::{Record, Status};
pub use remove::RemoveError;
pub use start::{Attachment, StartError, start};
pub use survey::{SurveyError, plan};
