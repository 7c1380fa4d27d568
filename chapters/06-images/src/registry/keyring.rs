//! Programs that keep secrets in a keyring: `docker-credential-NAME`, which is asked over pipes.
//!
//! It is told what to do as its argument (`get`, `store`, `erase`), gets a registry or a secret on its input, and
//! answers in JSON. A secret is never in an argument, where ps(1) would show it.
//! github.com/docker/docker-credential-helpers, "Development".

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// A helper that does not help.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// It cannot be started, or hears nothing.
    #[error("ask `{helper}`")]
    Ask {
        /// Its program.
        helper: String,
        /// Why.
        source: io::Error,
    },
    /// It answers something else.
    #[error("`{helper}` does not answer as a helper")]
    Answer {
        /// Its program.
        helper: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It could not do it.
    #[error("`{helper} {verb}` fails: {said}")]
    Failed {
        /// Its program.
        helper: String,
        /// What it was to do.
        verb: &'static str,
        /// Its words.
        said: String,
    },
}

/// By this name a helper says that the secret is a token.
pub(crate) const TOKEN: &str = "<token>";

/// What a helper keeps of one registry.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Kept {
    #[serde(rename = "ServerURL", default)]
    pub(crate) server: String,
    pub(crate) username: String,
    pub(crate) secret: String,
}

/// One helper.
#[derive(Debug)]
pub(crate) struct Helper {
    program: String,
}

impl Helper {
    /// `docker-credential-NAME`, which is looked for in `PATH`.
    pub(crate) fn named(name: &str) -> Self {
        Self { program: format!("docker-credential-{name}") }
    }

    /// What it keeps; None where it knows nothing.
    pub(crate) fn get(&self, server: &str) -> Result<Option<Kept>, HelperError> {
        let (succeeded, said) = self.run("get", server.as_bytes())?;
        if !succeeded {
            return Ok(None);
        }
        let answer = serde_json::from_slice(&said);
        answer.map(Some).map_err(|source| HelperError::Answer { helper: self.program.clone(), source })
    }

    pub(crate) fn store(&self, kept: &Kept) -> Result<(), HelperError> {
        let input = serde_json::to_vec(kept)
            .map_err(|source| HelperError::Answer { helper: self.program.clone(), source })?;
        self.demand("store", &input)
    }

    pub(crate) fn erase(&self, server: &str) -> Result<(), HelperError> {
        self.demand("erase", server.as_bytes())
    }

    fn demand(&self, verb: &'static str, input: &[u8]) -> Result<(), HelperError> {
        match self.run(verb, input)? {
            (true, _) => Ok(()),
            (false, said) => Err(HelperError::Failed {
                helper: self.program.clone(),
                verb,
                said: String::from_utf8_lossy(&said).trim().to_owned(),
            }),
        }
    }

    /// Whether it went well, and what it said.
    fn run(&self, verb: &str, input: &[u8]) -> Result<(bool, Vec<u8>), HelperError> {
        let failed = |source| HelperError::Ask { helper: self.program.clone(), source };
        let mut command = Command::new(&self.program);
        command.arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            match pipe.write_all(input) {
                // It has its own reasons to end early; its status tells.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                other => other.map_err(failed)?,
            }
        }
        let output = child.wait_with_output().map_err(failed)?;
        Ok((output.status.success(), output.stdout))
    }
}
