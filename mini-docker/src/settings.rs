//! What the user has written down: our configuration, and Docker's file of credentials.
//!
//! `/etc/mini-docker/config.toml` first, then `~/.config/mini-docker/config.toml`; what the second one says counts.
//!
//! ```toml
//! [registry]
//! mirrors = ["https://mirror.example"]     # asked before Docker Hub
//! insecure = ["registry.lan:5000"]         # may do without TLS
//!
//! [layers]                                  # a layer that is both is refused as a bomb:
//! largest = "1g"                            # longer than this, unpacked,
//! ratio = 100                               # and than so many times its compressed size
//! ```

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use mini_images::registry::{Credentials, Proxies, Settings};
use mini_layers::Bounds;
use serde::Deserialize;

use crate::values::Bytes;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    registry: Registry,
    layers: Layers,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Layers {
    largest: Option<Bytes>,
    ratio: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Registry {
    mirrors: Option<Vec<String>>,
    insecure: Option<Vec<String>>,
}

/// How much may come out of a compressed layer.
pub(crate) fn bounds() -> anyhow::Result<Bounds> {
    let [machine, user] = files()?.map(|config| config.layers);
    let usual = Bounds::default();
    let largest = user.largest.or(machine.largest).and_then(|bytes| u64::try_from(bytes.0).ok());
    Ok(Bounds {
        size: largest.unwrap_or(usual.size),
        ratio: user.ratio.or(machine.ratio).unwrap_or(usual.ratio),
    })
}

/// The machine's configuration, and the user's.
fn files() -> anyhow::Result<[Config; 2]> {
    let machine = read(Path::new("/etc/mini-docker/config.toml"))?;
    let user = match directory("XDG_CONFIG_HOME", ".config") {
        Some(directory) => read(&directory.join("mini-docker/config.toml"))?,
        None => Config::default(),
    };
    Ok([machine, user])
}

/// How registries are spoken to.
pub(crate) fn registries() -> anyhow::Result<Settings> {
    let [machine, user] = files()?.map(|config| config.registry);
    let mut certificates = vec!["/etc/mini-docker/certs.d".into(), "/etc/docker/certs.d".into()];
    certificates.extend(directory("DOCKER_CONFIG", ".docker").map(|docker| docker.join("certs.d")));
    Ok(Settings {
        mirrors: user.mirrors.or(machine.mirrors).unwrap_or_default(),
        insecure: user.insecure.or(machine.insecure).unwrap_or_default(),
        certificates,
        proxies: proxies(),
        ..Settings::default()
    })
}

/// What `login` keeps for this registry.
pub(crate) fn credentials(registry: &str) -> anyhow::Result<Option<Credentials>> {
    match credentials_file() {
        Some(file) => Ok(Credentials::find(&file, registry)?),
        None => Ok(None),
    }
}

/// The columns that the user wants of `ps`: `psFormat` in Docker's `config.json`.
pub(crate) fn ps_format() -> Option<String> {
    let text = std::fs::read(credentials_file()?).ok()?;
    let configuration: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(configuration["psFormat"].as_str()?.to_owned())
}

/// Docker's `config.json`, where `login` keeps names and passwords.
pub(crate) fn credentials_file() -> Option<PathBuf> {
    directory("DOCKER_CONFIG", ".docker").map(|docker| docker.join("config.json"))
}

/// The proxies that the environment names, by either spelling.
fn proxies() -> Proxies {
    let set = |name: &str| {
        let value = |name: String| std::env::var(name).ok().filter(|value| !value.is_empty());
        value(name.to_ascii_uppercase()).or_else(|| value(name.to_ascii_lowercase()))
    };
    Proxies {
        https: set("https_proxy"),
        http: set("http_proxy"),
        except: set("no_proxy").unwrap_or_default(),
    }
}

/// The directory that the variable names, or this one of the user's.
fn directory(variable: &str, usual: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(variable).or_else(|| set("HOME").map(|home| home.join(usual)))
}

fn read(path: &Path) -> anyhow::Result<Config> {
    match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            anyhow!("{} cannot be read: line {line}: {}", path.display(), error.message())
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}
