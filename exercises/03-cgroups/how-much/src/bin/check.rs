//! Does the measurement say what a command needed, whose needs are known?

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use course_check::Check;
use mini_cgroups::{Cgroup, Layout};

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        // Twice, with other needs, so that no number is right by chance.
        let (mib, busy) = (check.number(20..=60), check.number(150..=300));
        measure(check, "small", mib, busy)?;
        measure(check, "large", mib + 90, busy + 300)
    })
}

/// What the program itself, its pages and the kernel's own notes may add to memory. The time may be three times what it
/// should be, since a crowded machine is a slow one: the command sleeps so long that its whole life is longer still.
const MORE_MIB: u64 = 12;

fn measure(check: &mut Check, size: &str, mib: u64, busy: u64) -> Result<(), Box<dyn Error>> {
    let name = format!("/{}-{size}", check.word());
    let work = std::env::current_exe()?.with_file_name("how-much-work").to_string_lossy().into_owned();
    let arguments = [name.clone(), work, mib.to_string(), busy.to_string(), (busy * 3).to_string()];
    let mut driver = check.start("driver", &arguments)?;
    driver.patience(Duration::from_secs(15));
    let line = driver.line()?;
    driver.finish()?;
    let numbers: Vec<u64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [bytes, milliseconds] = numbers[..] else { return Err(format!("no measurement in `{line}`").into()) };

    let found = bytes >> 20;
    check
        .invariant(2, format!("the most memory of a command that takes {mib} MiB and gives them back"))
        .expected(format!("between {mib} and {} MiB", mib + MORE_MIB))
        .found(format!("{found} MiB"))
        .cause(if found < mib / 2 {
            "after the end everything has been given back, and before the start nothing is taken: the kernel keeps the peak, for who is in the cgroup"
        } else {
            "that is not this cgroup's peak"
        })
        .holds((mib..=mib + MORE_MIB).contains(&found));
    check
        .invariant(2, format!("the processor time of a command whose child is busy for {busy} ms"))
        .expected(format!("between {busy} and {} ms", busy * 3))
        .found(format!("{milliseconds} ms"))
        .cause(if milliseconds > busy * 3 {
            "that is how long it took, and it slept most of it: a cgroup counts the time on a processor"
        } else {
            "that is not the time of all that the cgroup held: children count too, once they have run"
        })
        .holds((busy..=busy * 3).contains(&milliseconds));

    let group = Cgroup::open(&Layout::detect()?, &name)?;
    let left: Vec<String> = group.directories().map(|directory| directory.display().to_string()).collect();
    for directory in &left {
        let _ = fs::remove_dir(directory);
    }
    Ok(())
}
