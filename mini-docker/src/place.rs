//! Where the engine of a command keeps everything.

use std::path::PathBuf;

use anyhow::Context as _;
use mini_engine::Home;

/// Where everything is kept: `--root`, or the usual place of root or of this user.
pub(crate) fn home(root: Option<PathBuf>) -> anyhow::Result<Home> {
    if let Some(root) = root {
        return Ok(Home::new(
            std::path::absolute(&root).with_context(|| format!("use `{}`", root.display()))?,
        ));
    }
    if mini_sys::process::is_root() {
        return Ok(Home::new("/var/lib/mini-docker"));
    }
    let data = std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = data.or_else(home).context("neither HOME nor XDG_DATA_HOME is set: use `--root DIR`")?;
    Ok(Home::new(data.join("mini-docker")))
}
