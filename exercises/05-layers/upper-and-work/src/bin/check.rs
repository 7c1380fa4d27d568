//! Do writes go to upper, and does the topmost tree win?

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::{Check, kernel};

/// Names and contents of a tree's files, one a line.
fn looks(tree: &Path) -> std::io::Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(tree)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = if entry.file_type()?.is_dir() {
            "a directory".to_owned()
        } else {
            fs::read_to_string(entry.path())?
        };
        lines.push(format!("{name}: {text}"));
    }
    lines.sort();
    Ok(if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") })
}

/// Three trees, topmost first. All have `whose`, which says whose it is, and one file of their own.
fn layers(check: &mut Check) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut trees = Vec::new();
    for name in ["top", "middle", "bottom"] {
        let tree = check.directory(name)?;
        fs::write(tree.join("whose"), format!("{name} {}", check.word()))?;
        fs::write(tree.join(format!("only-{name}")), check.word())?;
        trees.push(tree);
    }
    Ok(trees)
}

fn main() -> ExitCode {
    course_check::main(|check| {
        let lower = layers(check)?;
        let [merged, upper, work] = ["merged", "upper", "work"].map(|name| check.directory(name));
        let (merged, upper, work) = (merged?, upper?, work?);
        let before: Vec<String> = lower.iter().map(|tree| looks(tree)).collect::<Result<_, _>>()?;

        check.proving(2);
        let directories = [&merged, &upper, &work].into_iter().chain(&lower);
        let mut program = check.start("driver", directories)?;
        program.line()?;
        let mounts = kernel::mounts(program.pid())?;
        let mount = mounts.iter().find(|mount| mount.kind == "overlay");
        let options = mount.map_or("no overlay is mounted", |mount| mount.super_options.as_str());
        let inside = PathBuf::from(format!("/proc/{}/root", program.pid())).join(merged.strip_prefix("/")?);

        // Written through the mount, as the container would, and looked for on the disk.
        let (name, text) = (check.word(), check.word());
        fs::write(inside.join(&name), &text)?;
        fs::write(inside.join("only-bottom"), &text)?;
        let expected = format!("{name}: {text}, only-bottom: {text}");
        let mut names: Vec<&str> = expected.split(", ").collect();
        names.sort_unstable();
        let expected = names.join(", ");
        let found = looks(&upper)?;
        check
            .invariant(2, "what is written in merged stands in upper")
            .expected(format!("upper holds {expected}"))
            .found(format!(
                "upper holds {found}; work holds {}. The mount's options: {options}",
                looks(&work)?
            ))
            .cause(
                "another directory was named as `upperdir`; compare the options with the directories' names",
            )
            .holds(found == expected);
        let after: Vec<String> = lower.iter().map(|tree| looks(tree)).collect::<Result<_, _>>()?;
        check
            .invariant(2, "the three lower trees are as they were")
            .expected(before.join(" | "))
            .found(after.join(" | "))
            .cause("a lower tree was named as `upperdir`")
            .holds(before == after);

        check.proving(3);
        let top = fs::read_to_string(lower[0].join("whose"))?;
        let seen = fs::read_to_string(inside.join("whose"))?;
        check
            .invariant(3, "`whose`, which all three trees have, is the topmost tree's")
            .expected(&top)
            .found(format!("{seen}. The mount's options: {options}"))
            .cause("overlay takes the trees from the topmost to the lowest, and `self.lower` has them in this order")
            .holds(seen == top);
        let shown = looks(&inside)?;
        let missing: Vec<&str> = ["only-top", "only-middle", "only-bottom"]
            .into_iter()
            .filter(|name| !shown.contains(name))
            .collect();
        check
            .invariant(3, "what only one of the trees has shows too")
            .expected("only-top, only-middle and only-bottom")
            .found(if missing.is_empty() { shown.clone() } else { format!("no {}", missing.join(", no ")) })
            .cause("`lowerdir+` adds a tree, `lowerdir` replaces all that were named before")
            .holds(missing.is_empty());
        program.finish()?;
        Ok(())
    })
}
