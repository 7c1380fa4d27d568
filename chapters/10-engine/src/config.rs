//! What a user wants of a container, with Docker's names: `Config` is about the program and goes with an image made of
//! it, `HostConfig` is about this machine.
//!
//! A record made by an older version lacks the newer fields, so each has a default. Engine API, `ContainerCreate`;
//! book ch. 10.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use mini_images::config::{Empty, Healthcheck};
use serde::{Deserialize, Serialize};

/// What the container runs: Docker's `Config`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// Its host name.
    pub hostname: String,
    /// Its NIS domain name.
    pub domainname: String,
    /// Who runs the program.
    pub user: String,
    /// Whoever started it reads along.
    pub attach_stdin: bool,
    /// The same for standard output.
    pub attach_stdout: bool,
    /// The same for standard error.
    pub attach_stderr: bool,
    /// It has a terminal.
    pub tty: bool,
    /// Its input is kept open.
    pub open_stdin: bool,
    /// Its input ends with whoever started it.
    pub stdin_once: bool,
    /// Variables, `NAME=value`.
    pub env: Vec<String>,
    /// The command.
    pub cmd: Option<Vec<String>>,
    /// The image, as it was asked for.
    pub image: String,
    /// Anonymous volumes of the image.
    pub volumes: Option<BTreeMap<String, Empty>>,
    /// Where the program starts.
    pub working_dir: String,
    /// The program that the command is given to.
    pub entrypoint: Option<Vec<String>>,
    /// Anything anyone wants to say.
    pub labels: BTreeMap<String, String>,
    /// What `stop` sends first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Seconds that `stop` waits; -1: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// How its health is looked after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
}

/// What it runs with: Docker's `HostConfig`, as far as this engine has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HostConfig {
    /// `none` or `host`.
    pub network_mode: String,
    /// Whether it is started again when it ends.
    pub restart_policy: RestartPolicy,
    /// Where its output goes.
    pub log_config: LogConfig,
    /// What other tools want to find in its OCI spec.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// It is removed when it ends.
    pub auto_remove: bool,
    /// Its root file system cannot be written.
    pub readonly_rootfs: bool,
    /// Memory in bytes; 0: no limit.
    pub memory: i64,
    /// Memory and swap in bytes; 0: twice the memory; -1: no limit.
    pub memory_swap: i64,
    /// Memory in bytes that it is pressed back to when the machine runs short; 0: none.
    pub memory_reservation: i64,
    /// Processors, in billionths.
    pub nano_cpus: u64,
    /// A period of the processors' time, in microseconds; 0: the default.
    pub cpu_period: u64,
    /// How much of a period it may use, in microseconds; 0: no limit.
    pub cpu_quota: i64,
    /// Its part of contended processors; 0: the default.
    pub cpu_shares: u64,
    /// The processors it may use.
    pub cpuset_cpus: String,
    /// The memory nodes it may use.
    pub cpuset_mems: String,
    /// Its part of a contended disk, 10 to 1000; 0: the default.
    pub blkio_weight: u16,
    /// Processes at most; 0 or -1: no limit.
    pub pids_limit: i64,
    /// Directories in memory, with their options.
    pub tmpfs: BTreeMap<String, String>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Our pid 1 stands before the program.
    pub init: bool,
    /// Rows and columns of its terminal at first; zeros: unknown.
    pub console_size: [u16; 2],
}

/// A resource limit, setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ulimit {
    /// `nofile`, …
    pub name: String,
    /// The hard limit; -1: none.
    pub hard: i64,
    /// The soft limit; -1: none.
    pub soft: i64,
}

/// When a container is started again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// Which policy.
    pub name: Restart,
    /// How often `on-failure` tries; 0: for ever.
    pub maximum_retry_count: u32,
}

/// Docker's policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Not at all.
    #[default]
    No,
    /// When its program fails.
    OnFailure,
    /// Whenever it ends, unless a user stopped it; when the machine boots, even then.
    Always,
    /// Whenever it ends, and when the machine boots, unless a user stopped it.
    UnlessStopped,
}

/// A restart policy that is none: Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestartPolicyError {
    /// A name that Docker does not know.
    #[error(
        "invalid restart policy: unknown policy '{0}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    )]
    Unknown(String),
    /// A count that is no number.
    #[error("invalid restart policy format: maximum retry count must be an integer")]
    Count,
    /// Fewer than none.
    #[error("invalid restart policy: maximum retry count cannot be negative")]
    Negative,
    /// A count for a policy that does not count.
    #[error("invalid restart policy: maximum retry count can only be used with 'on-failure'")]
    Counted,
}

impl FromStr for RestartPolicy {
    type Err = RestartPolicyError;

    fn from_str(text: &str) -> Result<Self, RestartPolicyError> {
        let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
        let name = match name {
            "" | "no" => Restart::No,
            "on-failure" => Restart::OnFailure,
            "always" => Restart::Always,
            "unless-stopped" => Restart::UnlessStopped,
            other => return Err(RestartPolicyError::Unknown(other.to_owned())),
        };
        let maximum_retry_count = match count {
            None => 0,
            Some(count) => match count.parse::<i64>() {
                Ok(count) if count < 0 => return Err(RestartPolicyError::Negative),
                count => {
                    count.ok().and_then(|count| count.try_into().ok()).ok_or(RestartPolicyError::Count)?
                }
            },
        };
        if count.is_some() && name != Restart::OnFailure {
            return Err(RestartPolicyError::Counted);
        }
        Ok(Self { name, maximum_retry_count })
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::No => "no",
            Self::OnFailure => "on-failure",
            Self::Always => "always",
            Self::UnlessStopped => "unless-stopped",
        })
    }
}

/// Where a container's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LogConfig {
    /// The driver: `json-file`, `none`, `journald`.
    pub r#type: String,
    /// Its options.
    pub config: BTreeMap<String, String>,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { r#type: "json-file".to_owned(), config: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_policy_is_read_as_docker_reads_it() {
        let read = |text: &str| text.parse::<RestartPolicy>();
        let policy = |name, maximum_retry_count| Ok(RestartPolicy { name, maximum_retry_count });
        assert_eq!(read("on-failure:3"), policy(Restart::OnFailure, 3));
        assert_eq!(read("unless-stopped"), policy(Restart::UnlessStopped, 0));
        assert_eq!(read(""), policy(Restart::No, 0));
        assert_eq!(read("always:3"), Err(RestartPolicyError::Counted));
        assert_eq!(read("on-failure:x"), Err(RestartPolicyError::Count));
        assert_eq!(read("on-failure:-1"), Err(RestartPolicyError::Negative));
        assert_eq!(read("often"), Err(RestartPolicyError::Unknown("often".to_owned())));
    }
}
