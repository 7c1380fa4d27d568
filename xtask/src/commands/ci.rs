//! `cargo x ci`: everything that must pass beside the tests, as a list of cargo commands.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// One thing to pass.
struct Step {
    /// What the summary calls it.
    name: &'static str,
    /// The arguments of cargo.
    arguments: &'static [&'static str],
    /// A variable for this step alone.
    variable: Option<(&'static str, &'static str)>,
}

/// The workspace of the exercises' checker.
const CHECKER: &str = "exercises/Cargo.toml";

/// Quick ones first. Nothing here is built with another profile or another set of features than the tests
/// are, so that what `cargo test --workspace` has built serves again: hence `--workspace` everywhere, and the
/// benchmarks, which only have to run, in the profile of the tests. The checker is a workspace of its own and is
/// asked the same. Our own verbs come last, and build what they need.
const STEPS: [Step; 12] = [
    Step { name: "format", arguments: &["fmt", "--all", "--check"], variable: None },
    Step {
        name: "layering",
        arguments: &["test", "--quiet", "--workspace", "--test", "layering"],
        variable: None,
    },
    Step {
        name: "clippy",
        arguments: &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        variable: None,
    },
    Step {
        name: "doc",
        arguments: &["doc", "--quiet", "--workspace", "--no-deps"],
        variable: Some(("RUSTDOCFLAGS", "-D warnings")),
    },
    Step { name: "build", arguments: &["build", "--quiet", "--workspace"], variable: None },
    Step {
        name: "benches",
        arguments: &["bench", "--quiet", "--workspace", "--profile", "dev", "--bench", "ch*", "--", "--test"],
        variable: None,
    },
    Step {
        name: "checker format",
        arguments: &["fmt", "--all", "--check", "--manifest-path", CHECKER],
        variable: None,
    },
    Step {
        name: "checker clippy",
        arguments: &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--manifest-path",
            CHECKER,
            "--",
            "-D",
            "warnings",
        ],
        variable: None,
    },
    Step {
        name: "checker tests",
        arguments: &["test", "--quiet", "--workspace", "--manifest-path", CHECKER],
        variable: None,
    },
    Step { name: "exercises", arguments: &["x", "exercises", "--check"], variable: None },
    Step { name: "book", arguments: &["x", "book", "--check"], variable: None },
    Step { name: "transcripts", arguments: &["x", "transcripts"], variable: None },
];

/// Runs the steps, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let mut times = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        println!("ci {}/{}: {} (`{}`)", index + 1, STEPS.len(), step.name, step.command());
        let begun = Instant::now();
        let passed = step.perform()?;
        let took = begun.elapsed();
        if !passed {
            let (name, took) = (step.name, seconds(took));
            bail!("ci stopped at {name} after {took}\nhint: `{}` runs it alone", step.command());
        }
        println!("ci {}/{}: {} passed in {}", index + 1, STEPS.len(), step.name, seconds(took));
        times.push((step.name, took));
    }
    println!("ci: all passed in {}", seconds(times.iter().map(|(_, took)| *took).sum()));
    for (name, took) in times {
        println!("  {name:<14} {:>9}", seconds(took));
    }
    Ok(())
}

impl Step {
    fn perform(&self) -> Result<bool> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(self.arguments).envs(self.variable);
        Ok(cargo.status().with_context(|| format!("run `{}`", self.command()))?.success())
    }

    /// What a person would type.
    fn command(&self) -> String {
        let variable = self.variable.map(|(name, value)| format!("{name}=\"{value}\" "));
        format!("{}cargo {}", variable.unwrap_or_default(), self.arguments.join(" "))
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::STEPS;

    #[test]
    fn every_step_is_about_the_whole_workspace() {
        for step in STEPS.iter().filter(|step| step.arguments[0] != "x") {
            assert!(
                step.arguments.contains(&"--workspace") || step.arguments.contains(&"--all"),
                "{}",
                step.name
            );
        }
    }

    #[test]
    fn a_warning_fails_clippy_and_doc() {
        let commands: Vec<String> = STEPS.iter().map(super::Step::command).collect();
        let denied: Vec<&String> =
            commands.iter().filter(|command| command.contains("-D warnings")).collect();
        let of_checker = denied.iter().filter(|command| command.contains(super::CHECKER)).count();
        assert_eq!((denied.len(), of_checker), (3, 1), "{commands:?}");
    }

    #[test]
    fn no_benchmark_is_timed() {
        let benches = STEPS.iter().find(|step| step.name == "benches");
        assert!(benches.is_some_and(|step| step.arguments.ends_with(&["--", "--test"])));
    }
}
