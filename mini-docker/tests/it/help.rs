//! What the command says about itself: `--help`, `--version`, `version`, `info`, `doctor`.

use serde_json::Value;

use crate::harness::Engine;

/// A line each, so that changes that add one go together.
const VERBS: &str = "
    attach
    commit
    cp
    create
    diff
    completion
    doctor
    events
    exec
    export
    history
    images
    import
    info
    inspect
    kill
    leaks
    load
    login
    logout
    logs
    man
    manifest
    oci
    pause
    ps
    pull
    push
    rename
    restart
    restore
    rm
    rmi
    run
    save
    search
    start
    stats
    stop
    system
    tag
    top
    unpause
    update
    version
    wait
";

#[test]
fn every_verb_has_help() {
    let engine = Engine::anywhere();
    let top = engine.call("--help").ok();
    for verb in VERBS.split_whitespace() {
        assert!(top.lines().any(|line| line.trim_start().starts_with(verb)), "{verb} is not in {top}");
        let help = engine.call(&format!("{verb} --help"));
        assert!(help.ok().contains("Usage:  mini-docker "), "{verb}");
        assert_eq!(help.err(), "", "{verb}");
    }
    assert_eq!(engine.call("").ok(), top);
    for verb in
        ["container ls", "container run", "image ls", "image rm", "image tree", "image prune", "system df"]
    {
        engine.call(&format!("{verb} --help")).ok();
    }
    assert!(!engine.root().exists(), "help makes no directory");
}

#[test]
fn the_flags_of_run_are_all_told() {
    let engine = Engine::anywhere();
    let help = engine.call("run --help").ok();
    for flag in [
        "-i, --interactive",
        "-t, --tty",
        "-d, --detach",
        "--rm",
        "--name",
        "-e, --env",
        "--env-file",
        "-w, --workdir",
        "-u, --user",
        "-h, --hostname",
        "--entrypoint",
        "-m, --memory",
        "--memory-swap",
        "--cpus",
        "-c, --cpu-shares",
        "--cpuset-cpus",
        "--pids-limit",
        "--read-only",
        "--tmpfs",
        "--ulimit",
        "--init",
        "--stop-signal",
        "--network",
        "--explain",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn what_is_no_command_is_refused_as_docker_does() {
    let engine = Engine::anywhere();
    let done = engine.call("nosuch");
    assert!(done.fails(1).contains("nosuch"), "{}", done.err());
    assert!(engine.call("rum").err().contains("run"), "a verb that is alike is offered");
    for (line, message) in [
        ("nosuch", "unknown command: mini-docker nosuch"),
        ("container nosuch", "unknown command: mini-docker container nosuch"),
        ("run", "'mini-docker run' requires at least 1 argument"),
        ("logs", "'mini-docker logs' requires 1 argument"),
        ("logs a b", "'mini-docker logs' requires 1 argument"),
        ("tag a", "'mini-docker tag' requires 2 arguments"),
        ("ps x", "'mini-docker ps' accepts no arguments"),
        ("container ls x", "'mini-docker container ls' accepts no arguments"),
        ("images a b", "'mini-docker images' requires at most 1 argument"),
        ("port", "'mini-docker port' requires at least 1 and at most 2 arguments"),
    ] {
        assert_eq!(engine.call(line).fails(1), message);
    }
    assert!(engine.call("rm").err().contains("`mini-docker rm [OPTIONS] CONTAINER [CONTAINER...]`"));
    for verb in ["rm", "rmi", "stop", "kill", "logs", "inspect", "import", "run"] {
        let message = engine.call(verb).fails(1);
        assert!(message.contains("argument"), "{message}");
    }
    for line in ["ps x", "images a b", "version x", "info x", "logs a b"] {
        engine.call(line).fails(1);
    }
    for line in ["ps --nosuch", "rm -z x", "logs --tail"] {
        engine.call(line).fails(125);
    }
    assert!(!engine.root().exists(), "a wrong command makes no directory");
}

#[test]
fn versions_are_told() {
    let engine = Engine::anywhere();
    let version = env!("CARGO_PKG_VERSION");
    for flag in ["--version", "-v"] {
        assert_eq!(engine.call(flag).ok(), format!("mini-docker version {version}"));
    }
    assert!(engine.call("version").ok().contains(version));
    assert_eq!(engine.call("version --format {{.Client.Version}}").ok(), version);
    let json: Value = serde_json::from_str(&engine.call("version -f json").ok()).unwrap();
    assert_eq!(json["Server"]["Os"], "linux");
    assert_eq!(
        (&json["Client"]["ApiVersion"], &json["Server"]["MinAPIVersion"]),
        (&"1.50".into(), &"1.24".into())
    );
    assert_eq!(engine.call("version --format {{range.Server.Components}}{{.Name}}{{end}}").ok(), "Engine");
    engine.call("version --format {{").fails(64);
}

#[test]
fn info_counts_what_is_there() {
    let Some(engine) = Engine::new() else { return };
    engine.call("run --name old host true").ok();
    engine.detached("", "sleep 1000");
    let info = engine.call("info").ok();
    for line in [" Containers: 2", "  Running: 1", "  Stopped: 1", " Images: 1", " Storage Driver: overlay2"]
    {
        assert!(info.lines().any(|own| own == line), "{line:?} is not in {info}");
    }
    let json: Value = serde_json::from_str(&engine.call("info --format json").ok()).unwrap();
    assert_eq!((json["Containers"].as_u64(), json["ContainersRunning"].as_u64()), (Some(2), Some(1)));
    assert_eq!(json["DockerRootDir"].as_str().unwrap(), engine.root().display().to_string());
    assert_eq!(engine.call("info -f {{.OSType}}").ok(), "linux");
    for (field, expected) in [
        ("{{.Driver}} {{.LoggingDriver}} {{.Swarm.LocalNodeState}}", "overlay2 json-file inactive"),
        ("{{join .Plugins.Log \",\"}}", "journald,json-file,none"),
        (
            "{{range $name, $runtime := .Runtimes}}{{$name}}{{end}} {{.DefaultRuntime}}",
            "mini-docker mini-docker",
        ),
        ("{{.ContainersPaused}} {{.ContainersStopped}}", "0 1"),
    ] {
        assert_eq!(engine.with("info -f", &[field]).ok(), expected, "{field}");
    }
    assert!(engine.call("info -f {{.Nosuch}}").fails(1).starts_with("template "));
}

#[test]
fn doctor_looks_at_the_machine() {
    let Some(engine) = Engine::new() else { return };
    let shown = engine.call("doctor");
    let all = shown.out() + &shown.err();
    for word in ["kernel", "overlay", "cgroup", "namespaces"] {
        assert!(all.to_lowercase().contains(word), "{word} is not in {all}");
    }
    assert_eq!(engine.ids(), [] as [&str; 0]);
}

#[test]
fn commands_are_grouped_as_dockers_are() {
    let engine = Engine::anywhere();
    insta::assert_snapshot!(engine.call("--help").ok());
    assert_eq!(engine.call("help").ok(), engine.call("--help").ok());
    let containers = engine.call("container");
    assert!(containers.ok().starts_with("Usage:  mini-docker container COMMAND"));
    assert_eq!(containers.out(), engine.call("container --help").out());
}

#[test]
fn a_verb_tells_its_usage_flags_other_names_and_examples() {
    let engine = Engine::anywhere();
    insta::assert_snapshot!(
        ["ps --help", "container ls --help", "help stop", "image rm --help", "inspect --help"]
            .map(|line| format!("$ mini-docker {line}\n{}", engine.call(line).out()))
            .join("\n")
    );
}

#[test]
fn every_verb_has_an_example() {
    let engine = Engine::anywhere();
    let top = engine.call("--help").ok();
    let verbs = top.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let mut count = 0;
    for verb in verbs.filter(|verb| !verb.is_empty() && !verb.starts_with('-')) {
        let help = engine.call(&format!("{verb} --help")).ok();
        assert!(help.contains("\nExamples:\n") || help.contains("COMMAND --help"), "{verb} has none: {help}");
        count += 1;
    }
    assert!(count > 20, "{top}");
}
