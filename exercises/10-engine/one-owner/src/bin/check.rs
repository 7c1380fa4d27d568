//! Has each name one owner, whoever wants it?

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use course_check::Check;

/// How many want a name at once, and how many names there are.
const RIVALS: u64 = 4;
const NAMES: u64 = 1500;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(2);
        let home = check.directory("engine")?;
        let ids: Vec<String> = (0..RIVALS).map(|_| id(check)).collect();
        let mut making = check.start("driver", words(&home, "make", &ids))?;
        making.finish()?;

        let [name, stale] = [check.word(), format!("{}-left", check.word())];
        one(check, &home, &ids, &name)?;
        let gone = id(check);
        symlink(&gone, home.join("names").join(&stale))?;
        let said = ask(check, &home, &ids[..1], std::slice::from_ref(&stale))?;
        check
            .invariant(2, "a name whose owner is gone is free")
            .expected("mine")
            .found(&said[0][0])
            .cause("the link is there and its container is not: somebody was killed while he made it")
            .holds(said[0][0] == "mine");

        let free: Vec<String> = (0..NAMES).map(|number| format!("{name}-{number}")).collect();
        let claim = "a free name that many want at once has one owner";
        race(check, &home, &ids, &free, claim, "between a look and a rename there is room for another")?;
        let left: Vec<String> = (0..NAMES).map(|number| format!("{stale}-{number}")).collect();
        for name in &left {
            symlink(&gone, home.join("names").join(name))?;
        }
        let claim = "a name of one who is gone has one new owner, however many find it";
        let cause = "who removes a link must know whose it is at that moment: `release` looks under the lock";
        race(check, &home, &ids, &left, claim, cause)?;
        locked(check, &home, &ids[0], &gone)
    })
}

/// While we hold the lock of the names, nobody may take one away.
fn locked(check: &mut Check, home: &Path, id: &str, gone: &str) -> Result<(), Box<dyn Error>> {
    let name = format!("{}-locked", check.word());
    symlink(gone, home.join("names").join(&name))?;
    let lock = File::create(home.join("names.lock"))?;
    lock.lock()?;
    let mut program = check.start("driver", words(home, "reserve", &[id.to_owned(), name.clone()]))?;
    program.line()?; // "ready"
    program.say("go")?;
    let begun = Instant::now();
    while owner(home, &name) == gone && begun.elapsed() < Duration::from_secs(1) {
        sleep(Duration::from_millis(10));
    }
    let meanwhile = owner(home, &name);
    lock.unlock()?;
    let said = program.line()?;
    program.finish()?;
    check
        .invariant(2, "a name is taken away from one who is gone under the lock of the names alone")
        .expected(format!("{gone} while another holds names.lock, then mine"))
        .found(format!("{meanwhile} while another holds names.lock, then {said}"))
        .cause("between a look and a removal another can have taken the name anew: `release` has the lock")
        .holds(meanwhile == gone && said == "mine");
    Ok(())
}

/// One after the other.
fn one(check: &mut Check, home: &Path, ids: &[String], name: &str) -> Result<(), Box<dyn Error>> {
    let name = [name.to_owned()];
    let first = ask(check, home, &ids[..1], &name)?;
    let second = ask(check, home, &ids[1..2], &name)?;
    let owner = owner(home, &name[0]);
    check
        .invariant(2, "a name that a container has stays its own")
        .expected(format!("mine, then taken by {0}; the link leads to {0}", ids[0]))
        .found(format!("{}, then {}; the link leads to {owner}", first[0][0], second[0][0]))
        .cause("symlink(2) does not replace what is there; rename(2) does")
        .holds(first[0][0] == "mine" && second[0][0] == format!("taken by {}", ids[0]) && owner == ids[0]);
    Ok(())
}

/// All at once.
fn race(
    check: &mut Check,
    home: &Path,
    ids: &[String],
    names: &[String],
    claim: &str,
    cause: &str,
) -> Result<(), Box<dyn Error>> {
    let said = ask(check, home, ids, names)?;
    let mut wrong = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let winners: Vec<&String> =
            ids.iter().zip(&said).filter(|(_, said)| said[at] == "mine").map(|(id, _)| id).collect();
        let owner = owner(home, name);
        if winners.len() != 1 || *winners[0] != owner {
            wrong.push(format!("`{name}` was given to {}, and leads to {owner}", winners.len()));
        }
    }
    let found = wrong.first().map_or_else(
        || format!("so it is with all {}", names.len()),
        |first| format!("{} of {}: {first}", wrong.len(), names.len()),
    );
    check
        .invariant(2, claim)
        .expected(format!("each of {} names is given to one of {}, and leads there", names.len(), ids.len()))
        .found(found)
        .cause(cause)
        .holds(wrong.is_empty());
    Ok(())
}

/// What becomes of each name, for each of those who want it.
fn ask(
    check: &Check,
    home: &Path,
    ids: &[String],
    names: &[String],
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let mut rivals = Vec::new();
    for id in ids {
        let operands: Vec<String> = [id].into_iter().chain(names).cloned().collect();
        let mut rival = check.start("driver", words(home, "reserve", &operands))?;
        rival.patience(Duration::from_secs(15));
        rival.line()?; // "ready"
        rivals.push(rival);
    }
    for rival in &mut rivals {
        rival.say("go")?;
    }
    let mut said = Vec::new();
    for rival in &mut rivals {
        said.push(names.iter().map(|_| rival.line()).collect::<Result<Vec<_>, _>>()?);
        rival.finish()?;
    }
    Ok(said)
}

fn words(home: &Path, verb: &str, operands: &[String]) -> Vec<String> {
    [home.display().to_string(), verb.to_owned()].into_iter().chain(operands.iter().cloned()).collect()
}

fn owner(home: &Path, name: &str) -> String {
    fs::read_link(home.join("names").join(name)).map_or("nobody".to_owned(), |it| it.display().to_string())
}

/// As an engine gives them.
fn id(check: &mut Check) -> String {
    (0..4).map(|_| format!("{:016x}", check.number(0..=u64::MAX - 1))).collect()
}
