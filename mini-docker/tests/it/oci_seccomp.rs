//! A bundle's profile of system calls holds for its program, and for those that join it.

use serde_json::{Value, json};

use crate::bundles::{Runtime, run_script};

/// Everything is allowed but what these rules are about.
fn all_but(rules: &[Value]) -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        "syscalls": rules
    })
}

fn refuse(names: &[&str], errno: u32) -> Value {
    json!({ "names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": errno })
}

/// What the script prints under this profile. `bare` leaves out that no rights can be gained.
fn filtered(runtime: &Runtime, name: &str, bare: bool, profile: &Value, script: &str) -> String {
    let bundle = runtime.bundle(name, |config| {
        run_script(config, script);
        config["root"]["readonly"] = json!(false);
        config["process"]["noNewPrivileges"] = json!(!bare);
        config["linux"]["seccomp"] = profile.clone();
    });
    runtime.call(&format!("run -b {} {name}", bundle.display())).ok()
}

#[test]
fn a_call_fails_as_the_profile_says_and_others_go_through() {
    let Some(runtime) = Runtime::new() else { return };
    let profile =
        all_but(&[refuse(&["mkdir", "mkdirat"], 13), refuse(&["nosuchcall", "chmod", "fchmodat"], 1)]);
    let script = "busybox mkdir /tmp/x 2>&1; busybox chmod 700 /tmp 2>&1; touch /tmp/y; ls /tmp; \
                  grep -o 'Seccomp:.*' /proc/self/status";
    let expected = "mkdir: can't create directory '/tmp/x': Permission denied\n\
                    chmod: /tmp: Operation not permitted\ny\nSeccomp:\t2";
    // With and without that, the filter is loaded at another moment.
    for (name, bare) in [("safe", false), ("bare", true)] {
        assert_eq!(filtered(&runtime, name, bare, &profile, script), expected, "{name}");
    }
}

#[test]
fn a_filter_is_loaded_by_who_has_no_power_at_all() {
    let Some(runtime) = Runtime::new() else { return };
    let bundle = runtime.bundle("box", |config| {
        run_script(config, "busybox mkdir /tmp/x 2>&1; id -u; grep CapEff /proc/self/status");
        config["root"]["readonly"] = json!(false);
        config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 });
        config["process"]["noNewPrivileges"] = json!(false);
        config["process"]["capabilities"] = json!({});
        config["linux"]["seccomp"] = all_but(&[refuse(&["mkdir", "mkdirat"], 38)]);
    });
    let shown = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    assert_eq!(
        shown,
        "mkdir: can't create directory '/tmp/x': Function not implemented\n1000\nCapEff:\t0000000000000000"
    );
}

#[test]
fn arguments_decide_where_the_profile_asks_for_them() {
    let Some(runtime) = Runtime::new() else { return };
    // CLONE_NEWUSER and CLONE_NEWNS.
    let flags =
        json!([{ "index": 0, "value": 0x1000_0000, "valueTwo": 0x1000_0000, "op": "SCMP_CMP_MASKED_EQ" }]);
    let mut rule = refuse(&["unshare"], 1);
    rule["args"] = flags;
    let script = "busybox unshare -U true 2>&1; busybox unshare -m true && echo mounts";
    let bundle = runtime.bundle("box", |config| {
        run_script(config, script);
        let all = json!(["CAP_SYS_ADMIN"]);
        config["process"]["capabilities"] =
            json!({ "bounding": all, "effective": all, "permitted": all, "inheritable": [], "ambient": [] });
        config["linux"]["seccomp"] = all_but(&[rule]);
    });
    let shown = runtime.call(&format!("run -b {} box", bundle.display())).ok();
    assert_eq!(shown, "unshare: unshare(0x10000000): Operation not permitted\nmounts");
}

#[test]
fn a_forbidden_call_ends_the_program_where_the_profile_says_so() {
    let Some(runtime) = Runtime::new() else { return };
    let profile = all_but(&[json!({ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS" })]);
    // 128 and SIGSYS.
    let script = "(exec busybox mkdir /tmp/x) 2>/dev/null; echo $?; ls /tmp";
    assert_eq!(filtered(&runtime, "box", false, &profile, script), "159");
}

#[test]
fn who_is_run_in_the_container_later_has_its_filter_too() {
    let Some(runtime) = Runtime::new() else { return };
    for (name, bare) in [("safe", false), ("bare", true)] {
        let bundle = runtime.bundle(name, |config| {
            run_script(config, "exec sleep 1000");
            config["process"]["noNewPrivileges"] = json!(!bare);
            config["linux"]["seccomp"] = all_but(&[refuse(&["mkdir", "mkdirat"], 13)]);
        });
        runtime.apart(&format!("run -d -b {} {name}", bundle.display()));
        let done = runtime.call(&format!("exec {name} busybox mkdir /tmp/x"));
        assert_eq!(done.code, 1);
        assert!(done.err().contains("can't create directory '/tmp/x': Permission denied"), "{}", done.err());
        assert!(runtime.call(&format!("exec {name} id -u")).ok() == "0");
    }
}

#[test]
fn a_profile_under_which_nothing_can_start_holds_nobody_up() {
    let Some(runtime) = Runtime::new() else { return };
    let none = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        { "names": ["read"], "action": "SCMP_ACT_ALLOW" }
    ] });
    for (name, bare) in [("safe", false), ("bare", true)] {
        let bundle = runtime.bundle(name, |config| {
            run_script(config, "echo started");
            config["process"]["noNewPrivileges"] = json!(!bare);
            config["linux"]["seccomp"] = none.clone();
        });
        let done = runtime.call(&format!("run -b {} {name}", bundle.display()));
        assert_ne!(done.code, 0);
        assert_eq!(done.out(), "");
    }
}

#[test]
fn a_profile_that_cannot_be_carried_out_starts_nothing() {
    let Some(runtime) = Runtime::new() else { return };
    let notify = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        { "names": ["mount"], "action": "SCMP_ACT_NOTIFY" }
    ] });
    let bundle = runtime.bundle("box", |config| {
        run_script(config, "echo started");
        config["linux"]["seccomp"] = notify;
    });
    let message = runtime.call(&format!("run -b {} box", bundle.display())).fails(1);
    assert!(message.contains("SCMP_ACT_NOTIFY is not supported"), "{message}");
    assert!(!message.contains("started"), "{message}");
}
