//! A check as it runs: what it varies, what it starts, and what it says.

use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use crate::chance::Chance;
use crate::jail::{self, JailError};
use crate::kernel;
use crate::program::{self, LastWords, Program, ProgramError};
use crate::verdict::Verdict;

/// How long a check waits for the next line of a program, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// The check of one exercise, while it runs.
#[derive(Debug)]
pub struct Check {
    seed: u64,
    chance: Chance,
    proving: Option<u32>,
    /// What was made in `/tmp`, and goes at the end.
    made: RefCell<Vec<PathBuf>>,
    /// What the programs said that were started.
    started: RefCell<Vec<LastWords>>,
    complaints: usize,
    claims: usize,
}

/// Runs a check and reports what it found. `check` returns an error where it cannot go on; that counts as a failure
/// of the student's program.
///
/// The exit status is 0 when every claim holds and there was one, else 1.
pub fn main(check: impl FnOnce(&mut Check) -> Result<(), Box<dyn Error>>) -> ExitCode {
    // Whatever a program leaves running comes to us, and ends with us.
    if let Err(error) = mini_sys::process::set_child_subreaper() {
        say(&Verdict::Stopped { number: None, reason: error.to_string() });
        return ExitCode::FAILURE;
    }
    let mut state = Check::new(seed());
    let result = check(&mut state);
    program::end_descendants();
    state.clean_up();
    match result {
        Ok(()) => say(&Verdict::Complete),
        Err(error) => {
            state.complaints += 1;
            say(&Verdict::Stopped { number: state.proving, reason: chain(error.as_ref()) });
        }
    }
    if state.complaints > 0 {
        let texts = state.started.borrow().iter().map(LastWords::text).collect::<Vec<_>>();
        texts.into_iter().filter(|text| !text.is_empty()).for_each(|text| say(&Verdict::Stderr { text }));
    }
    if state.complaints == 0 && state.claims > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Check {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: Chance::new(seed),
            proving: None,
            made: RefCell::default(),
            started: RefCell::default(),
            complaints: 0,
            claims: 0,
        }
    }

    /// The number that every varying value comes from: `cargo course check --seed N` sets it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A word such as `otter-417`: a secret, a host name, a file's content.
    pub fn word(&mut self) -> String {
        self.chance.word()
    }

    /// A number of the range.
    pub fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.chance.number(&range)
    }

    /// A new, empty directory `/tmp/<name>`. It is removed when the check is over.
    ///
    /// # Errors
    /// When it is there already.
    pub fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = env::temp_dir().join(name);
        fs::create_dir(&path)?;
        self.made.borrow_mut().push(path.clone());
        Ok(path)
    }

    /// A new root filesystem `/tmp/<name>` that holds the probe as `/probe`, with the libraries it needs, and
    /// nothing else. The host's shell is not in it. It is removed when the check is over.
    ///
    /// # Errors
    /// When it is there already, or the probe was not built.
    pub fn jail(&self, name: &str) -> Result<PathBuf, JailError> {
        let root = env::temp_dir().join(name);
        jail::make(&root)?;
        self.made.borrow_mut().push(root.clone());
        Ok(root)
    }

    /// What fails with `?` from here on counts against this invariant.
    pub fn proving(&mut self, invariant: u32) {
        self.proving = Some(invariant);
    }

    /// Starts the exercise's program `name`, `src/bin/<name>.rs`, with these arguments and an environment that holds a
    /// `PATH` and nothing else. It is ended when the value is dropped, with everything that it started.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Program, ProgramError> {
        let program = Program::start(&beside(name), arguments, PATIENCE)?;
        self.started.borrow_mut().push(program.last_words());
        Ok(program)
    }

    /// A directory in which something is still mounted stays, and is found as left behind.
    fn clean_up(&self) {
        let mounts = kernel::mounts(std::process::id()).unwrap_or_default();
        for path in self.made.borrow().iter() {
            if !mounts.iter().any(|mount| Path::new(&mount.point).starts_with(path)) {
                // What cannot be removed is found as left behind too.
                let _ = fs::remove_dir_all(path);
            }
        }
    }

    /// Begins a claim about the invariant with this number on the chapter's page; [`Invariant::holds`] ends it.
    #[must_use = "a claim counts once `holds` is called"]
    pub fn invariant(&mut self, number: u32, claim: impl Into<String>) -> Invariant<'_> {
        Invariant {
            check: self,
            number,
            claim: claim.into(),
            expected: String::new(),
            found: String::new(),
            cause: String::new(),
        }
    }
}

/// A claim that is being made.
#[derive(Debug)]
pub struct Invariant<'c> {
    check: &'c mut Check,
    number: u32,
    claim: String,
    expected: String,
    found: String,
    cause: String,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "text, numbers and formatted text shall all be written as they are"
)]
impl Invariant<'_> {
    /// What there should be.
    #[must_use = "a claim counts once `holds` is called"]
    pub fn expected(mut self, text: impl ToString) -> Self {
        self.expected = text.to_string();
        self
    }

    /// What the kernel showed.
    #[must_use = "a claim counts once `holds` is called"]
    pub fn found(mut self, text: impl ToString) -> Self {
        self.found = text.to_string();
        self
    }

    /// What most often leads to a failure here.
    #[must_use = "a claim counts once `holds` is called"]
    pub fn cause(mut self, text: impl ToString) -> Self {
        self.cause = text.to_string();
        self
    }

    /// Says whether it holds, which is also returned: what comes next may make no sense without it.
    pub fn holds(self, holds: bool) -> bool {
        self.check.claims += 1;
        self.check.complaints += usize::from(!holds);
        let Self { number, claim, expected, found, cause, .. } = self;
        say(&Verdict::Invariant { number, claim, holds, expected, found, cause });
        holds
    }
}

/// A failure to print is noticed by the checker, which then finds no verdict.
fn say(verdict: &Verdict) {
    let _ = writeln!(io::stdout(), "{}", verdict.line());
}

fn seed() -> u64 {
    let given = env::var("COURSE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.as_micros() as u64 % 1_000_000
    })
}

/// `…/pivot-check` starts `…/pivot-driver`.
fn beside(name: &str) -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    let file = this.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let exercise = file.strip_suffix("-check").unwrap_or(&file);
    this.parent().unwrap_or(Path::new("")).join(format!("{exercise}-{name}"))
}

/// The error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
