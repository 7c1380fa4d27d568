//! What stands in the files of the cgroup that the student's code limits?

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use course_check::{Check, kernel};
use mini_cgroups::{Controller, Layout};

/// A limit that was never set shows in v1 as the highest number of whole pages.
const NO_LIMIT: u64 = i64::MAX as u64 / 2;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(3);
        let tree = Tree::find()?;
        let memory = (check.number(8..=64) << 20) as i64;
        let swap = (check.number(1..=32) << 20) as i64;

        one(
            check,
            &tree,
            "`-m` alone: as much swap again",
            memory,
            None,
            Some(memory),
            "\
            a limit on memory alone leaves the swap open: the pages that have no place go to disk, for everybody to wait",
        )?;
        one(
            check,
            &tree,
            "`--memory-swap` is the sum of both",
            memory,
            Some(memory + swap),
            Some(swap),
            "\
            the number is memory and swap together, since that is how cgroup v1 counts",
        )?;
        one(
            check,
            &tree,
            "a sum that equals the memory: no swap",
            memory,
            Some(memory),
            Some(0),
            "\
            what was asked for comes before what is usual",
        )?;
        one(
            check,
            &tree,
            "`--memory-swap -1`: all the swap there is",
            memory,
            Some(-1),
            None,
            "\
            -1 was asked for: it lifts the limit",
        )?;
        one(
            check,
            &tree,
            "`-m -1`: no limit, and none on swap",
            -1,
            None,
            None,
            "\
            -1 is no number of bytes to calculate with",
        )
    })
}

/// Makes a cgroup with these limits and reads how much swap the kernel allows it beside its memory.
fn one(
    check: &mut Check,
    tree: &Tree,
    claim: &str,
    memory: i64,
    sum: Option<i64>,
    expected: Option<i64>,
    cause: &str,
) -> Result<(), Box<dyn Error>> {
    let name = format!("course-{}", check.word());
    let arguments = [Some(name.clone()), Some(memory.to_string()), sum.map(|sum| sum.to_string())];
    let mut program = check.start("driver", arguments.into_iter().flatten())?;
    program.line()?; // "made"
    let swap = tree.swap(&name)?;
    check
        .invariant(3, claim)
        .expected(shown(expected))
        .found(format!("{} ({})", shown(swap), tree.files()))
        .cause(cause)
        .holds(swap == expected);
    program.finish()?;
    Ok(())
}

fn shown(swap: Option<i64>) -> String {
    swap.map_or("swap without a limit".to_owned(), |bytes| format!("{bytes} bytes of swap"))
}

/// Where memory is limited on this machine.
enum Tree {
    V1(PathBuf),
    V2(PathBuf),
}

impl Tree {
    fn find() -> Result<Self, Box<dyn Error>> {
        let layout = Layout::detect()?;
        let separate = layout.hierarchies.iter().find(|it| it.controllers.contains(&Controller::Memory));
        match (separate, layout.unified) {
            (Some(hierarchy), _) => Ok(Self::V1(hierarchy.directory.clone())),
            (None, Some(unified)) => Ok(Self::V2(unified.directory)),
            (None, None) => Err("this machine limits no memory".into()),
        }
    }

    /// The swap that `name` may use beside its memory, in bytes; none for all there is.
    fn swap(&self, name: &str) -> Result<Option<i64>, Box<dyn Error>> {
        let number = |file: PathBuf| -> Result<Option<u64>, Box<dyn Error>> {
            let text = kernel::read(file)?;
            Ok(text.trim().parse::<u64>().ok().filter(|bytes| *bytes < NO_LIMIT))
        };
        let swap = match self {
            Self::V1(base) => {
                let directory = base.join("mini-docker").join(name);
                let sum = number(directory.join("memory.memsw.limit_in_bytes"))?;
                let memory = number(directory.join("memory.limit_in_bytes"))?;
                sum.zip(memory).map(|(sum, memory)| sum - memory)
            }
            Self::V2(base) => number(base.join("mini-docker").join(name).join("memory.swap.max"))?,
        };
        Ok(swap.and_then(|bytes| i64::try_from(bytes).ok()))
    }

    fn files(&self) -> &'static str {
        match self {
            Self::V1(_) => "memory.memsw.limit_in_bytes less memory.limit_in_bytes",
            Self::V2(_) => "memory.swap.max",
        }
    }
}
