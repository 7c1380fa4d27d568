//! Speaks Chromium's DevTools protocol over a pair of pipes.
//!
//! `--remote-debugging-pipe` makes Chromium read commands from descriptor 3 and write answers and events to
//! descriptor 4: JSON, with a NUL after each message. A shell moves its own standard streams there, because a
//! child's other descriptors cannot be set without unsafe code.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long Chromium may take to answer anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Quiet, and without a word to the network that the page did not ask for.
const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    // The pages are ours, and root has no sandbox.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
];

/// A Chromium that is running for us. Dropping it ends it.
#[derive(Debug)]
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    events: VecDeque<Value>,
    last: u64,
    _profile: TempDir,
}

/// A tab of it.
#[derive(Debug, Clone)]
pub struct Tab {
    session: String,
}

/// Where Chromium is: what `CHROMIUM` names, else what is found along `PATH`.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    let mut programs = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    programs.find(|program| program.is_file())
}

impl Chromium {
    /// Starts `program` with a profile of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path) -> Result<Self> {
        let profile = tempfile::tempdir().context("make a directory for Chromium's profile")?;
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"]).arg(program).args(FLAGS);
        shell.arg(format!("--user-data-dir={}", profile.path().display()));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = shell.spawn().context("run `sh`")?;
        let to = process.stdin.take().context("open a pipe to Chromium")?;
        let output = process.stdout.take().context("open a pipe from Chromium")?;
        let (sender, from) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        Ok(Self { process, to, from, events: VecDeque::new(), last: 0, _profile: profile })
    }

    /// Opens a tab.
    ///
    /// # Errors
    /// When Chromium does not answer, or says no.
    pub fn tab(&mut self) -> Result<Tab> {
        let target = self.call(None, "Target.createTarget", &json!({ "url": "about:blank" }))?;
        let parameters = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", &parameters)?;
        let session = attached["sessionId"].as_str().context("Chromium names no session")?.to_owned();
        Ok(Tab { session })
    }

    /// Calls `method` in `tab`, or in the browser itself, and returns its result.
    ///
    /// # Errors
    /// When Chromium does not answer, or says no.
    pub fn call(&mut self, tab: Option<&Tab>, method: &str, parameters: &Value) -> Result<Value> {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(tab) = tab {
            command["sessionId"] = json!(tab.session);
        }
        self.to
            .write_all(format!("{command}\0").as_bytes())
            .with_context(|| format!("tell Chromium `{method}`"))?;
        let end = Instant::now() + PATIENCE;
        loop {
            let mut message = self.next(end).with_context(|| format!("wait for the answer to `{method}`"))?;
            if message["id"] == json!(self.last) {
                if !message["error"].is_null() {
                    bail!("Chromium refuses `{method}`: {}", message["error"]["message"]);
                }
                return Ok(message["result"].take());
            }
            self.events.push_back(message);
        }
    }

    /// The value of a JavaScript expression in `tab`; a promise is waited for.
    ///
    /// # Errors
    /// When it throws, or Chromium does not answer.
    pub fn evaluate(&mut self, tab: &Tab, expression: &str) -> Result<Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call(Some(tab), "Runtime.evaluate", &parameters)?;
        if !answer["exceptionDetails"].is_null() {
            let thrown = &answer["exceptionDetails"];
            return Err(anyhow!("{} {}", thrown["text"], thrown["exception"]["description"]))
                .context("the question to the page failed");
        }
        Ok(answer["result"]["value"].take())
    }

    /// All events until one called `method`, that one included.
    ///
    /// # Errors
    /// When it does not come.
    pub fn events_until(&mut self, method: &str) -> Result<Vec<Value>> {
        let end = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => self.next(end).with_context(|| format!("wait for `{method}`"))?,
            };
            let is_last = event["method"] == json!(method);
            events.push(event);
            if is_last {
                return Ok(events);
            }
        }
    }

    /// The events that have come so far and nobody has taken.
    pub fn events(&mut self) -> Vec<Value> {
        self.events.extend(self.from.try_iter());
        self.events.drain(..).collect()
    }

    fn next(&mut self, end: Instant) -> Result<Value> {
        match self.from.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Timeout) => bail!("Chromium is silent"),
            Err(RecvTimeoutError::Disconnected) => bail!("Chromium has ended"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It ends by itself, and its children with it; where it does not, it is killed.
        let _ = self.call(None, "Browser.close", &json!({}));
        for _ in 0..50 {
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
