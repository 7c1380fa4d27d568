//! The writes that put rare limits in force. What only one interface has is refused on the other. OCI runtime spec,
//! "Control groups"; cgroup-v2.rst.

use std::path::Path;

use crate::controller::Controller;
use crate::layout::{Home, Layout};
use crate::rare::Rare;
use crate::step::Step;
use crate::v2::limits::io_weight;

/// Rare limits that cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RareError {
    /// A limit that only the older interface has.
    #[error("`{limit}` is a limit of cgroup v1, and this machine has v2")]
    OnlyV1 {
        /// The limit.
        limit: &'static str,
    },
    /// A limit that only the newer interface has.
    #[error("`{limit}` is about cgroup v2, and this machine has v1")]
    OnlyV2 {
        /// The limit.
        limit: &'static str,
    },
    /// A text that would name another file, or none.
    #[error("`{word}` cannot be in the name of a limit")]
    BadWord {
        /// The text.
        word: String,
    },
}

/// The controllers that have such limits.
const CONTROLLERS: [Controller; 7] = [
    Controller::Memory,
    Controller::Cpu,
    Controller::Io,
    Controller::Hugetlb,
    Controller::Rdma,
    Controller::NetCls,
    Controller::NetPrio,
];

/// The writes that put `rare` in force in the cgroup `place`, whose controllers are at work by then.
pub(crate) fn steps(layout: &Layout, place: &Path, rare: &Rare) -> Result<Vec<Step>, RareError> {
    let mut steps = Vec::new();
    for controller in CONTROLLERS {
        steps.extend(match layout.home(controller) {
            Some(Home::Separate(hierarchy)) => v1(controller, &hierarchy.directory.join(place), rare),
            Some(Home::Unified(unified)) => v2(controller, &unified.directory.join(place), rare)?,
            None => Vec::new(),
        });
    }
    steps.extend(unified(layout, place, rare)?);
    let names = rare.huge_pages.iter().map(|(size, _)| size).chain(rare.rdma.iter().map(|(name, ..)| name));
    let names = names.chain(rare.net_priorities.iter().map(|(name, _)| name));
    match names.into_iter().find(|name| name.is_empty() || name.contains(['/', '\n', '\0', ' '])) {
        Some(name) => Err(RareError::BadWord { word: name.clone() }),
        None => Ok(steps),
    }
}

fn v1(controller: Controller, directory: &Path, rare: &Rare) -> Vec<Step> {
    let write = |file: &str, text: Option<String>, why| {
        text.map(|text| Step::Write { file: directory.join(file), text, why })
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let signed = |value: Option<i64>| value.map(|value| value.to_string());
    let steps = match controller {
        Controller::Memory => vec![
            write("memory.swappiness", number(rare.swappiness), "how readily its memory is swapped out"),
            write(
                "memory.oom_control",
                rare.oom_kill_disabled.then(|| "1".to_owned()),
                "it waits rather than being killed",
            ),
            write("memory.kmem.tcp.limit_in_bytes", signed(rare.kernel_tcp), "memory for buffers of TCP"),
        ],
        Controller::Cpu => vec![
            write("cpu.rt_period_us", number(rare.realtime_period), "real-time work is per period"),
            write("cpu.rt_runtime_us", signed(rare.realtime_runtime), "real-time work in a period"),
            write("cpu.cfs_burst_us", number(rare.cpu_burst), BURST),
            write("cpu.idle", signed(rare.cpu_idle), IDLE),
        ],
        Controller::Io => {
            return rare
                .io_weights
                .iter()
                .map(|(major, minor, weight)| Step::WriteFirst {
                    choices: ["blkio.bfq.weight_device", "blkio.weight_device"]
                        .map(|file| (directory.join(file), format!("{major}:{minor} {weight}")))
                        .into(),
                    required: true,
                    why: DISK,
                })
                .collect();
        }
        Controller::Hugetlb => return huge_pages(directory, rare, "limit_in_bytes"),
        Controller::Rdma => return rdma(directory, rare),
        Controller::NetCls => {
            vec![write("net_cls.classid", number(rare.net_class.map(u64::from)), "what its packets are")]
        }
        Controller::NetPrio => {
            let one = |(name, priority): &(String, u32)| {
                write("net_prio.ifpriomap", Some(format!("{name} {priority}")), "whose packets go first")
            };
            rare.net_priorities.iter().map(one).collect()
        }
        _ => Vec::new(),
    };
    steps.into_iter().flatten().collect()
}

fn v2(controller: Controller, directory: &Path, rare: &Rare) -> Result<Vec<Step>, RareError> {
    let write = |file: &str, text: Option<String>, why| {
        text.map(|text| Step::Write { file: directory.join(file), text, why })
    };
    let only_v1 = |is_set: bool, limit| if is_set { Err(RareError::OnlyV1 { limit }) } else { Ok(()) };
    Ok(match controller {
        Controller::Memory => {
            only_v1(rare.swappiness.is_some(), "memory.swappiness")?;
            only_v1(rare.oom_kill_disabled, "memory.disableOOMKiller")?;
            only_v1(rare.kernel_tcp.is_some(), "memory.kernelTCP")?;
            Vec::new()
        }
        Controller::Cpu => {
            only_v1(rare.realtime_runtime.is_some(), "cpu.realtimeRuntime")?;
            only_v1(rare.realtime_period.is_some(), "cpu.realtimePeriod")?;
            let burst = write("cpu.max.burst", rare.cpu_burst.map(|burst| burst.to_string()), BURST);
            let idle = write("cpu.idle", rare.cpu_idle.map(|idle| idle.to_string()), IDLE);
            burst.into_iter().chain(idle).collect()
        }
        Controller::Io => rare
            .io_weights
            .iter()
            .map(|(major, minor, weight)| Step::WriteFirst {
                choices: vec![
                    (directory.join("io.bfq.weight"), format!("{major}:{minor} {weight}")),
                    (directory.join("io.weight"), format!("{major}:{minor} {}", io_weight(*weight))),
                ],
                required: true,
                why: DISK,
            })
            .collect(),
        Controller::Hugetlb => huge_pages(directory, rare, "max"),
        Controller::Rdma => rdma(directory, rare),
        _ => Vec::new(),
    })
}

const BURST: &str = "what it saves in one period it may use in another";
const IDLE: &str = "whether it runs only when nobody else wants to";
const DISK: &str = "its part when this disk is contended";

/// Pages are limited when they are used, and, since Linux 5.7, already when they are reserved.
fn huge_pages(directory: &Path, rare: &Rare, file: &str) -> Vec<Step> {
    let one = |(size, bytes): &(String, u64)| {
        let (why, text) =
            ("more huge pages than this and a process of the container is killed", bytes.to_string());
        [
            Step::Write { file: directory.join(format!("hugetlb.{size}.{file}")), text: text.clone(), why },
            Step::WriteFirst {
                choices: vec![(directory.join(format!("hugetlb.{size}.rsvd.{file}")), text)],
                required: false,
                why: "more than this cannot be reserved",
            },
        ]
    };
    rare.huge_pages.iter().flat_map(one).collect()
}

fn rdma(directory: &Path, rare: &Rare) -> Vec<Step> {
    let one = |(name, handles, objects): &(String, Option<u32>, Option<u32>)| {
        let handles = handles.map(|handles| format!(" hca_handle={handles}")).unwrap_or_default();
        let objects = objects.map(|objects| format!(" hca_object={objects}")).unwrap_or_default();
        let text = format!("{name}{handles}{objects}");
        Step::Write {
            file: directory.join("rdma.max"),
            text,
            why: "its part of an adapter for remote memory",
        }
    };
    rare.rdma.iter().map(one).collect()
}

fn unified(layout: &Layout, place: &Path, rare: &Rare) -> Result<Vec<Step>, RareError> {
    let Some(home) = layout.unified.as_ref() else {
        return if rare.unified.is_empty() {
            Ok(Vec::new())
        } else {
            Err(RareError::OnlyV2 { limit: "unified" })
        };
    };
    let one = |(file, text): &(String, String)| {
        if file.is_empty() || file.contains(['/', '\0']) || !file.contains('.') {
            return Err(RareError::BadWord { word: file.clone() });
        }
        let file = home.directory.join(place).join(file);
        Ok(Step::Write { file, text: text.clone(), why: "as the spec has it, word for word" })
    };
    rare.unified.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Controller::{Cpu, Hugetlb, Io, Memory, NetCls, NetPrio, Pids, Rdma};
    use crate::layout::{Hierarchy, Unified};
    use crate::limits::Limits;
    use crate::plan::plan;

    fn v2() -> Layout {
        let offered = vec![Cpu, Io, Memory, Pids, Hugetlb, Rdma];
        let unified = Unified { directory: "/2".into(), enabled: offered.clone(), offered, occupied: false };
        Layout { unified: Some(unified), privileged: true, cpus: "0".parse().unwrap(), ..Layout::default() }
    }

    fn v1() -> Layout {
        let tree = |controllers: &[Controller]| Hierarchy {
            directory: format!("/{}", controllers[0]).into(),
            controllers: controllers.to_vec(),
        };
        let hierarchies = vec![
            tree(&[Cpu]),
            tree(&[Io]),
            tree(&[Memory]),
            tree(&[Hugetlb]),
            tree(&[Rdma]),
            tree(&[NetCls, NetPrio]),
        ];
        Layout { hierarchies, privileged: true, cpus: "0".parse().unwrap(), ..Layout::default() }
    }

    /// What both interfaces have.
    fn both() -> Rare {
        Rare {
            cpu_idle: Some(1),
            cpu_burst: Some(5_000),
            io_weights: vec![(8, 0, 500)],
            huge_pages: vec![("2MB".to_owned(), 4 << 20)],
            rdma: vec![("mlx5_0".to_owned(), Some(2), None)],
            ..Rare::default()
        }
    }

    fn calls(layout: &Layout, rare: Rare) -> String {
        let limits = Limits { rare, ..Limits::default() };
        match plan(layout, "/a/box", &limits) {
            Ok(steps) => steps.iter().map(Step::call).collect::<Vec<_>>().join("\n"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_rare_limit() {
        let unified = vec![("pids.max".to_owned(), "7".to_owned())];
        insta::assert_snapshot!("rare_v2", calls(&v2(), Rare { unified, ..both() }));
        let all = Rare {
            realtime_runtime: Some(9_000),
            realtime_period: Some(90_000),
            swappiness: Some(10),
            oom_kill_disabled: true,
            kernel_tcp: Some(1 << 20),
            net_class: Some(0x10_0001),
            net_priorities: vec![("eth0".to_owned(), 5)],
            ..both()
        };
        insta::assert_snapshot!("rare_v1", calls(&v1(), all));
    }

    #[test]
    fn what_an_interface_does_not_have_is_refused() {
        let none = Rare::default;
        let word = |word: &str| vec![(word.to_owned(), "1".to_owned())];
        let texts = [
            calls(&v2(), Rare { swappiness: Some(1), ..none() }),
            calls(&v2(), Rare { oom_kill_disabled: true, ..none() }),
            calls(&v2(), Rare { realtime_period: Some(1), ..none() }),
            calls(&v2(), Rare { net_class: Some(1), ..none() }),
            calls(&v1(), Rare { unified: word("memory.max"), ..none() }),
            calls(&v2(), Rare { unified: word("../memory.max"), ..none() }),
            calls(&v2(), Rare { huge_pages: vec![("2MB/../x".to_owned(), 1)], ..none() }),
        ];
        insta::assert_snapshot!(texts.join("\n"));
    }
}
