//! What a process has that is neither a limit nor a power: its place in queues, its personality, its labels. OCI runtime
//! spec, "Linux Process", "Personality".

use mini_security::{labels, scheduling};
use mini_sys::sched::SchedAttr;
use oci_spec::runtime::{
    IOPriorityClass, LinuxPersonalityDomain, LinuxSchedulerFlag, Process, Scheduler, Spec,
};

use crate::step::Step;

/// The steps that give `process` what it asks for, and what the container has for all, before powers are given up.
pub(crate) fn plan(spec: &Spec, process: &Process) -> Vec<Step> {
    let personality = spec.linux().as_ref().and_then(|linux| linux.personality().as_ref());
    let persona = personality.map(|personality| match personality.domain() {
        LinuxPersonalityDomain::PerLinux => 0,
        LinuxPersonalityDomain::PerLinux32 => 8,
    });
    let disks = process.io_priority().map(|priority| {
        let class = match priority.class() {
            IOPriorityClass::IoprioClassRt => 1,
            IOPriorityClass::IoprioClassBe => 2,
            IOPriorityClass::IoprioClassIdle => 3,
        };
        // One that does not fit is the kernel's to refuse.
        scheduling::Step::Disks(class, u8::try_from(priority.priority()).unwrap_or(u8::MAX))
    });
    let scheduling = [
        persona.map(scheduling::Step::Personality),
        process.scheduler().as_ref().map(|asked| scheduling::Step::Scheduler(scheduler(asked))),
        disks,
    ];
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let labels = [
        set(process.apparmor_profile()).map(labels::Step::AppArmor),
        set(process.selinux_label()).map(labels::Step::Selinux),
    ];
    let scheduling = scheduling.into_iter().flatten().map(Step::Scheduling);
    scheduling.chain(labels.into_iter().flatten().map(Step::Label)).collect()
}

fn scheduler(asked: &Scheduler) -> SchedAttr {
    let flag = |flag: &LinuxSchedulerFlag| match flag {
        LinuxSchedulerFlag::SchedResetOnFork => 0x01,
        LinuxSchedulerFlag::SchedFlagReclaim => 0x02,
        LinuxSchedulerFlag::SchedFlagDLOverrun => 0x04,
        LinuxSchedulerFlag::SchedFlagKeepPolicy => 0x08,
        LinuxSchedulerFlag::SchedFlagKeepParams => 0x10,
        LinuxSchedulerFlag::SchedFlagUtilClampMin => 0x20,
        LinuxSchedulerFlag::SchedFlagUtilClampMax => 0x40,
    };
    SchedAttr {
        // A policy that Linux does not have is the kernel's to refuse.
        policy: scheduling::policy(&asked.policy().to_string()).unwrap_or(u32::MAX),
        flags: asked.flags().iter().flatten().map(flag).sum(),
        nice: asked.nice().unwrap_or(0),
        priority: asked.priority().map_or(0, |priority| u32::try_from(priority).unwrap_or(u32::MAX)),
        runtime: asked.runtime().unwrap_or(0),
        deadline: asked.deadline().unwrap_or(0),
        period: asked.period().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_process_asks_for_beside_limits_is_done() {
        let spec: Spec = serde_json::from_value(json!({
            "ociVersion": "1.2.0",
            "process": {
                "cwd": "/", "user": { "uid": 0, "gid": 0 },
                "scheduler": { "policy": "SCHED_BATCH", "nice": 5 },
                "ioPriority": { "class": "IOPRIO_CLASS_IDLE", "priority": 0 },
                "apparmorProfile": "docker-default", "selinuxLabel": "u:r:t:s0"
            },
            "linux": { "personality": { "domain": "LINUX32" } }
        }))
        .unwrap();
        let steps = plan(&spec, spec.process().as_ref().unwrap());
        let calls: Vec<String> = steps.iter().map(Step::call).collect();
        insta::assert_snapshot!(calls.join("\n"), @r#"
        personality(0x8)
        sched_setattr(SCHED_BATCH, nice 5, priority 0)
        ioprio_set(class 3, level 0)
        write("exec docker-default", /proc/self/attr/apparmor/exec)
        write("u:r:t:s0", /proc/self/attr/exec)
        "#);
    }
}
