//! What every plan keeps to.

use mini_cgroups::{Controller, Unified};
use mini_layers::Upper;
use mini_security::capabilities;
use serde_json::json;

use super::*;

fn spec() -> Spec {
    let value = json!({
        "ociVersion": "1.1.0",
        "hostname": "box",
        "root": { "path": "/data/merged" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"] },
            { "destination": "/etc/hosts", "type": "bind", "source": "/data/hosts", "options": ["bind"] }
        ],
        "process": {
            "cwd": "/", "args": ["sh"], "env": ["PATH=/bin"], "user": { "uid": 7, "gid": 8, "additionalGids": [9] },
            "capabilities": { "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 10, "hard": 20 }],
            "noNewPrivileges": true
        },
        "linux": {
            "cgroupsPath": "/mini-docker/box",
            "resources": { "memory": { "limit": 67108864 } },
            "namespaces": [
                { "type": "mount" }, { "type": "pid" }, { "type": "uts" }, { "type": "ipc" },
                { "type": "network" }, { "type": "cgroup" }
            ],
            "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]
        }
    });
    serde_json::from_value(value).unwrap()
}

fn setting() -> Setting {
    let controllers = vec![Controller::Cpu, Controller::Io, Controller::Memory, Controller::Pids];
    let unified = Unified {
        directory: "/sys/fs/cgroup".into(),
        offered: controllers.clone(),
        enabled: controllers,
        occupied: false,
    };
    let layout = Layout {
        unified: Some(unified),
        cpus: "0-3".parse().unwrap(),
        privileged: true,
        ..Layout::default()
    };
    let upper = Upper { tree: "/data/upper".into(), work: "/data/work".into() };
    let overlay = Overlay { lower: vec!["/layers/a/diff".into()], upper: Some(upper), userxattr: false };
    Setting { overlay: Some(overlay), cgroups: Some(layout), ..Setting::default() }
}

fn lines(plan: &Plan) -> String {
    let line = |step: &Step| format!("{}  # {} (ch. {})", step.call(), step.why(), step.chapter());
    plan.steps().map(line).collect::<Vec<_>>().join("\n")
}

fn place(plan: &Plan, wanted: impl Fn(&Step) -> bool) -> usize {
    plan.steps().position(wanted).unwrap()
}

#[test]
fn a_start_reads_like_a_story() {
    insta::assert_snapshot!(lines(&plan(&spec(), &setting()).unwrap()));
}

#[test]
fn limits_are_there_before_the_process_and_powers_go_last() {
    let plan = plan(&spec(), &setting()).unwrap();
    let cloned = place(&plan, |step| matches!(step, Step::Clone { into_cgroup: true, .. }));
    let last_limit =
        plan.steps().collect::<Vec<_>>().iter().rposition(|step| matches!(step, Step::Cgroup(_)));
    assert!(last_limit.is_some_and(|last| last < cloned));
    let user = place(&plan, |step| matches!(step, Step::User { .. }));
    let capset = place(&plan, |step| matches!(step, Step::Capability(capabilities::Step::Set(_))));
    let masked = place(&plan, |step| matches!(step, Step::Path(_)));
    assert!(masked < user && user < capset);
    assert!(matches!(plan.inside.last(), Some(Step::Exec(_))));
}

#[test]
fn with_an_init_limits_are_the_programs_alone() {
    let plan = plan(&spec(), &Setting { init: true, ..setting() }).unwrap();
    assert!(!plan.steps().any(|step| matches!(step, Step::Limit(_))));
    assert!(matches!(plan.inside.last(), Some(Step::Init { limits, .. }) if limits.len() == 1));
}

#[test]
fn what_is_created_for_later_waits_before_its_program_and_does_not_die_with_its_creator() {
    let mut spec = spec();
    let hook = json!([{ "path": "/bin/hook" }]);
    let hooks = json!({ "createRuntime": hook, "createContainer": hook, "startContainer": hook });
    spec.set_hooks(serde_json::from_value(hooks).unwrap());
    let plan = plan(&spec, &Setting { held: Some(State::default()), ..setting() }).unwrap();
    assert!(!plan.steps().any(|step| matches!(step, Step::DieWithParent)));
    assert!(matches!(&plan.meanwhile[..], [Step::Hooks(hooks)] if hooks.moment() == Moment::CreateRuntime));
    let asked = place(&plan, |step| matches!(step, Step::AskParent));
    let pivot = place(&plan, |step| matches!(step, Step::Root(mini_chroot::Step::Pivot(_))));
    assert!(asked < pivot);
    let end: Vec<_> = plan.inside.iter().rev().take(5).rev().collect();
    assert!(
        matches!(end[..], [Step::LookUp(_), Step::Hide, Step::AwaitStart, Step::Hooks(_), Step::Exec(_)]),
        "{end:?}"
    );
}

#[test]
fn the_root_of_a_user_namespace_makes_no_devices() {
    let mut setting = setting();
    let mut spec = spec();
    let dev = json!([{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs" }]);
    spec.set_mounts(serde_json::from_value(dev).unwrap());
    let makes = |setting: &Setting| lines(&plan(&spec, setting).unwrap()).contains("mknod");
    assert!(makes(&setting));
    setting.cgroups.as_mut().unwrap().privileged = false;
    assert!(!makes(&setting));
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is() {
    let mut no_process = spec();
    no_process.set_process(None);
    let text = |spec: &Spec, setting: &Setting| {
        let error = plan(spec, setting).unwrap_err();
        std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    };
    let no_cgroups = Setting { cgroups: Some(Layout::default()), ..setting() };
    insta::assert_snapshot!([text(&no_process, &setting()), text(&spec(), &no_cgroups)].join("\n"));
}
