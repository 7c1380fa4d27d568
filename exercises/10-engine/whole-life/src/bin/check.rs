//! Does an engine with the student's code keep its containers, whoever is killed?

use std::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use course_check::{Check, Program, kernel};
use mini_sys::signal::{self, Signal};

/// Longer than anything here takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(20);

/// So many change one record at once, and so often each.
const RIVALS: u64 = 4;
const CHANGES: u64 = 250;

/// Files of a container that is removed, so that deleting them takes a while.
const FILES: usize = 4000;

fn main() -> ExitCode {
    course_check::main(|check| {
        let engine = Engine { home: check.directory("engine")? };
        check.proving(1);
        changes(check, &engine)?;
        check.proving(2);
        name(check, &engine)?;
        check.proving(4);
        falls(check, &engine)?;
        pauses(check)?;
        check.proving(5);
        between_two_lives(check, &engine)?;
        half_made(check, &engine)?;
        removal(check, &engine)?;
        check.proving(3);
        stranger(check, &engine)?;
        check.proving(1);
        nobody_waits(check, &engine)?;
        check.proving(4);
        boot(check, &engine)
    })
}

struct Engine {
    home: PathBuf,
}

impl Engine {
    fn start(&self, check: &Check, verb: &str, words: &[&str]) -> Result<Program, Box<dyn Error>> {
        let home = self.home.display().to_string();
        let all = [verb, &home].into_iter().chain(words.iter().copied());
        let mut program = check.start("driver", all)?;
        // The image `host` is made at the first container.
        program.patience(Duration::from_secs(30));
        Ok(program)
    }

    /// What a command says.
    fn ask(&self, check: &Check, verb: &str, words: &[&str]) -> Result<String, Box<dyn Error>> {
        let mut program = self.start(check, verb, words)?;
        let line = program.line()?;
        program.finish()?;
        Ok(line)
    }

    /// A container whose program writes a line into `/lives` each time that it begins.
    fn run(&self, check: &Check, name: &str, policy: &str, then: &str) -> Result<Container, Box<dyn Error>> {
        let line = self.ask(check, "run", &[name, policy, &format!("echo life >> /lives; {then}")])?;
        let (monitor, id) = line.split_once(' ').ok_or("the driver told no monitor")?;
        let monitor = monitor.parse().map_err(|_| format!("the container was not started: {line}"))?;
        Ok(Container { monitor, directory: self.container(id) })
    }

    fn container(&self, id: &str) -> PathBuf {
        self.home.join("containers").join(id)
    }

    fn names(&self, of: &str) -> Result<String, Box<dyn Error>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.home.join(of))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names.join(" "))
    }
}

struct Container {
    monitor: u32,
    directory: PathBuf,
}

impl Container {
    fn lives(&self) -> u64 {
        let text = fs::read_to_string(self.directory.join("upper/lives")).unwrap_or_default();
        text.lines().count() as u64
    }

    /// Waits for as many lives: how many there are then.
    fn until(&self, lives: u64, at_most: Duration) -> u64 {
        let begun = Instant::now();
        while self.lives() < lives && begun.elapsed() < at_most {
            sleep(Duration::from_millis(10));
        }
        self.lives()
    }

    fn is_over(&self) -> bool {
        kernel::status(self.monitor, "State").map_or(true, |state| state.starts_with('Z'))
    }

    fn kill_monitor(&self) -> Result<(), Box<dyn Error>> {
        signal::kill(mini_sys::Pid::from_raw(self.monitor.cast_signed()), Signal::SIGKILL)?;
        let begun = Instant::now();
        while !self.is_over() && begun.elapsed() < AT_MOST {
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn record(&self) -> Result<String, Box<dyn Error>> {
        Ok(fs::read_to_string(self.directory.join("record.json"))?)
    }
}

/// Many change one record.
fn changes(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let container = engine.run(check, "changed", "no", "true")?;
    let begun = Instant::now();
    while !container.is_over() && begun.elapsed() < AT_MOST {
        sleep(Duration::from_millis(10));
    }
    let mut rivals = Vec::new();
    for _ in 0..RIVALS {
        let mut rival = engine.start(check, "count", &["changed", &CHANGES.to_string()])?;
        rival.line()?; // "ready"
        rivals.push(rival);
    }
    for rival in &mut rivals {
        rival.say("go")?;
    }
    for rival in &mut rivals {
        rival.line()?; // "done"
        rival.finish()?;
    }
    let record = container.record()?;
    let found = record.split("\"restarts\":").nth(1).and_then(|rest| rest.split([',', '}']).next());
    let (expected, found) = ((RIVALS * CHANGES).to_string(), found.unwrap_or("nothing").to_owned());
    check
        .invariant(
            1,
            format!("{RIVALS} programs change one record {CHANGES} times each, and no change is lost"),
        )
        .expected(&expected)
        .found(&found)
        .cause(
            "a record that was read before the lock was taken is old: the changes of others are written away",
        )
        .holds(found == expected);
    engine.ask(check, "remove", &["changed"])?;
    Ok(())
}

/// Many want one name, and some names belong to nobody.
fn name(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    // As an engine gives them.
    let ids: Vec<String> = (0..RIVALS)
        .map(|_| (0..4).map(|_| format!("{:016x}", check.number(0..=u64::MAX - 1))).collect())
        .collect();
    for id in &ids {
        engine.ask(check, "nameless", &[id])?;
    }
    let gone = "0".repeat(64);
    let word = check.word();
    let names: Vec<String> = (0..600).map(|number| format!("{word}-{number}")).collect();
    for name in names.iter().step_by(2) {
        std::os::unix::fs::symlink(&gone, engine.home.join("names").join(name))?;
    }
    let mut rivals = Vec::new();
    for id in &ids {
        let words: Vec<&str> = std::iter::once(id.as_str()).chain(names.iter().map(String::as_str)).collect();
        let mut rival = engine.start(check, "want", &words)?;
        rival.line()?; // "ready"
        rivals.push(rival);
    }
    for rival in &mut rivals {
        rival.say("go")?;
    }
    let mut found = 0;
    for rival in &mut rivals {
        found += rival.line()?.parse::<usize>()?;
        rival.finish()?;
    }
    check
        .invariant(
            2,
            "four want 600 names at once, half of which have an owner that is gone: each is given once",
        )
        .expected(names.len())
        .found(found)
        .cause("more: a look and then a move leave room for another; fewer: who is gone keeps the name")
        .holds(found == names.len());
    for name in &names {
        fs::remove_file(engine.home.join("names").join(name))?;
    }
    for id in &ids {
        fs::remove_dir_all(engine.container(id))?;
    }
    Ok(())
}

/// A program that falls, as often as its policy allows.
fn falls(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let most = check.number(1..=2);
    let status = check.number(1..=255);
    let container = engine.run(check, "falls", &format!("on-failure:{most}"), &format!("exit {status}"))?;
    let begun = Instant::now();
    while !container.is_over() && container.lives() <= most + 1 && begun.elapsed() < AT_MOST {
        sleep(Duration::from_millis(10));
    }
    let found = container.lives();
    check
        .invariant(4, format!("on-failure:{most}, and its program ends with {status}"))
        .expected(format!("{} lives", most + 1))
        .found(format!("{found} lives"))
        .cause("the number counts the starts after the first; the count is compared before it grows")
        .holds(found == most + 1);
    engine.ask(check, "remove", &["falls"])?;
    Ok(())
}

fn pauses(check: &mut Check) -> Result<(), Box<dyn Error>> {
    let short = check.number(0..=9000);
    let runs = [short, short, short, 10_000 + short, short].map(|ran| ran.to_string());
    let mut driver = check.start("driver", ["pauses".to_owned()].into_iter().chain(runs.clone()))?;
    let said = runs.iter().map(|_| driver.line()).collect::<Result<Vec<_>, _>>()?;
    driver.finish()?;
    let (expected, found) = ("100 200 400 100 200", said.join(" "));
    check
        .invariant(4, "the pauses of three falls, and of two after a run that was long enough")
        .expected(expected)
        .found(&found)
        .cause("twice the one before; after `LONG_ENOUGH` short again")
        .holds(found == expected);
    Ok(())
}

/// Who lists containers leaves one alone that waits to be started again.
fn between_two_lives(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let container = engine.run(check, "waits", "always", "exit 1")?;
    // By now the pause is longer than a second.
    container.until(5, AT_MOST);
    let begun = Instant::now();
    while !container.record()?.contains("\"status\":\"restarting\"") && begun.elapsed() < AT_MOST {
        sleep(Duration::from_millis(5));
    }
    let lives = container.lives();
    let said = engine.ask(check, "list", &[])?;
    let then = container.until(lives + 1, AT_MOST);
    check
        .invariant(5, "a container between two lives is listed as that, and lives again")
        .expected("waits=restarting, and then another life")
        .found(format!("{said}, and then {}", if then > lives { "another life" } else { "no other life" }))
        .cause("between two lives there is no program, and its monitor waits: it is not broken while that one lives")
        .holds(said == "waits=restarting" && then > lives);
    engine.ask(check, "remove", &["waits"])?;
    Ok(())
}

/// Whose maker was killed is removed by the next who looks.
fn half_made(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    engine.ask(check, "make", &["half"])?;
    let said = engine.ask(check, "list", &[])?;
    let left = engine.names("containers")?;
    let found = format!("listed: `{said}`; files: `{left}`; names: `{}`", engine.names("names")?);
    let expected = "listed: ``; files: ``; names: ``";
    check
        .invariant(5, "what was being made when its maker was killed is gone after the next `list`")
        .expected(expected)
        .found(&found)
        .cause("it says Created, and its `maker` is dead: nobody will ever start it")
        .holds(found == expected);
    Ok(())
}

/// At any moment of a removal there is the whole container, or none.
fn removal(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let container = engine.run(check, "large", "no", "exec sleep 1000")?;
    container.until(1, AT_MOST);
    let many = container.directory.join("upper/many");
    fs::create_dir(&many)?;
    for number in 0..FILES {
        fs::write(many.join(number.to_string()), "")?;
    }
    let over = AtomicBool::new(false);
    let directory = &container.directory;
    let half = thread::scope(|scope| {
        let looker = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let record = fs::symlink_metadata(directory.join("record.json")).is_ok();
                let files = fs::read_dir(&many).map_or(0, Iterator::count);
                // The directory is looked at last: was it still there when the others were not?
                let there = fs::symlink_metadata(directory).is_ok();
                if there && (!record || files != FILES) {
                    return Some(format!(
                        "a container with {files} files, {} record",
                        if record { "a" } else { "no" }
                    ));
                }
            }
            None
        });
        let said = engine.ask(check, "remove", &["large"]).map_err(|error| error.to_string());
        over.store(true, Ordering::Relaxed);
        let half = looker.join().map_err(|_| "the looker has failed".to_owned());
        said.and(half)
    })?;
    check
        .invariant(5, "while a container is removed there is all of it, or nothing")
        .expected(format!("{FILES} files and the record, or no container"))
        .found(half.clone().unwrap_or_else(|| "so it was at each look".to_owned()))
        .cause("the quick move first: one rename, and there is no such container; the files can be deleted by anybody, at any time")
        .holds(half.is_none());
    let found = format!("files: `{}`; names: `{}`", engine.names("containers")?, engine.names("names")?);
    let expected = "files: ``; names: ``";
    check
        .invariant(5, "of a container that was removed, neither files nor a name are left")
        .expected(expected)
        .found(&found)
        .cause("the name is released when the directory has been renamed: `names::release`")
        .holds(found == expected);
    Ok(())
}

/// The pid in the record has been given to another.
fn stranger(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let container = engine.run(check, "mistaken", "no", "exec sleep 1000")?;
    container.kill_monitor()?;
    let mut stranger = Command::new("sleep").arg("1000").spawn()?;
    let record = container.record()?;
    let mut pieces = record.split("\"pid\":");
    let mut changed = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        changed +=
            &format!("\"pid\":{}{}", stranger.id(), piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    fs::write(container.directory.join("record.json"), changed)?;
    engine.ask(check, "remove", &["mistaken"])?;
    // A signal is on its way for no time that anybody could see; a dead one is a zombie of ours.
    sleep(Duration::from_millis(50));
    let lives = stranger.try_wait()?.is_none();
    stranger.kill()?;
    stranger.wait()?;
    check
        .invariant(3, "a stranger who has the pid by now is not signalled")
        .expected("the stranger lives")
        .found(if lives { "the stranger lives" } else { "the stranger was killed" })
        .cause("the start time tells them apart; it is compared when the descriptor is open, and not before")
        .holds(lives);
    Ok(())
}

/// Somebody works on a container that is broken, and another lists all.
fn nobody_waits(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let container = engine.run(check, "held", "no", "exec sleep 1000")?;
    container.kill_monitor()?;
    let lock = File::open(container.directory.join("lock"))?;
    lock.lock()?;
    let mut list = engine.start(check, "list", &[])?;
    list.patience(Duration::from_secs(5));
    let found = list.line().unwrap_or_else(|_| "nothing in 5 seconds".to_owned());
    lock.unlock()?;
    list.finish()?;
    check
        .invariant(1, "while somebody has the lock of a container, `list` does not wait")
        .expected("held=running")
        .found(&found)
        .cause("whoever has the lock is at work on it and needs no help: `try_lock`")
        .holds(found == "held=running");
    let said = engine.ask(check, "list", &[])?;
    check
        .invariant(5, "a container whose monitor was killed is mended by the next who looks")
        .expected("held=exited")
        .found(&said)
        .cause("it says that it runs, and its monitor is dead")
        .holds(said == "held=exited");
    engine.ask(check, "remove", &["held"])?;
    Ok(())
}

/// What a user has ended, what a power failure has ended, and then a boot.
fn boot(check: &mut Check, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let stopped = engine.run(check, "stopped", "unless-stopped", "exec sleep 1000")?;
    let failed = engine.run(check, "failed", "unless-stopped", "exec sleep 1000")?;
    for container in [&stopped, &failed] {
        container.until(1, AT_MOST);
    }
    engine.ask(check, "stop", &["stopped"])?;
    failed.kill_monitor()?;
    let said = engine.ask(check, "restore", &[])?;
    let found = (stopped.lives(), failed.until(2, Duration::from_secs(5)));
    check
        .invariant(4, "unless-stopped, after a boot: what a user has ended stays, what the power failure has ended lives again")
        .expected("1 life and 2 lives")
        .found(format!("{} and {} ({said})", found.0, found.1))
        .cause("`is_wanted_at_boot`: only `always` comes back against its user's word")
        .holds(found == (1, 2));
    for name in ["stopped", "failed"] {
        engine.ask(check, "remove", &[name])?;
    }
    Ok(())
}
