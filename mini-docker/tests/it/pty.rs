//! A terminal for a test: its far side is the test's keyboard and screen, its near side the command's.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mini_sys::tty::{self, WindowSize};

use crate::harness::{PATIENCE, exit_code};

/// A terminal with a command on it.
pub(crate) struct Session {
    keyboard: File,
    /// The near side stays open, so that its settings can be looked at after the command's end.
    near: OwnedFd,
    before: String,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    pub(crate) child: Child,
}

impl Session {
    /// Starts the command on a terminal of this size that is its own, as a login gives one.
    pub(crate) fn start(command: &mut Command, columns: u16, rows: u16) -> Self {
        let (far, near) = tty::open_pty(Path::new("/dev/ptmx")).unwrap();
        tty::set_window_size(&near, WindowSize { columns, rows }).unwrap();
        let before = settings(&near);
        // setsid(1) makes the terminal the controlling one, for which Rust would need unsafe code.
        let mut with_terminal = Command::new("setsid");
        with_terminal.arg("--ctty").arg("--wait").arg(command.get_program()).args(command.get_args());
        with_terminal.current_dir(command.get_current_dir().unwrap()).env("TERM", "vt100");
        let stdio = || Stdio::from(near.try_clone().unwrap());
        let child = with_terminal.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let keyboard = File::from(far);
        let (screen, mut from) = (Arc::new(Mutex::new(Vec::new())), keyboard.try_clone().unwrap());
        let shown = Arc::clone(&screen);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            // EIO: nobody has the near side open any more.
            while let Ok(length) = from.read(&mut chunk) {
                shown.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Self { keyboard, near, before, screen, reader: Some(reader), child }
    }

    /// Types.
    pub(crate) fn keys(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// What has been shown so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until the screen has shown this.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.text().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "{text:?} is not shown: {:?}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Another size, of which the kernel tells the command.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        tty::set_window_size(&self.near, WindowSize { columns, rows }).unwrap();
    }

    /// Whether the terminal is in raw mode.
    pub(crate) fn is_raw(&self) -> bool {
        settings(&self.near) != self.before
    }

    /// Waits for the command's end: its exit status, and what was shown. The terminal must be as it was.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, String) {
        let screen = Arc::clone(&self.screen);
        let code = exit_code(&mut self.child, || {
            format!("the command on the terminal: {:?}", String::from_utf8_lossy(&screen.lock().unwrap()))
        });
        assert_eq!(settings(&self.near), self.before, "the terminal is not as it was");
        let Self { keyboard, near, reader, .. } = self;
        drop((near, keyboard));
        reader.unwrap().join().unwrap();
        let text = String::from_utf8_lossy(&screen.lock().unwrap()).replace('\r', "");
        (code, text)
    }

    /// The process of the command itself, below setsid(1) if that had to fork.
    pub(crate) fn pid(&self) -> i32 {
        let own = self.child.id() as i32;
        let children =
            std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let name = std::fs::read_to_string(format!("/proc/{own}/comm")).unwrap_or_default();
        if name.trim() == "setsid" {
            children.split_whitespace().next().unwrap().parse().unwrap()
        } else {
            own
        }
    }
}

/// All settings of a terminal as a text.
fn settings(terminal: &OwnedFd) -> String {
    let output = Command::new("stty").arg("-g").stdin(terminal.try_clone().unwrap()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
