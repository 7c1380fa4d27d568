//! `login` and `logout`: a name and a password against a real registry, and where they are kept.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{Done, Engine, finish};
use crate::pty::Session;
use crate::registry::Registry;

/// A registry that lets in `me` with `s3cret`, and a user of it.
struct User {
    engine: Engine,
    registry: Registry,
    docker: PathBuf,
}

impl User {
    fn new() -> Option<Self> {
        let engine = Engine::anywhere();
        let registry = Registry::start_guarded(&engine)?;
        let docker = engine.path("docker");
        registry.trust(&engine, &docker);
        Some(Self { engine, registry, docker })
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.engine.command(line, &[self.registry.address()]);
        command.env("DOCKER_CONFIG", &self.docker);
        command
    }

    fn call(&self, line: &str) -> Done {
        finish(&mut self.command(line), None)
    }

    fn feed(&self, line: &str, input: &str) -> Done {
        finish(&mut self.command(line), Some(input.into()))
    }

    fn config(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.docker.join("config.json")).unwrap()).unwrap()
    }

    fn settled(&self, text: &str) -> String {
        let text = text.replace(&self.registry.address(), "REGISTRY");
        text.replace(&self.docker.display().to_string(), "~/.docker")
    }
}

#[test]
fn the_right_password_is_kept_and_a_wrong_one_is_not() {
    let Some(user) = User::new() else { return };
    let wrong = user.call("login -u me -p wrong");
    assert_eq!(wrong.code, 1);
    let right = user.feed("login -u me --password-stdin", "s3cret\n");
    let told = format!("{}\n{}{}", wrong.err(), right.ok(), right.err());
    insta::assert_snapshot!(user.settled(&told));
    assert_eq!(user.config(), json!({ "auths": { user.registry.address(): { "auth": "bWU6czNjcmV0" } } }));
    let mode = user.docker.join("config.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");

    // What is kept is good for another login, and a pull is let in: the registry says what it lacks.
    let again = user.call("login");
    assert_eq!(again.ok(), "Login Succeeded");
    assert_eq!(again.err(), "Authenticating with existing credentials... [Username: me]\n");
    let pull = || {
        let mut command = user.engine.command("pull -q", &[format!("{}/a:1", user.registry.address())]);
        finish(command.env("DOCKER_CONFIG", &user.docker), None).fails(1)
    };
    assert!(pull().contains("manifest unknown"));
    let out = user.call("logout").ok();
    assert_eq!(user.settled(&out), "Removing login credentials for REGISTRY");
    assert_eq!(user.config(), json!({ "auths": {} }));
    assert!(pull().contains("wants a name and a password"));
    user.call("logout").ok();
}

#[test]
fn what_cannot_be_meant_is_refused_with_dockers_words() {
    let Some(user) = User::new() else { return };
    let said = |line: &str| user.call(line).err();
    let told = [
        said("login"),
        said("login -u me"),
        said("login --password-stdin"),
        said("login -u me -p x --password-stdin"),
        said("login -u me --password="),
        said("login -p x"),
    ];
    insta::assert_snapshot!(user.settled(&told.join("\n")));
    assert!(!user.docker.join("config.json").exists());
    let told = user.engine.call("login -u me -p x nowhere").fails(1);
    assert!(told.contains("`nowhere` is no registry"), "{told}");
}

#[test]
fn what_else_is_in_the_file_stays_and_a_link_stays_a_link() {
    let Some(user) = User::new() else { return };
    let real =
        user.engine.file("real.json", r#"{"detachKeys":"ctrl-e","auths":{"other:1":{"auth":"eDp5"}}}"#);
    std::os::unix::fs::symlink(&real, user.docker.join("config.json")).unwrap();
    user.feed("login -u me --password-stdin", "s3cret").ok();
    assert!(user.docker.join("config.json").is_symlink());
    let text = std::fs::read_to_string(&real).unwrap();
    assert!(text.starts_with("{\n\t\"detachKeys\": \"ctrl-e\""), "{text}");
    assert_eq!(user.config()["auths"].as_object().unwrap().len(), 2);

    std::fs::write(&real, "{ not json").unwrap();
    let told = user.feed("login -u me --password-stdin", "s3cret").fails(1);
    assert!(told.contains("is not what `docker login` writes"), "{told}");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{ not json");
}

#[test]
fn a_helper_keeps_the_secret_instead_of_the_file() {
    let Some(user) = User::new() else { return };
    let directory = user.engine.path("bin");
    std::fs::create_dir(&directory).unwrap();
    let helper = directory.join("docker-credential-test");
    // Keeps what it is told in a file, as the real ones do in a keyring.
    let kept = user.engine.path("kept");
    let script = format!(
        "#!/bin/sh\nf={0}\ncase $1 in store) cat >$f;; erase) cat >/dev/null; rm $f;;\n\
         get) cat >/dev/null; [ -e $f ] || {{ echo credentials not found; exit 1; }}; cat $f;; esac\n",
        kept.display()
    );
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = json!({ "credHelpers": { user.registry.address(): "test" } });
    std::fs::write(user.docker.join("config.json"), config.to_string()).unwrap();
    let path = [directory.as_os_str(), OsStr::new(":"), &std::env::var_os("PATH").unwrap()];
    let path: std::ffi::OsString = path.into_iter().collect();
    let call = |line: &str, input: &str| finish(user.command(line).env("PATH", &path), Some(input.into()));

    let told = call("login -u me --password-stdin", "s3cret");
    assert_eq!((told.ok().as_str(), told.err().as_str()), ("Login Succeeded", ""), "no file, no warning");
    let secret: Value = serde_json::from_slice(&std::fs::read(&kept).unwrap()).unwrap();
    let expected = json!({ "ServerURL": user.registry.address(), "Username": "me", "Secret": "s3cret" });
    assert_eq!(secret, expected);
    assert_eq!(user.config()["auths"], json!({ user.registry.address(): {} }));
    assert_eq!(call("login", "").ok(), "Login Succeeded");
    call("logout", "").ok();
    assert!(!kept.exists());
    assert_eq!(user.config()["auths"], json!({}));

    // One that fails, and one that is not there.
    std::fs::write(&helper, "#!/bin/sh\necho the keyring is locked\nexit 1\n").unwrap();
    let told = call("login -u me --password-stdin", "s3cret").fails(1);
    assert!(told.ends_with("`docker-credential-test store` fails: the keyring is locked"), "{told}");
    std::fs::remove_file(&helper).unwrap();
    let told = call("login -u me --password-stdin", "s3cret").fails(1);
    assert!(told.ends_with("ask `docker-credential-test`: No such file or directory"), "{told}");
}

#[test]
fn a_password_is_not_shown_while_it_is_typed() {
    let Some(user) = User::new() else { return };
    let docker = format!("DOCKER_CONFIG={}", user.docker.display());
    let inner = user.command("login");
    let mut command = Command::new("env");
    command.arg(&docker).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(inner.get_current_dir().unwrap());
    let mut session = Session::start(&mut command, 80, 24);
    session.wait_for("Username: ");
    session.keys("me\n");
    session.wait_for("Password: ");
    session.keys("s3cret\n");
    let (code, text) = session.end();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Username: me\nPassword: \n") && text.ends_with("Login Succeeded\n"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");

    // Who breaks off gets a terminal that shows again.
    user.call("logout").ok();
    let mut session = Session::start(&mut command, 80, 24);
    session.wait_for("Username: ");
    session.keys("me\n");
    session.wait_for("Password: ");
    session.keys("half\u{3}");
    let (code, text) = session.end();
    assert_eq!(code, 130, "{text}");

    // What is kept and wrong is told, and then asked for.
    let wrong = json!({ "auths": { user.registry.address(): { "auth": "bWU6d3Jvbmc=" } } });
    std::fs::write(user.docker.join("config.json"), wrong.to_string()).unwrap();
    let mut session = Session::start(&mut command, 80, 24);
    session.wait_for("401 Unauthorized");
    session.wait_for("Username: ");
    session.keys("me\n");
    session.wait_for("Password: ");
    session.keys("s3cret\n");
    let (code, text) = session.end();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Login did not succeed, error: login attempt to "), "{text}");
}
