//! A disk without room: what needs some says so and changes nothing, and what makes room works.

use std::process::Command;

use crate::harness::{Done, Engine, binary, finish};
use crate::needs;

/// Runs the script with the state directory `$R` on a small file system of its own; `D` is the engine.
fn on_a_small_disk(engine: &Engine, script: &str) -> Done {
    std::fs::create_dir_all(engine.root()).unwrap();
    let size =
        std::fs::metadata(engine.file("small.tar", crate::tars::root())).unwrap().len() * 3 + (2 << 20);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]).arg(format!(
        "D() {{ {} --root $R \"$@\"; }}; mount -t tmpfs -o size={size} tmpfs $R; D import small.tar box > imported; {script}",
        binary().display()
    ));
    command.env("R", engine.root()).current_dir(engine.path(""));
    finish(&mut command, None)
}

const FILL: &str = "cat /dev/zero > $R/fill 2> full;";

#[test]
fn a_container_that_cannot_be_made_or_renamed_leaves_all_as_it_was() {
    let Some(engine) = Engine::empty() else { return };
    if !needs::program("unshare") {
        return;
    }
    let done = on_a_small_disk(
        &engine,
        &format!(
            "D create --name web box true > made; {FILL} ls $R/containers $R/names > before
            D create --name new box true; echo $?; D run --rm box true; echo $?
            D rename web other; echo $?; D start web; echo $?
            ls $R/containers $R/names > after; diff before after; D ps -a --format '{{{{.Names}}}} {{{{.Status}}}}'
            rm $R/fill; D rename web other; D start -a other; D run --rm --name new box echo room; D rm other"
        ),
    );
    let told = done.err();
    assert_eq!(done.out(), "1\n125\n1\n1\nweb Created\nroom\nother\n", "{told}");
    assert_eq!(told.matches("No space left on device").count(), 4, "{told}");
}

#[test]
fn one_that_runs_can_be_ended_and_removed() {
    let Some(engine) = Engine::empty() else { return };
    if !needs::program("unshare") {
        return;
    }
    let done = on_a_small_disk(
        &engine,
        &format!(
            "D run -d --name web box sleep 1000 > made; D run -d --name more box sleep 1000 >> made; {FILL}
            D exec web echo inside; D stop -t 0 web; D kill more > killed
            while D ps -q | grep -q .; do sleep 0.05; done
            D ps -a --format '{{{{.Names}}}} {{{{.State}}}}'; D rm -f web more; D ps -aq; ls -A $R/containers $R/names"
        ),
    );
    assert_eq!(
        done.out().replace(&engine.root().display().to_string(), "R"),
        "inside\nweb\nmore exited\nweb exited\nweb\nmore\nR/containers:\n\nR/names:\n",
        "{}",
        done.err()
    );
}
