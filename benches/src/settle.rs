//! Waits for what a container still does after its end was told: that must not fall on the next measurement,
//! and a directory that it cleans up must not be removed meanwhile.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// How long cleaning up may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until nothing is left in `directory`, which is where an engine has its containers.
///
/// # Errors
/// When something is left after ten seconds.
pub fn until_empty(directory: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let list = || fs::read_dir(directory).with_context(|| format!("list {}", directory.display()));
    while list()?.next().is_some() {
        ensure!(Instant::now() < deadline, "something is left in {}", directory.display());
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
