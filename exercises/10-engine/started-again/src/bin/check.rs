//! Is a program started again as its policy says, and as its user does?

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use course_check::{Check, kernel};

/// Longer than any of these containers takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(20);

/// Its program writes its line some milliseconds after the start that `restore` waits for.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        after_an_end(check)?;
        after_a_boot(check)?;
        pauses(check)?;
        let home = check.directory("engine")?;
        lives(check, &home)?;
        a_boot(check, &home)
    })
}

fn after_an_end(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let (status, most) = (check.number(1..=255), check.number(2..=9));
    let limited = format!("on-failure:{most}");
    let (last, first, often) = (most - 1, 0, check.number(100..=1000));
    let failure = "what ends well has not failed, and a failure counts whatever its number is";
    let number =
        "`restarts` is how often it was started again so far; 0 in `maximum_retry_count` is no number at all";
    let user = "`stopped_by_hand`: a user has ended it, and no policy is asked then";
    let cases = [
        ("no", status, first, "-", "no", "`no` is no"),
        ("always", 0, often, "-", "yes", "`always` asks for nothing"),
        ("unless-stopped", status, often, "-", "yes", "nobody has stopped it"),
        ("on-failure", status, first, "-", "yes", failure),
        ("on-failure", 0, first, "-", "no", failure),
        ("on-failure", status, often, "-", "yes", number),
        (limited.as_str(), status, last, "-", "yes", number),
        (limited.as_str(), status, most, "-", "no", number),
        (limited.as_str(), 0, first, "-", "no", failure),
        ("always", status, first, "hand", "no", user),
        ("unless-stopped", 0, first, "hand", "no", user),
        ("on-failure", status, first, "hand", "no", user),
    ];
    for (policy, status, restarts, hand, expected, cause) in cases {
        let by = if hand == "hand" { ", stopped by hand" } else { "" };
        let found = ask(check, &["wanted", policy, &status.to_string(), &restarts.to_string(), hand])?;
        check
            .invariant(
                4,
                format!("{policy}, ended with {status} after {restarts} restarts{by}: is it started again?"),
            )
            .expected(expected)
            .found(&found)
            .cause(cause)
            .holds(found == expected);
    }
    Ok(())
}

fn after_a_boot(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let status = check.number(1..=255);
    let user =
        "the column \"after a boot\": `always` and `unless-stopped` differ in what a user's stop means then";
    let other = "as after its last end, with `exit_code` for its status";
    let cases = [
        ("always", status, "exited", "hand", "yes", user),
        ("always", 0, "exited", "-", "yes", user),
        ("unless-stopped", status, "exited", "hand", "no", user),
        ("unless-stopped", 0, "exited", "-", "yes", user),
        ("on-failure", status, "exited", "-", "yes", other),
        ("on-failure", 0, "exited", "-", "no", other),
        ("no", status, "exited", "-", "no", other),
        ("always", 0, "never", "-", "no", "a boot begins nothing that nobody has begun: `started_at`"),
        ("always", 0, "running", "-", "no", "it runs already: a second start would fail"),
    ];
    for (policy, status, life, hand, expected, cause) in cases {
        let by = if hand == "hand" { ", stopped by hand" } else { "" };
        let about = match life {
            "never" => "never started".to_owned(),
            "running" => "runs already".to_owned(),
            _ => format!("ended with {status}{by}"),
        };
        let found = ask(check, &["boot", policy, &status.to_string(), life, hand])?;
        check
            .invariant(4, format!("{policy}, {about}: is it started after a boot?"))
            .expected(expected)
            .found(&found)
            .cause(cause)
            .holds(found == expected);
    }
    Ok(())
}

fn pauses(check: &mut Check) -> Result<(), Box<dyn Error>> {
    // Twelve falls, one run that was long enough, two falls, and one that was not quite long enough.
    let short = check.number(0..=9000);
    let mut runs = vec![short; 12];
    runs.extend([10_000 + check.number(0..=100_000), short, 0, 9999]);
    let expected =
        "100 200 400 800 1600 3200 6400 12800 25600 51200 60000 60000, then 100 200 400 800".to_owned();
    let mut words = vec!["pauses".to_owned()];
    words.extend(runs.iter().map(u64::to_string));
    let mut driver = check.start("driver", words)?;
    let said = runs.iter().map(|_| driver.line()).collect::<Result<Vec<_>, _>>()?;
    driver.finish()?;
    let found = format!("{}, then {}", said[..12].join(" "), said[12..].join(" "));
    check
        .invariant(4, "the pauses of twelve falls, and of four more after a run of ten seconds or longer")
        .expected(&expected)
        .found(&found)
        .cause(
            "twice the one before, 60000 at most; a run that was `LONG_ENOUGH` makes the next one `SHORTEST`",
        )
        .holds(found == expected);
    Ok(())
}

/// Containers that fall.
fn lives(check: &mut Check, home: &Path) -> Result<(), Box<dyn Error>> {
    let (most, status) = (check.number(1..=3), check.number(1..=255));
    let container = run(
        check,
        home,
        "falls",
        &format!("on-failure:{most}"),
        &format!("echo life >> /lives; exit {status}"),
    )?;
    container.judge(check, &format!("on-failure:{most}, and its program ends with {status}"), most + 1)?;
    let good = check.number(2..=3);
    let script = format!("echo life >> /lives; test $(wc -l < /lives) -ge {good}");
    let container = run(check, home, "learns", "on-failure", &script)?;
    container.judge(check, &format!("on-failure, and its program does its work at try {good}"), good)
}

/// What a user has ended, what a power failure has ended, and then a boot.
fn a_boot(check: &mut Check, home: &Path) -> Result<(), Box<dyn Error>> {
    let script = "echo life >> /lives; exec sleep 1000";
    let mut containers = Vec::new();
    for (name, policy) in [("one", "always"), ("two", "unless-stopped"), ("three", "unless-stopped")] {
        let container = run(check, home, name, policy, script)?;
        container.until(1);
        containers.push(container);
    }
    let home_word = home.display().to_string();
    for name in ["one", "two"] {
        ask(check, &["stop", &home_word, name])?;
    }
    // What a power failure leaves: a record that says it runs, and no process. The program goes with its monitor.
    let monitor = mini_sys::Pid::from_raw(containers[2].monitor.cast_signed());
    mini_sys::signal::kill(monitor, mini_sys::signal::Signal::SIGKILL)?;
    containers[2].ends(1);
    for (container, about) in containers[..2].iter().zip(["always", "unless-stopped"]) {
        let found = container.count();
        check
            .invariant(4, format!("{about}: who stops a container has stopped it"))
            .expected("1 life")
            .found(format!("{found}, in {}", plural(found)))
            .cause("its monitor asked `is_wanted` and was told to start it again")
            .holds(found == 1);
    }
    let restored = ask(check, &["restore", &home_word])?;
    let expected = [2, 1, 2];
    let abouts = [
        "always, stopped by its user before the boot",
        "unless-stopped, stopped by its user before the boot",
        "unless-stopped, ended by the power failure",
    ];
    for ((container, expected), about) in containers.iter().zip(expected).zip(abouts) {
        let found = container.after_a_boot(expected);
        check
            .invariant(4, about)
            .expected(format!("{} after the boot", plural(expected)))
            .found(format!("{} ({restored})", plural(found)))
            .cause("`is_wanted_at_boot`: the last column of the table")
            .holds(found == expected);
    }
    for name in ["one", "two", "three"] {
        ask(check, &["remove", &home_word, name])?;
    }
    Ok(())
}

/// A container whose program writes a line into `/lives` each time that it begins.
struct Container {
    monitor: u32,
    changes: PathBuf,
}

impl Container {
    fn count(&self) -> u64 {
        fs::read_to_string(self.changes.join("lives")).unwrap_or_default().lines().count() as u64
    }

    /// Waits for as many lives, or for what should not be: how many there are.
    fn until(&self, lives: u64) -> u64 {
        let begun = Instant::now();
        while self.count() < lives && !self.is_over() && begun.elapsed() < AT_MOST {
            sleep(Duration::from_millis(10));
        }
        self.count()
    }

    /// As many lives as these, or what there is after a while: by now it has another monitor, if it has one.
    fn after_a_boot(&self, lives: u64) -> u64 {
        let begun = Instant::now();
        while self.count() < lives && begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(10));
        }
        self.count()
    }

    /// Whether its monitor ends, in reasonable time and after no more lives than these.
    fn ends(&self, lives: u64) -> bool {
        let begun = Instant::now();
        while !self.is_over() {
            if self.count() > lives || begun.elapsed() > AT_MOST {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        true
    }

    fn is_over(&self) -> bool {
        kernel::status(self.monitor, "State").map_or(true, |state| state.starts_with('Z'))
    }

    /// It lives so often, and then its monitor is gone.
    fn judge(&self, check: &mut Check, about: &str, lives: u64) -> Result<(), Box<dyn Error>> {
        self.until(lives);
        let ended = self.ends(lives);
        let found = self.count();
        check
            .invariant(4, about.to_owned())
            .expected(format!("{}, and then its monitor ends", plural(lives)))
            .found(format!("{}, {}", plural(found), if ended { "and then its monitor ends" } else { "and its monitor waits for more" }))
            .cause("a number in `on-failure:N` counts the starts after the first; the count is compared before it grows")
            .holds(found == lives && ended);
        Ok(())
    }
}

fn plural(lives: u64) -> String {
    if lives == 1 { "1 life".to_owned() } else { format!("{lives} lives") }
}

fn run(
    check: &Check,
    home: &Path,
    name: &str,
    policy: &str,
    script: &str,
) -> Result<Container, Box<dyn Error>> {
    let home = home.display().to_string();
    let line = ask(check, &["run", &home, name, policy, script])?;
    let (monitor, changes) = line.split_once(' ').ok_or("the driver told no monitor")?;
    let monitor = monitor.parse().map_err(|_| format!("the container was not started: {line}"))?;
    Ok(Container { monitor, changes: changes.into() })
}

fn ask(check: &Check, words: &[&str]) -> Result<String, Box<dyn Error>> {
    let mut driver = check.start("driver", words)?;
    // The image `host` is made at the first container.
    driver.patience(Duration::from_secs(30));
    let line = driver.line()?;
    driver.finish()?;
    Ok(line)
}
