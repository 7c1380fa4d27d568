//! A bundle: a directory with `config.json` in it, and mostly a root file system. OCI runtime spec, "Bundle".

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mini_namespaces::idmap::{self, Caller, IdMap, Maps};
use oci_spec::runtime::{LinuxIdMapping, Spec};

/// A bundle, with every path in its spec made absolute.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The directory.
    pub path: PathBuf,
    /// What it asks for.
    pub spec: Spec,
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no such directory.
    #[error("use the bundle {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its spec cannot be read: runc's words.
    #[error("JSON specification file config.json not found")]
    Missing(#[source] io::Error),
    /// Its spec is none.
    #[error("read {}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl Bundle {
    /// Reads the bundle in `path`.
    ///
    /// # Errors
    /// What [`BundleError`] lists.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        let failed = |source| BundleError::Directory { path: path.to_owned(), source };
        let path = fs::canonicalize(path).map_err(failed)?;
        let file = path.join("config.json");
        let text = fs::read(&file).map_err(BundleError::Missing)?;
        let spec =
            serde_json::from_slice(&text).map_err(|source| BundleError::Damaged { path: file, source })?;
        let mut bundle = Self { path, spec };
        bundle.make_absolute();
        Ok(bundle)
    }

    fn make_absolute(&mut self) {
        if let Some(root) = self.spec.root_mut() {
            let path = self.path.join(root.path());
            root.set_path(path);
        }
        for mount in self.spec.mounts_mut().iter_mut().flatten() {
            let mut words = mount.options().iter().flatten();
            let is_bind = words.any(|word| word == "bind" || word == "rbind")
                || mount.typ().as_deref().is_none_or(|kind| kind == "bind");
            if let Some(source) = mount.source().clone().filter(|_| is_bind) {
                mount.set_source(Some(self.path.join(source)));
            }
        }
    }

    /// Says where its cgroup goes: as the spec says, or among ours under a name that no other has.
    pub(super) fn place_cgroup(&mut self, name: &str) {
        let mut linux = self.spec.linux().clone().unwrap_or_default();
        let asked = linux.cgroups_path().as_deref().map(Path::to_string_lossy).unwrap_or_default();
        let place = match asked.split(':').collect::<Vec<_>>()[..] {
            [slice, prefix, name] => systemd_place(slice, prefix, name),
            _ if asked.is_empty() => format!("/mini-docker/{name}"),
            _ => asked.into_owned(),
        };
        linux.set_cgroups_path(Some(place.into()));
        self.spec.set_linux(Some(linux));
    }

    /// How a new user namespace gets the ids that the spec maps.
    pub fn id_maps(&self, path: &std::ffi::OsStr) -> Vec<idmap::Step> {
        let Some(linux) = self.spec.linux() else { return Vec::new() };
        let maps = Maps { uids: convert(linux.uid_mappings()), gids: convert(linux.gid_mappings()) };
        if maps.uids.is_empty() && maps.gids.is_empty() {
            return Vec::new();
        }
        idmap::plan(&Caller::this_process(path), &maps)
    }
}

fn convert(list: &Option<Vec<LinuxIdMapping>>) -> Vec<IdMap> {
    let one = |map: &LinuxIdMapping| IdMap {
        inside: map.container_id(),
        outside: map.host_id(),
        count: map.size(),
    };
    list.iter().flatten().map(one).collect()
}

/// Where systemd would make the scope `prefix-name.scope` in `slice`: each dash in a slice's name is a level of the
/// tree. systemd.slice(5).
fn systemd_place(slice: &str, prefix: &str, name: &str) -> String {
    let slice = if slice.is_empty() { "system.slice" } else { slice };
    let stem = slice.trim_end_matches(".slice");
    let mut place = String::new();
    if stem != "-" {
        for (end, _) in stem.match_indices('-').chain([(stem.len(), "")]) {
            place += &format!("/{}.slice", &stem[..end]);
        }
    }
    if name.ends_with(".slice") {
        return format!("{place}/{name}");
    }
    let unit = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}-{name}") };
    format!("{place}/{unit}.scope")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_systemds_words_is_a_path() {
        assert_eq!(systemd_place("system.slice", "docker", "4f"), "/system.slice/docker-4f.scope");
        assert_eq!(systemd_place("", "runc", "x"), "/system.slice/runc-x.scope");
        assert_eq!(systemd_place("user-1000.slice", "", "x"), "/user.slice/user-1000.slice/x.scope");
        assert_eq!(systemd_place("-.slice", "a", "x"), "/a-x.scope");
    }

    #[test]
    fn paths_in_a_bundle_are_taken_from_it() {
        let scratch = tempfile::tempdir().unwrap();
        let text = r#"{ "ociVersion": "1.0.2", "root": { "path": "rootfs" }, "mounts": [
            { "destination": "/a", "type": "bind", "source": "data", "options": ["rbind"] },
            { "destination": "/b", "type": "tmpfs", "source": "tmpfs" },
            { "destination": "/c", "type": "bind", "source": "/srv", "options": ["bind"] } ] }"#;
        std::fs::write(scratch.path().join("config.json"), text).unwrap();
        let mut bundle = Bundle::load(scratch.path()).unwrap();
        let path = bundle.path.clone();
        assert_eq!(bundle.spec.root().as_ref().unwrap().path(), &path.join("rootfs"));
        let sources: Vec<_> = bundle.spec.mounts().iter().flatten().map(|it| it.source().clone()).collect();
        assert_eq!(sources, [Some(path.join("data")), Some("tmpfs".into()), Some("/srv".into())]);
        bundle.place_cgroup("box");
        let place = bundle.spec.linux().as_ref().unwrap().cgroups_path().clone();
        assert_eq!(place, Some("/mini-docker/box".into()));
    }
}
