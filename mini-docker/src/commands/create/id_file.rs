//! `--cidfile`: a file that gets the id of the container.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The file that gets the id: it must not be there before, and goes again when there is no id to write.
pub(crate) struct IdFile {
    path: PathBuf,
    file: File,
    keep: bool,
}

impl IdFile {
    pub(crate) fn claim(path: &Path) -> anyhow::Result<Self> {
        match File::options().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let path = path.display();
                bail!("container ID file found, make sure the other container isn't running or delete {path}")
            }
            other => {
                let file = other
                    .with_context(|| format!("failed to create the container ID file {}", path.display()))?;
                Ok(Self { path: path.to_owned(), file, keep: false })
            }
        }
    }

    pub(crate) fn write(mut self, id: &str) -> anyhow::Result<()> {
        let written = self.file.write_all(id.as_bytes());
        written.with_context(|| format!("write the container ID to {}", self.path.display()))?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        if !self.keep {
            // What brought us here is what the user wants to know.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
