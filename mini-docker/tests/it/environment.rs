//! What the program finds around it: variables, directory, user, host name, command.

use crate::harness::{Engine, finish};

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program's variables, in their order.
fn variables(engine: &Engine, flags: &str) -> Vec<String> {
    engine.call(&format!("run --rm {flags} host env")).ok().lines().map(str::to_owned).collect()
}

#[test]
fn the_environment_is_the_images_the_users_and_nothing_of_the_host() {
    let Some(engine) = Engine::new() else { return };
    let mut command = engine
        .command("run --rm -h box -e A=1 -e B= -e C -e D=x=y -e A=2 -e NOSUCH host env", &[] as &[&str]);
    let done = finish(command.env("C", "from here").env("SECRET", "1").env_remove("NOSUCH"), None);
    let all = done.ok();
    let mut all: Vec<&str> = all.lines().collect();
    all.sort_unstable();
    assert_eq!(all, ["A=2", "B=", "C=from here", "D=x=y", "HOME=/root", "HOSTNAME=box", PATH]);
    assert_eq!(variables(&engine, "-h box")[..2], [PATH, "HOSTNAME=box"]);
    let all = variables(&engine, "-e PATH=/bin -e HOME=/tmp -e HOSTNAME=other -h box");
    assert_eq!(
        all.iter().filter(|line| line.starts_with("PATH=") || line.starts_with("HOSTNAME=")).count(),
        2
    );
    assert!(
        ["PATH=/bin", "HOME=/tmp", "HOSTNAME=other"].iter().all(|line| all.iter().any(|own| own == line)),
        "{all:?}"
    );
    for bad in ["", "=x"] {
        engine.with("run --rm -e", &[bad, "host", "true"]).fails(125);
    }
}

#[test]
fn the_path_of_the_container_finds_the_program() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --rm -e PATH=/nowhere host true").fails(127);
    assert_eq!(engine.call("run --rm -e PATH=/nowhere:/usr/bin host echo found").ok(), "found");
}

#[test]
fn variables_come_from_files() {
    let Some(engine) = Engine::new() else { return };
    let file = engine.file("a.env", "\u{feff}FIRST=1\n# a comment\n\n   # another\nSPACES= a b \nHERE\nNOSUCH\nEMPTY=\nHASH=a#b\r\n  INDENTED=x\nLAST=no newline");
    let other = engine.file("b.env", "FIRST=2\n");
    let mut command = engine.command("run --rm -e FLAG=wins -e LAST=flag --env-file", &[&file]);
    command
        .arg("--env-file")
        .arg(&other)
        .args(["host", "env"])
        .env("HERE", "of the host")
        .env_remove("NOSUCH");
    let all = finish(&mut command, None);
    all.ok();
    let all: Vec<String> = all.out().split('\n').map(str::to_owned).collect();
    for expected in [
        "FIRST=2",
        "SPACES= a b ",
        "HERE=of the host",
        "EMPTY=",
        "HASH=a#b",
        "INDENTED=x",
        "LAST=flag",
        "FLAG=wins",
    ] {
        assert!(all.iter().any(|line| line == expected), "{expected:?} is not in {all:?}");
    }
    assert!(!all.iter().any(|line| line.starts_with("NOSUCH") || line.contains('\u{feff}')), "{all:?}");
}

#[test]
fn a_file_of_variables_that_cannot_be_used_is_named() {
    let Some(engine) = Engine::new() else { return };
    for content in ["=x\n", "A B=1\n"] {
        let file = engine.file("bad.env", content);
        let message =
            engine.with("run --rm --env-file", &[file.to_str().unwrap(), "host", "true"]).fails(125);
        assert!(message.contains("bad.env") && message.contains("poorly formatted environment"), "{message}");
    }
    let message = engine.call("run --rm --env-file nosuch host true").fails(125);
    assert!(message.contains("nosuch") && message.to_lowercase().contains("no such file"), "{message}");
    engine.call("run --rm --env-file / host true").fails(125);
}

#[test]
fn the_working_directory_is_made_when_it_is_missing() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(engine.sh("", "pwd"), "/");
    assert_eq!(engine.sh("-w /tmp", "pwd"), "/tmp");
    assert_eq!(engine.sh("-w /a/b/../c -u 1", "pwd; stat -c %u%a ."), "/a/c\n0755");
    assert_eq!(engine.sh("--workdir /usr/./bin/", "pwd"), "/usr/bin");
    let tar = crate::tars::root();
    engine.feed("import -c", &["WORKDIR /srv/app", "-", "placed"], tar).ok();
    assert_eq!(engine.call("run --rm placed pwd").ok(), "/srv/app");
    assert_eq!(engine.call("run --rm -w / placed pwd").ok(), "/");
}

#[test]
fn the_user_is_one_of_the_images() {
    let Some(engine) = Engine::new() else { return };
    let image = crate::tars::root_with_users();
    engine.feed("import -c", &["USER web", "-", "users"], image).ok();
    let who = |flags: &str| {
        engine.with(&format!("run --rm {flags} users sh -c"), &["echo $(id -u) $(id -g) $(id -G) $HOME"]).ok()
    };
    assert_eq!(who(""), "33 33 33 29 /var/www");
    assert_eq!(who("-u root"), "0 0 0 29 /root");
    assert_eq!(who("-u web"), "33 33 33 29 /var/www");
    assert_eq!(who("-u 33"), "33 33 33 29 /var/www");
    assert_eq!(who("-u web:audio"), "33 29 29 /var/www");
    assert_eq!(who("-u 1000"), "1000 0 0 /");
    assert_eq!(who("-u 1000:1001"), "1000 1001 1001 /");
    assert_eq!(who("-u :29"), "0 29 29 /root");
    for (user, expected) in [
        ("nosuch", "unable to find user nosuch: no matching entries in passwd file"),
        ("web:nosuch", "unable to find group nosuch: no matching entries in group file"),
        ("4294967295", "uids and gids must be in range 0-2147483647"),
        ("99999999999", "uids and gids must be in range 0-2147483647"),
        ("0:4294967295", "uids and gids must be in range 0-2147483647"),
    ] {
        let message = engine.call(&format!("run --rm -u {user} users true")).fails(125);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_ordinary_user_has_no_capability() {
    let Some(engine) = Engine::new() else { return };
    let caps = engine.sh("-u 1000", "grep ^Cap /proc/self/status");
    assert!(
        caps.contains("CapEff:\t0000000000000000") && caps.contains("CapPrm:\t0000000000000000"),
        "{caps}"
    );
    assert!(caps.contains("CapBnd:\t00000000a80425fb"), "{caps}");
    engine.with("run --rm -u 1000 host sh -c", &["cat /etc/shadow || touch /x"]).exits(1);
}

#[test]
fn the_host_name_is_the_short_id_or_the_one_asked_for() {
    let Some(engine) = Engine::new() else { return };
    let id = engine.detached("--name web", "sleep 1000");
    let pid = engine.pid("web");
    let root = format!("/proc/{pid}/root");
    assert_eq!(std::fs::read_to_string(format!("{root}/etc/hostname")).unwrap(), format!("{}\n", &id[..12]));
    assert_eq!(engine.inspect("web", ".Config.Hostname"), id[..12]);
    assert_eq!(
        engine.sh(
            "-h box.example",
            "hostname; cat /etc/hostname /proc/sys/kernel/hostname; grep -c box.example /etc/hosts"
        ),
        "box.example\nbox.example\nbox.example\n1"
    );
    assert_eq!(engine.sh("--hostname box", "echo $HOSTNAME"), "box");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(engine.sh("--network host", "hostname"), host.trim_end());
    let long = "n".repeat(65);
    let message = engine.call(&format!("run --rm -h {long} host true")).fails(125);
    assert!(message.contains("hostname"), "{message}");
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), host);
}

#[test]
fn entrypoint_and_command_are_put_together_as_dockers_are() {
    let Some(engine) = Engine::new() else { return };
    let tar = crate::tars::root();
    engine
        .feed(
            "import -c",
            &["ENTRYPOINT [\"echo\",\"entry\"]", "-c", "CMD [\"cmd\"]", "-", "both"],
            tar.clone(),
        )
        .ok();
    assert_eq!(engine.call("run --rm both").ok(), "entry cmd");
    assert_eq!(engine.call("run --rm both mine").ok(), "entry mine");
    // A new entrypoint does not get the image's command.
    assert_eq!(engine.call("run --rm --entrypoint pwd both").ok(), "/");
    assert_eq!(engine.call("run --rm --entrypoint echo both mine").ok(), "mine");
    assert_eq!(engine.call("run --rm --entrypoint= both echo plain").ok(), "plain");
    assert_eq!(engine.with("run --rm --entrypoint", &["", "both"]).fails(125), "no command specified");
    engine.feed("import -c", &["CMD echo $((6*7))", "-", "shell"], tar).ok();
    assert_eq!(engine.call("run --rm shell").ok(), "42");
}

#[test]
fn flags_after_the_image_are_the_programs() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(
        engine.call("run --rm host echo --rm -it -e X --name=y --help").ok(),
        "--rm -it -e X --name=y --help"
    );
    assert_eq!(engine.call("run --rm host echo -- --root /x").ok(), "-- --root /x");
    assert_eq!(engine.call("run --rm -- host echo x").ok(), "x");
    assert_eq!(engine.with("run --rm host printf", &["%s|", "a b", "", "*", "é"]).ok(), "a b||*|é|");
}

#[test]
fn the_last_of_a_repeated_flag_counts_and_switches_take_values() {
    let Some(engine) = Engine::new() else { return };
    assert_eq!(engine.call("run --rm --rm -h one -h two --name aa --name bb host hostname").ok(), "two");
    assert_eq!(engine.call("run --rm=true -it=false --init=false -i=true host echo on").ok(), "on");
    engine.call("run --rm=false --name kept host true").ok();
    assert_eq!(engine.call("ps --all=true --format {{.Names}}").ok(), "kept");
    assert_eq!(engine.call("ps -a=false -q").ok(), "");
    assert!(engine.call("run --rm=perhaps host true").fails(125).contains("perhaps"));
    assert_eq!(engine.call("run --rm -eA=1 -ie B=2 host printenv A B").ok(), "1\n2");
}
