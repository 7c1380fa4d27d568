//! Finds the libraries that a program needs, and those that these need, as its loader would.
//!
//! The loader goes through the program's list of needed names, then through the lists of what it found, one
//! level at a time. A name that was found once is not looked for again, wherever a later object would look.
//! So the answer depends on the whole program, and each program is taken by itself. A file of the right name
//! for another processor is passed over, as the loader does.
//!
//! ld.so(8); book ch. 1.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::elf::{ElfError, Executable, Object};
use crate::host::{Host, HostError, Node, Walk};
use crate::search::{self, Loader, Needer};

/// A library that was found.
#[derive(Debug, Clone)]
pub struct Library {
    /// The name that was asked for.
    pub name: OsString,
    /// The path under which the loader opens it.
    pub path: PathBuf,
    /// What that path leads to.
    pub walk: Walk,
    /// Whether it was in the loader's cache; the new root's cache has to list it then.
    pub from_cache: bool,
}

/// Why a program's libraries could not be found.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It is in none of the places where the loader looks.
    #[error("no library `{}` for `{}` in {}", .name.display(), .needed_by.display(), list(.looked_in))]
    Missing {
        /// The name that was asked for.
        name: OsString,
        /// The program or library that needs it.
        needed_by: PathBuf,
        /// The directories that were searched.
        looked_in: Vec<PathBuf>,
    },
    /// A file of the right name is no library.
    #[error("cannot use library `{}` of `{}`", .path.display(), .needed_by.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The program or library that needs it.
        needed_by: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ElfError,
    },
    /// The host could not be read.
    #[error("cannot look for library `{}`", .name.display())]
    Look {
        /// The name that was asked for.
        name: OsString,
        /// What went wrong.
        #[source]
        source: HostError,
    },
}

/// Paths as a sentence has them.
pub(crate) fn list(paths: &[PathBuf]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    if quoted.is_empty() { "no directory at all".to_owned() } else { quoted.join(", ") }
}

/// An object in the order in which the loader takes them up.
struct Loaded {
    path: PathBuf,
    object: Rc<Executable>,
    needed_by: Option<usize>,
}

impl Loaded {
    fn object(&self) -> Option<&Object> {
        match &*self.object {
            Executable::Object(object) => Some(object),
            Executable::Script(_) => None,
        }
    }
}

/// All libraries of the dynamic program at `path` (a path without links), whose loader is `interpreter`.
///
/// # Errors
/// When one is missing or unusable.
pub fn of_program(
    host: &mut Host,
    path: &Path,
    program: &Rc<Executable>,
    interpreter: &Path,
) -> Result<Vec<Library>, LibraryError> {
    let loader = Loader::of(interpreter);
    let musl_path = match loader {
        Loader::Musl => host.read_file(&search::musl_path_file(interpreter)),
        Loader::Glibc => None,
    };
    let mut search = Search { host, loader, musl_path };
    // The loader itself is loaded already, and libraries ask for it by name.
    let mut known: HashSet<OsString> = interpreter.file_name().map(OsStr::to_owned).into_iter().collect();
    let mut loaded = vec![Loaded { path: path.to_owned(), object: Rc::clone(program), needed_by: None }];
    let mut found = Vec::new();
    // ANCHOR: levels
    let mut next = 0;
    while next < loaded.len() {
        let needed = loaded[next].object().map(|object| object.needed.clone()).unwrap_or_default();
        for name in needed {
            if loader.provides(&name) || !known.insert(name.clone()) {
                continue;
            }
            let (library, object) = search.find(&name, &loaded, next)?;
            if let Executable::Object(Object { soname: Some(soname), .. }) = &*object {
                known.insert(soname.clone());
            }
            loaded.push(Loaded { path: library.path.clone(), object, needed_by: Some(next) });
            found.push(library);
        }
        next += 1;
    }
    // ANCHOR_END: levels
    Ok(found)
}

struct Search<'h> {
    host: &'h mut Host,
    loader: Loader,
    musl_path: Option<Vec<u8>>,
}

impl Search<'_> {
    /// Looks for the library `name`, which the object at `needer` of `loaded` needs.
    fn find(
        &mut self,
        name: &OsStr,
        loaded: &[Loaded],
        needer: usize,
    ) -> Result<(Library, Rc<Executable>), LibraryError> {
        let mut chain = Vec::new();
        let mut link = Some(needer);
        while let Some(index) = link {
            let Loaded { path, needed_by, .. } = &loaded[index];
            let origin = path.parent().unwrap_or(Path::new("/"));
            chain.extend(loaded[index].object().map(|object| Needer { object, origin }));
            link = *needed_by;
        }
        let candidates = self.candidates(name, &chain);
        let needed_by = &loaded[needer].path;
        for (path, from_cache) in &candidates {
            let walk = self.host.walk(path);
            let walk = walk.map_err(|source| LibraryError::Look { name: name.to_owned(), source })?;
            let Node::File { .. } = walk.node else { continue };
            match self.host.executable(&walk.path) {
                Ok(executable) if fits(&executable, &chain) => {
                    let library =
                        Library { name: name.to_owned(), path: path.clone(), walk, from_cache: *from_cache };
                    return Ok((library, executable));
                }
                // For another processor, or not ours to read: the loader looks further.
                Ok(_) | Err(ElfError::Read { .. }) => {}
                Err(source) => {
                    let (path, needed_by) = (path.clone(), needed_by.clone());
                    return Err(LibraryError::Unusable { path, needed_by, source });
                }
            }
        }
        let mut looked_in = Vec::new();
        for (path, _) in &candidates {
            let directory = path.parent().unwrap_or(path).to_owned();
            if !looked_in.contains(&directory) {
                looked_in.push(directory);
            }
        }
        Err(LibraryError::Missing { name: name.to_owned(), needed_by: needed_by.clone(), looked_in })
    }

    /// The paths under which the loader would look for `name`, in order, and whether its cache told it.
    fn candidates(&self, name: &OsStr, chain: &[Needer<'_>]) -> Vec<(PathBuf, bool)> {
        let Some(Needer { object, origin }) = chain.first() else { return Vec::new() };
        // A name with a slash in it is a path, and no search takes place.
        if name.as_bytes().contains(&b'/') {
            let paths = search::expand(name, origin, object.machine);
            return paths.into_iter().map(|path| (path, false)).collect();
        }
        let mut found = Vec::new();
        let mut add = |directories: Vec<PathBuf>| {
            found.extend(directories.into_iter().map(|directory| (directory.join(name), false)));
        };
        add(search::named_directories(self.loader, chain));
        if self.loader == Loader::Musl {
            add(search::musl_directories(self.musl_path.as_deref()));
            return found;
        }
        let defaults = search::default_directories(object.machine);
        let is_default =
            |path: &Path| path.parent().is_some_and(|parent| defaults.iter().any(|d| d == parent));
        let cache = self.host.cache();
        let cached = cache.lookup(name, object.machine);
        let cached = cached.filter(|path| !(object.no_default_directories && is_default(path)));
        found.extend(cached.map(|path| (path.to_owned(), true)));
        if !object.no_default_directories {
            found.extend(defaults.iter().map(|directory| (directory.join(name), false)));
        }
        found
    }
}

/// Whether the loader would take this file into the program at the end of `chain`.
fn fits(executable: &Executable, chain: &[Needer<'_>]) -> bool {
    match (executable, chain.last()) {
        (Executable::Object(library), Some(program)) => library.machine == program.object.machine,
        _ => false,
    }
}
