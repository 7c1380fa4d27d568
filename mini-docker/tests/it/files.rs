//! The container's root filesystem: writable, read-only, in memory.

use crate::harness::{Engine, names};

#[test]
fn what_a_container_writes_is_its_own_and_goes_with_it() {
    let Some(engine) = Engine::new() else { return };
    engine
        .with(
            "run --name one host sh -c",
            &["echo mine > /file; rm /usr/bin/env; mkdir /dir; echo x >> /etc/profile"],
        )
        .ok();
    assert_eq!(engine.sh("", "ls /file /dir 2>/dev/null; ls /usr/bin/env"), "/usr/bin/env");
    let upper = engine.root().join("containers").join(engine.inspect("one", ".Id")).join("upper");
    assert_eq!(std::fs::read_to_string(upper.join("file")).unwrap(), "mine\n");
    engine.call("rm one").ok();
    assert!(!upper.exists());
}

#[test]
fn a_read_only_root_cannot_be_written() {
    let Some(engine) = Engine::new() else { return };
    for path in ["/file", "/etc/passwd", "/tmp/x", "/usr/bin/new", "/sys/x"] {
        let done = engine.with("run --rm --read-only host sh -c", &[format!("echo x > {path}")]);
        assert!(done.code != 0 && done.err().contains("Read-only file system"), "{path}: {}", done.err());
    }
    assert_eq!(engine.sh("--read-only", "echo x > /dev/shm/f && echo y > /dev/null && cat /dev/shm/f"), "x");
    assert_eq!(engine.sh("--read-only --tmpfs /tmp", "echo x > /tmp/f && cat /tmp/f"), "x");
    assert_eq!(engine.sh("--read-only -w /tmp", "pwd"), "/tmp");
    engine.call("run --rm --read-only -w /new host true").fails(125);
}

#[test]
fn directories_in_memory_have_dockers_defaults_and_the_users_options() {
    let Some(engine) = Engine::new() else { return };
    let mount = |flags: &str, target: &str| {
        engine.sh(flags, &format!("grep ' {target} ' /proc/self/mountinfo | cut -d' ' -f5,6,9-"))
    };
    let line = mount("--tmpfs /run", "/run");
    assert!(line.starts_with("/run rw,nosuid,nodev,noexec") && line.contains("tmpfs"), "{line}");
    let line = mount("--tmpfs /deep/new/dir:size=64k,mode=0700,exec,uid=5", "/deep/new/dir");
    assert!(
        line.contains("size=64k")
            && line.contains("mode=700")
            && line.contains("uid=5")
            && !line.contains("noexec"),
        "{line}"
    );
    let line = mount("--tmpfs /run:ro,size=1m", "/run");
    assert!(line.starts_with("/run ro,"), "{line}");
    assert_eq!(
        engine.sh(
            "--tmpfs /a:size=16k --tmpfs /b",
            "head -c 100000 /dev/zero > /a/f 2>/dev/null; wc -c < /a/f; echo ok > /b/f; cat /b/f"
        ),
        "16384\nok"
    );
    assert_eq!(engine.sh("--tmpfs /run", "stat -c %a /run"), "1777");
    for (value, expected) in [
        ("relative", "mount path must be absolute"),
        ("/", "not the root"),
        ("/x:nosuchoption", "nosuchoption"),
        ("/x:size=x", ""),
    ] {
        let message = engine.call(&format!("run --rm --tmpfs {value} host true")).fails(125);
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn a_link_of_the_image_does_not_lead_a_mount_out_of_it() {
    let Some(engine) = Engine::empty() else { return };
    let target = engine.path("outside");
    std::fs::create_dir(&target).unwrap();
    let link = target.to_string_lossy().into_owned();
    let tar = crate::tars::root_and(crate::tars::Tar::new().symlink("run", &link).symlink("etc", &link));
    engine.feed("import - linked", &[] as &[&str], tar).ok();
    // Whether it is refused or goes to the same path inside: the host's directory stays empty and unmounted.
    engine.call("run --rm --tmpfs /run linked true");
    engine.call("run --rm -w /run/sub linked true");
    assert_eq!(names(&target), [] as [&str; 0]);
}

#[test]
fn files_about_the_network_are_there_and_writable() {
    let Some(engine) = Engine::new() else { return };
    let shown = engine.sh("-h box", "grep -w localhost /etc/hosts | head -1; cat /etc/hostname; echo '1.2.3.4 x' >> /etc/hosts; tail -1 /etc/hosts; test -e /etc/resolv.conf && echo there");
    assert_eq!(shown, "127.0.0.1\tlocalhost\nbox\n1.2.3.4 x\nthere");
    let host = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    assert_eq!(engine.sh("--network host", "cat /etc/hosts"), host.trim_end());
    assert!(!std::fs::read_to_string("/etc/hosts").unwrap_or_default().contains("1.2.3.4"));
}
