//! `inspect --kernel`: what the kernel says, compared with what the test reads from `/proc` itself.

use std::fs;

use serde_json::{Value, json};

use crate::harness::Engine;

fn looked(engine: &Engine, name: &str) -> Value {
    let done = engine.with("inspect --kernel --format json", &[name]);
    serde_json::from_str::<Value>(&done.ok()).unwrap()[0].clone()
}

#[test]
fn a_container_has_namespaces_of_its_own_beside_the_hosts() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web", "sleep 1000");
    engine.detached("--name wide --network host", "sleep 1000");
    let pid = engine.pid("web");
    let inode = |pid: &str, kind: &str| {
        let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap().display().to_string();
        link.split(['[', ']']).nth(1).unwrap().parse::<u64>().unwrap()
    };
    let web = looked(&engine, "web");
    assert_eq!(web["Pid"], pid);
    for kind in ["ipc", "mnt", "net", "pid", "user", "uts"] {
        let all = web["Namespaces"].as_array().unwrap();
        let own = all.iter().find(|namespace| namespace["Kind"] == kind).unwrap();
        let (container, host) = (inode(&pid.to_string(), kind), inode("self", kind));
        assert_eq!(
            *own,
            json!({"Kind": kind, "Container": container, "Host": host, "Own": container != host}),
            "{kind}"
        );
    }
    let wide = looked(&engine, "wide");
    let shared = |kind: &str| {
        wide["Namespaces"].as_array().unwrap().iter().any(|own| own["Kind"] == kind && own["Own"] == false)
    };
    assert!(shared("net") && !shared("pid"), "{wide}");
}

#[test]
fn limits_capabilities_and_mounts_are_the_kernels_own() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web -m 64m --pids-limit 33 --tmpfs /run:size=1m", "sleep 1000");
    let web = looked(&engine, "web");
    let groups = web["Cgroups"].as_array().unwrap();
    let has = |value: &str| {
        groups.iter().any(|group| group["Values"].as_object().unwrap().values().any(|own| own == value))
    };
    assert!(has("67108864") && has("33"), "{groups:?}");
    let effective = &web["Capabilities"][0];
    assert_eq!(effective["Name"], "CapEff");
    let names = effective["Container"].as_array().unwrap();
    assert!(names.contains(&json!("CAP_CHOWN")) && !names.contains(&json!("CAP_SYS_ADMIN")), "{names:?}");
    assert_eq!(web["Root"]["Kind"], "overlay");
    let mounts = web["Mounts"].as_array().unwrap();
    let run = mounts.iter().find(|mount| mount["Target"] == "/run").unwrap();
    assert_eq!(
        (&run["Kind"], run["OfFileSystem"].as_str().unwrap().contains("size=1024k")),
        (&json!("tmpfs"), true)
    );
    assert_eq!((&web["Seccomp"], &web["OomScoreAdj"]), (&json!("off"), &json!(0)));
}

#[test]
fn the_page_has_a_table_for_each_kind_of_thing() {
    let Some(engine) = Engine::new() else { return };
    engine.detached("--name web -m 64m", "sleep 1000");
    let page = engine.call("inspect --kernel web").ok();
    assert_eq!(page.lines().next().unwrap(), format!("web: process {} of this machine", engine.pid("web")));
    for heading in ["NAMESPACE ", "MOUNTED AT ", "ROOT", "CGROUP /sys/fs/cgroup/", "CAPABILITIES ", "PROCESS"]
    {
        assert!(page.lines().any(|line| line.starts_with(heading)), "{heading} is not in {page}");
    }
    for part in ["upperdir", "no_new_privs", "67108864", "as on the host"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(engine.call("inspect --kernel -f {{.Pid}} web").ok(), engine.pid("web").to_string());
}

#[test]
fn what_does_not_run_has_nothing_to_look_at() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name old host true").ok();
    engine.detached("--name web", "sleep 1000");
    let id = engine.inspect("old", ".Id");
    let done = engine.call("inspect --kernel old web");
    assert_eq!(done.fails(1), format!("container {id} is not running"));
    assert!(done.out().starts_with("web: process "), "{}", done.out());
    assert_eq!(engine.call("inspect --kernel nosuch").fails(1), "No such container: nosuch");
    assert_eq!(
        engine.call("image inspect --kernel host").fails(1),
        "--kernel is about containers, and no image has processes"
    );
}
