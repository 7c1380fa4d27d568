//! Are the predictions what this machine does? Each root is made and tried; no answer is written down here.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course_check::Check;
use mini_chroot::elf::Executable;
use mini_chroot::host::Host;

/// What a root is made to lack: by the jail's directory, and a name that differs each time. What to start instead of
/// `/probe` comes back.
type Damage = fn(&Path, &str) -> Result<Vec<String>, Box<dyn Error>>;

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(4);
        let said = answers(&fs::read_to_string("src/answers.toml")?);
        let questions: [(&str, &str, Damage); 7] = [
            ("no-loader", "the loader was deleted", |jail, _| {
                fs::remove_file(loader(jail)?)?;
                probe()
            }),
            ("no-library", "libc.so.6 was deleted", |jail, _| {
                fs::remove_file(libc(jail)?)?;
                probe()
            }),
            ("no-link", "a link on the way to the loader was deleted", |jail, _| {
                fs::remove_file(link(jail)?)?;
                probe()
            }),
            ("no-cache", "/etc/ld.so.cache was deleted", |jail, _| {
                // Where a distribution has none, there is none here.
                let _ = fs::remove_file(jail.join("etc/ld.so.cache"));
                probe()
            }),
            ("moved-library", "libc.so.6 was moved", |jail, name| {
                let directory = jail.join("opt").join(name);
                fs::create_dir_all(&directory)?;
                fs::rename(libc(jail)?, directory.join("libc.so.6"))?;
                probe()
            }),
            ("no-interpreter", "a script, whose interpreter is not there", |jail, name| {
                let script = jail.join("script");
                fs::write(&script, format!("#!/bin/{name}\n"))?;
                fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
                Ok(vec!["/script".to_owned()])
            }),
            ("loader-by-hand", "`/loader /probe`, a copy of the loader", |jail, _| {
                fs::rename(loader(jail)?, jail.join("loader"))?;
                Ok(vec!["/loader".to_owned(), "/probe".to_owned()])
            }),
        ];
        let open: Vec<&str> =
            questions.map(|(question, ..)| question).into_iter().filter(|q| !said.contains_key(*q)).collect();
        if !open.is_empty() {
            // Who sees one result before the next answer does not predict any more.
            check
                .invariant(4, "all seven questions are answered")
                .expected("an answer to each")
                .found(format!("none to {}", open.join(", ")))
                .cause("commit yourself to all of them before the machine tries the first")
                .holds(false);
            return Ok(());
        }
        for (question, what, damage) in questions {
            let jail = check.jail(&format!("{question}-{}", check.seed()))?;
            let command = damage(&jail, &check.word())?;
            let (happened, detail) = try_it(check, &jail, &command)?;
            let answer = &said[question];
            check
                .invariant(4, format!("{question}: {what}"))
                .expected(format!("what this machine does: {detail}"))
                .found(format!("you said `{answer}`"))
                .cause("who reads the name of the missing file: the kernel, from the program's first bytes, or the loader, later?")
                .holds(answer == happened);
        }
        Ok(())
    })
}

/// `name = "text"` lines; those without a text are left out.
fn answers(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let text = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let answers = pairs.map(|(name, answer)| (name.trim().to_owned(), text(answer)));
    answers.filter(|(_, answer)| !answer.is_empty()).collect()
}

/// What came of it, in the words of the answers, and in those of the machine.
fn try_it(check: &Check, jail: &Path, command: &[String]) -> Result<(&'static str, String), Box<dyn Error>> {
    let arguments = [jail.as_os_str()].into_iter().chain(command.iter().map(AsRef::as_ref));
    let mut program = check.start("driver", arguments)?;
    let ended = program.finish()?;
    let first = ended.stdout.lines().next().unwrap_or_default();
    Ok(if first.starts_with("execve: ") {
        ("kernel", first.to_owned())
    } else if ended.code == Some(127) {
        ("loader", format!("status 127, {}", ended.stderr.trim_end()))
    } else if ended.code == Some(0) && first.starts_with('{') {
        ("starts", "it runs".to_owned())
    } else {
        return Err(format!("an end that nobody foresaw: {ended:?}").into());
    })
}

fn probe() -> Result<Vec<String>, Box<dyn Error>> {
    Ok(vec!["/probe".to_owned()])
}

/// What the probe names as its interpreter.
fn interpreter(host: &mut Host) -> Result<PathBuf, Box<dyn Error>> {
    let executable = host.executable(Path::new("/probe"))?;
    match &*executable {
        Executable::Object(object) => object.interpreter.clone().ok_or_else(|| "the probe is static".into()),
        Executable::Script(_) => Err("the probe is a script".into()),
    }
}

/// The loader's file in the jail, after all links.
fn loader(jail: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut host = Host::new(jail);
    let name = interpreter(&mut host)?;
    let walk = host.walk(&name)?;
    Ok(host.outside(&walk.path))
}

/// The first link on the way to the loader; the loader itself where there is none.
fn link(jail: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut host = Host::new(jail);
    let name = interpreter(&mut host)?;
    let walk = host.walk(&name)?;
    Ok(host.outside(walk.links.first().map_or(&walk.path, |(path, ..)| path)))
}

/// libc's file, which lies beside the loader's or in the directory of the libraries.
fn libc(jail: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut to_visit = vec![jail.to_owned()];
    while let Some(directory) = to_visit.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                to_visit.push(entry.path());
            } else if entry.file_name() == "libc.so.6" {
                // It may be a link to the file; the name is what the loader looks for.
                return Ok(entry.path());
            }
        }
    }
    Err("there is no libc.so.6 in the jail: this exercise needs glibc".into())
}
