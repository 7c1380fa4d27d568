//! `diff`: what a container has changed, and nothing that starting it made.

use crate::harness::Engine;

#[test]
fn additions_changes_and_removals_are_listed_by_path() {
    let Some(engine) = Engine::new() else { return };
    let script = "mkdir -p /data/deep; echo x > /data/deep/file; rm /etc/group; echo y >> /etc/passwd; \
                  mkdir /tmp/x; touch /tmp/x-y; touch /ready; [ -z $WAIT ] || sleep 1000";
    let expected = "C /etc\nD /etc/group\nC /etc/passwd\nA /data\nA /data/deep\nA /data/deep/file\nA /ready\n\
                    C /tmp\nA /tmp/x\nA /tmp/x-y";
    let mut expected: Vec<&str> = expected.lines().collect();
    expected.sort_by_key(|line| &line[2..]);
    engine.with("run --name ended host sh -c", &[script]).ok();
    assert_eq!(engine.call("diff ended").ok().lines().collect::<Vec<_>>(), expected);
    engine.detached("--name running -e WAIT=1", script);
    let ready = format!("/proc/{}/root/ready", engine.pid("running"));
    while !std::path::Path::new(&ready).exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(engine.call("container diff running").ok().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_container_that_has_done_nothing_has_changed_nothing() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name web host true").ok();
    assert_eq!(engine.call("diff web").ok(), "");
    assert_eq!(engine.call("diff nobody").fails(1), "No such container: nobody");
}
