//! Which programs of ours a page runs, so that they can be built before the clock starts.

use super::block::Block;

/// The words of a `cargo run` that say what is built.
const WITH_VALUE: [&str; 6] = ["-p", "--package", "--example", "--bin", "--manifest-path", "--profile"];
const ALONE: [&str; 2] = ["--release", "-r"];

/// The arguments of `cargo build` for all that `blocks` run, each once: what stands after `cargo run`, the
/// checker for `cargo course`, and `mini-docker` where it is called by its name.
pub fn builds(blocks: &[Block]) -> Vec<Vec<String>> {
    let mut builds: Vec<Vec<String>> = Vec::new();
    let commands = blocks.iter().flat_map(|block| &block.commands);
    for build in commands.flat_map(|command| of_command(&command.text)) {
        if !builds.contains(&build) {
            builds.push(build);
        }
    }
    builds
}

fn of_command(text: &str) -> Vec<Vec<String>> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let is_edge = |character: char| character.is_whitespace() || "'\"();|&`".contains(character);
    let words: Vec<&str> = text.split(is_edge).filter(|word| !word.is_empty() && *word != "\\").collect();
    let mut builds = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match (*word, words.get(at + 1)) {
            ("cargo", Some(&"run")) => builds.push(arguments(&words[at + 2..])),
            ("cargo", Some(&"course")) => {
                builds.push(owned(&["--manifest-path", "exercises/Cargo.toml", "--package", "course"]));
            }
            ("mini-docker", _) if at == 0 || words[at - 1] != "-p" => {
                builds.push(owned(&["--package", "mini-docker"]));
            }
            _ => {}
        }
    }
    builds
}

/// Those of `words` that matter, up to the program's own.
fn arguments(words: &[&str]) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(word) {
            arguments.push((*word).to_owned());
            arguments.extend(words.next().map(|value| (*value).to_owned()));
        } else if ALONE.contains(word) {
            arguments.push((*word).to_owned());
        } else if *word == "--" || !word.starts_with('-') {
            break;
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::of_command;

    #[test]
    fn what_cargo_runs_is_built_as_cargo_would() {
        let builds = of_command("x=$(cargo run -q -p mini-chroot --example jail -- --release) && echo");
        assert_eq!(builds, [["-p", "mini-chroot", "--example", "jail"]]);
        assert_eq!(of_command("cargo run --release -- run host sh"), [["--release"]]);
    }

    #[test]
    fn the_engine_and_the_checker_are_known_by_name() {
        assert_eq!(of_command("mini-docker run --rm host true"), [["--package", "mini-docker"]]);
        assert_eq!(of_command("ls /var/lib/mini-docker"), Vec::<Vec<String>>::new());
        assert_eq!(of_command("cargo course list")[0][1], "exercises/Cargo.toml");
        assert_eq!(of_command("unshare --mount sh -c 'ls'"), Vec::<Vec<String>>::new());
    }
}
