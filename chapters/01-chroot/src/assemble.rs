//! Assembles a root filesystem from programs of this machine, and everything that they need to start.
//!
//! A root filesystem is a directory that programs can run in: the programs, the loader that their first
//! kilobyte names, the libraries that loader will look for, and every symbolic link on the way to each of
//! these. All of that stands in the files themselves, so it is read, and nothing is run: ldd(1), which most
//! recipes use, starts the loader, and an odd program with it. The result is a [`Tree`], a list, and
//! [`tree::perform`](crate::tree::perform) makes it.
//!
//! What a program opens by name once it runs (configuration, plug-ins, time zones) cannot be read from it and
//! is the caller's to add. [`crate::host_image`] does that for the image `host`.
//!
//! ld.so(8), execve(2), elf(5); book ch. 1.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::elf::{ElfError, Executable, Script};
use crate::host::{Host, HostError, Node, Walk};
use crate::ld_cache::Cache;
use crate::libraries::{self, Library, LibraryError, list};
use crate::machine::Machine;
use crate::tree::{Entry, Tree, TreeError, What};

/// Where a program is looked for by name, in this order: the `PATH` that a container has by default.
pub const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Directories that many systems keep as links to others: people and scripts know both names.
const SECOND_NAMES: [&str; 7] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/sbin", "/usr/lib64"];

/// The set-user-id, set-group-id and sticky bits stay behind.
const PERMISSIONS: u32 = 0o777;

/// What to do with a program that is a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scripts {
    /// Refuse it: a script that starts may still call programs that are not there.
    #[default]
    Refuse,
    /// Take it together with the interpreter that its first line names.
    WithInterpreter,
}

/// Why a root could not be assembled.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// No such program.
    #[error("no program `{program}` in {}", list(.looked_in))]
    NotFound {
        /// The name or path that was asked for.
        program: String,
        /// The places where it was looked for.
        looked_in: Vec<PathBuf>,
    },
    /// A name with a slash in it that does not start with one.
    #[error("program `{program}` is neither a name nor an absolute path")]
    Relative {
        /// What was asked for.
        program: String,
    },
    /// It is a script, and scripts are refused.
    #[error("`{}` is a script for `{}`", .path.display(), .interpreter.display())]
    Script {
        /// The script.
        path: PathBuf,
        /// The program that its first line names.
        interpreter: PathBuf,
    },
    /// Its file cannot be used.
    #[error("cannot use program `{}`", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ElfError,
    },
    /// It is for another processor.
    #[error("program `{}` is for {machine}, and this machine is {host}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is for.
        machine: Machine,
        /// What we have.
        host: Machine,
    },
    /// The loader or interpreter that it asks for is not there.
    #[error("program `{}` asks for `{}`, which is not there", .path.display(), .interpreter.display())]
    NoInterpreter {
        /// The file.
        path: PathBuf,
        /// What its header or its first line names.
        interpreter: PathBuf,
    },
    /// Scripts that are each other's interpreters.
    #[error("too many interpreters in a row on the way to `{}`", .path.display())]
    Nested {
        /// The script at which we gave up.
        path: PathBuf,
    },
    /// A library is missing or unusable.
    #[error("cannot find what program `{}` needs", .path.display())]
    Library {
        /// The program.
        path: PathBuf,
        /// Which library, and why.
        #[source]
        source: LibraryError,
    },
    /// The host could not be read.
    #[error("cannot look for `{program}`")]
    Look {
        /// What was asked for.
        program: String,
        /// What went wrong.
        #[source]
        source: HostError,
    },
    /// Two things that were asked for exclude each other.
    #[error("these files make no tree")]
    Tree(#[source] TreeError),
}

impl AssembleError {
    /// The way out, where we know one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Script { interpreter, .. } => Some(format!(
                "take it with its interpreter `{}` (`Scripts::WithInterpreter`)",
                interpreter.display()
            )),
            Self::NotFound { program, .. } if !program.contains('/') => {
                Some(format!("install it, or give its absolute path, such as `/opt/bin/{program}`"))
            }
            Self::Foreign { host, .. } => Some(format!("use a program for {host}")),
            _ => None,
        }
    }
}

/// A program that was asked for as optional and is not part of the tree.
#[derive(Debug)]
pub struct Skipped {
    /// Its name.
    pub program: String,
    /// Why.
    pub reason: AssembleError,
}

/// What [`plan`] made of a request.
#[derive(Debug)]
pub struct Plan {
    /// The root filesystem.
    pub tree: Tree,
    /// The optional programs that are not in it.
    pub skipped: Vec<Skipped>,
}

/// The tree of all `required` programs, and of those `optional` ones that this host has; by name or by
/// absolute path.
///
/// # Errors
/// When a required program, or something it needs, is missing or unusable.
pub fn plan(required: &[&str], optional: &[&str], host: &mut Host) -> Result<Plan, AssembleError> {
    let mut assembly = Assembly::new(host, Scripts::Refuse);
    for program in required {
        assembly.require(program)?;
    }
    for program in optional {
        assembly.offer(program);
    }
    assembly.finish()
}

/// A root that grows program by program.
#[derive(Debug)]
pub struct Assembly<'h> {
    host: &'h mut Host,
    scripts: Scripts,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    cache: Cache,
}

/// What one program brings.
#[derive(Default)]
struct Parts {
    walks: Vec<Walk>,
    cached: Vec<(OsString, u32, PathBuf)>,
}

impl<'h> Assembly<'h> {
    /// An empty root.
    pub fn new(host: &'h mut Host, scripts: Scripts) -> Self {
        Self { host, scripts, entries: Vec::new(), skipped: Vec::new(), cache: Cache::default() }
    }

    /// Adds a program and all that it needs.
    ///
    /// # Errors
    /// When the program, or something it needs, is missing or unusable; nothing of it is added then.
    pub fn require(&mut self, program: &str) -> Result<(), AssembleError> {
        let walk = self.find(program)?;
        let mut parts = Parts::default();
        self.collect(walk, &mut parts, 0)?;
        for walk in &parts.walks {
            self.add(walk);
        }
        for (name, flags, path) in parts.cached {
            self.cache.insert(name, flags, path);
        }
        Ok(())
    }

    /// Adds a program if it can be had, and notes why if not. Whether it can.
    pub fn offer(&mut self, program: &str) -> bool {
        match self.require(program) {
            Ok(()) => true,
            Err(reason) => {
                self.skipped.push(Skipped { program: program.to_owned(), reason });
                false
            }
        }
    }

    /// Adds a file of the host that is no program, with the links that lead to it. Whether there is one.
    ///
    /// # Errors
    /// When the host cannot be read.
    pub fn offer_file(&mut self, path: &Path) -> Result<bool, AssembleError> {
        let walk = self.walk(path)?;
        let is_file = matches!(walk.node, Node::File { .. });
        if is_file {
            self.add(&walk);
        }
        Ok(is_file)
    }

    /// Adds something of our own. What came from the host at the same path stays.
    pub fn put(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Adds `entry` as another way to have `program`, which is not skipped any more.
    pub fn stand_in(&mut self, program: &str, entry: Entry) {
        self.put(entry);
        self.skipped.retain(|skipped| skipped.program != program);
    }

    /// The host that programs are taken from.
    pub fn host(&mut self) -> &mut Host {
        self.host
    }

    /// The finished tree, with the second names of its directories and a cache for its loader.
    ///
    /// # Errors
    /// When two things that were added exclude each other.
    pub fn finish(mut self) -> Result<Plan, AssembleError> {
        if !self.cache.is_empty() {
            self.put(Entry::text("/etc/ld.so.cache", self.cache.to_bytes(), 0o644));
        }
        for name in SECOND_NAMES {
            let walk = self.walk(Path::new(name))?;
            let has_content = self.entries.iter().any(|entry| entry.path.starts_with(&walk.path));
            if walk.node == Node::Directory && has_content {
                self.add(&walk);
            }
        }
        let tree = Tree::new(self.entries).map_err(AssembleError::Tree)?;
        Ok(Plan { tree, skipped: self.skipped })
    }

    fn walk(&mut self, path: &Path) -> Result<Walk, AssembleError> {
        let failed = |source| AssembleError::Look { program: path.display().to_string(), source };
        self.host.walk(path).map_err(failed)
    }

    /// Adds the links of a walk and what is at its end.
    fn add(&mut self, walk: &Walk) {
        for (path, to, modified) in &walk.links {
            let what = What::Symlink { to: to.clone() };
            self.entries.push(Entry { path: path.clone(), what, modified: *modified });
        }
        match walk.node {
            Node::File { mode, size, modified } => {
                let source = self.host.outside(&walk.path);
                let what = What::File { source, mode: mode & PERMISSIONS, size };
                self.entries.push(Entry { path: walk.path.clone(), what, modified });
            }
            Node::Directory => self.entries.push(Entry::directory(&walk.path, 0o755)),
            Node::Missing | Node::Link { .. } | Node::Other => {}
        }
    }

    /// The way to a program's file, by name or by absolute path.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn find(&mut self, program: &str) -> Result<Walk, AssembleError> {
        let candidates: Vec<PathBuf> = if program.starts_with('/') {
            vec![program.into()]
        } else if program.contains('/') || program.is_empty() {
            return Err(AssembleError::Relative { program: program.to_owned() });
        } else {
            PATH.iter().map(|directory| Path::new(directory).join(program)).collect()
        };
        for path in &candidates {
            let walk = self.walk(path)?;
            if matches!(walk.node, Node::File { mode, .. } if mode & 0o111 != 0) {
                return Ok(walk);
            }
        }
        let mut looked_in = candidates;
        if !program.starts_with('/') {
            looked_in = PATH.map(PathBuf::from).to_vec();
        }
        Err(AssembleError::NotFound { program: program.to_owned(), looked_in })
    }

    /// Adds to `parts` what the program at the end of `walk` needs, and the walk itself.
    fn collect(&mut self, walk: Walk, parts: &mut Parts, depth: usize) -> Result<(), AssembleError> {
        let path = walk.path.clone();
        let executable = self.host.executable(&path);
        let executable =
            executable.map_err(|source| AssembleError::Unusable { path: path.clone(), source })?;
        parts.walks.push(walk);
        match &*executable {
            Executable::Script(script) => self.collect_script(path, script, parts, depth),
            Executable::Object(object) => {
                self.check_machine(&path, object.machine)?;
                match &object.interpreter {
                    // A static program needs nothing else.
                    None => Ok(()),
                    Some(interpreter) => {
                        let interpreter = interpreter.clone();
                        self.collect_libraries(&path, &executable, &interpreter, parts)
                    }
                }
            }
        }
    }

    fn check_machine(&self, path: &Path, machine: Machine) -> Result<(), AssembleError> {
        match self.host.machine() {
            Some(host) if !host.runs(machine) => {
                Err(AssembleError::Foreign { path: path.to_owned(), machine, host })
            }
            _ => Ok(()),
        }
    }

    fn collect_libraries(
        &mut self,
        path: &Path,
        program: &Rc<Executable>,
        interpreter: &Path,
        parts: &mut Parts,
    ) -> Result<(), AssembleError> {
        let loader = self.walk(interpreter)?;
        if !matches!(loader.node, Node::File { .. }) {
            let (path, interpreter) = (path.to_owned(), interpreter.to_owned());
            return Err(AssembleError::NoInterpreter { path, interpreter });
        }
        parts.walks.push(loader);
        let libraries = libraries::of_program(self.host, path, program, interpreter);
        let libraries =
            libraries.map_err(|source| AssembleError::Library { path: path.to_owned(), source })?;
        let flags = match &**program {
            Executable::Object(object) => object.machine.cache_flags(),
            Executable::Script(_) => None,
        };
        for Library { name, path, walk, from_cache } in libraries {
            if let (true, Some(flags)) = (from_cache, flags) {
                parts.cached.push((name, flags, path));
            }
            parts.walks.push(walk);
        }
        Ok(())
    }

    /// A script brings its interpreter, and where that is env(1), the program that env will start.
    fn collect_script(
        &mut self,
        path: PathBuf,
        script: &Script,
        parts: &mut Parts,
        depth: usize,
    ) -> Result<(), AssembleError> {
        let interpreter = script.interpreter.clone();
        if self.scripts == Scripts::Refuse {
            return Err(AssembleError::Script { path, interpreter });
        }
        // The kernel allows five levels, execve(2).
        if depth == 5 {
            return Err(AssembleError::Nested { path });
        }
        let walk = self.walk(&interpreter)?;
        if !matches!(walk.node, Node::File { .. }) {
            return Err(AssembleError::NoInterpreter { path, interpreter });
        }
        self.collect(walk, parts, depth + 1)?;
        let argument = script.argument.as_ref().map(|argument| argument.to_string_lossy());
        match argument.as_deref().and_then(|argument| argument.split_whitespace().next()) {
            Some(name) if interpreter.ends_with("env") && !name.starts_with('-') => {
                let walk = self.find(name)?;
                self.collect(walk, parts, depth + 1)
            }
            _ => Ok(()),
        }
    }
}
