//! What happens on a terminal: typed while a command of each side has one, and compared to the letter.

use std::process::Command;

use super::Side;
use super::plain::Plain;
use crate::harness::eventually;
use crate::pty::Session;

/// A command on a terminal of 80 columns and 24 lines.
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// Lines of the shell before it.
    before: &'static [&'static str],
    command: &'static str,
    acts: &'static [Act],
    /// Lines of the shell after it, whose answers are compared too.
    after: &'static [&'static str],
}

enum Act {
    /// Waits until the terminal is the program's: what is typed earlier is shown by the terminal itself.
    Raw,
    /// Waits until the screen shows this.
    See(&'static str),
    Type(&'static str),
    /// Other sizes, of so many lines or one more, until the screen shows this: Docker's command does not hear of one that
    /// comes while it begins to listen.
    Resize(u16, &'static str),
}

use Act::{Raw, Resize, See, Type};

/// ctrl-p ctrl-q.
const AWAY: Act = Type("\x10\x11");

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "a shell on a terminal",
        before: &[],
        command: "docker run --rm -it box sh -c 'tty; read line; echo \"<$line>\"; exit 5'",
        acts: &[See("/dev/pts/0"), Raw, Type("some words\n")],
        after: &["docker ps -aq"],
    },
    Scene {
        name: "the size of the window, and its changes",
        before: &[],
        command: "docker run --rm -it box sh -c 'trap \"case \\$(stty size) in 3*) echo changed; exit 6; esac\" WINCH; stty size; echo ready; while :; do read x; done'",
        acts: &[See("24 80"), See("ready"), Raw, Resize(30, "changed")],
        after: &[],
    },
    Scene {
        name: "ctrl-c reaches the program",
        before: &[],
        command: "docker run --rm -it box sh -c 'trap \"echo caught; exit 7\" INT; echo ready; while :; do sleep 0.1; done'",
        acts: &[See("ready"), Raw, Type("\x03")],
        after: &[],
    },
    Scene {
        name: "ctrl-d ends the input",
        before: &[],
        command: "docker run --rm -it box cat",
        acts: &[Raw, Type("line\n"), See("line\r\nline"), Type("\x04")],
        after: &[],
    },
    Scene {
        name: "away from run",
        before: &[],
        command: "docker run -it --name web box sh -c 'echo ready; read x; echo \"<$x>\"; exit 8'",
        acts: &[See("ready"), Raw, AWAY],
        after: &["docker ps --format '{{.Names}} {{.Status}}'", "docker kill web", "docker wait web"],
    },
    Scene {
        name: "away with other keys, and back",
        before: &[
            "docker run -dit --name web box sh -c 'while read x; do echo \"<$x>\"; done; exit 9' >/dev/null",
        ],
        command: "docker attach --detach-keys ctrl-x,y web",
        acts: &[Raw, Type("one\n"), See("<one>"), Type("\x18y")],
        after: &["docker ps --format '{{.Names}} {{.Status}}'", "docker logs web"],
    },
    Scene {
        name: "keys that only begin as those to leave with",
        before: &[
            "docker run -dit --name web box sh -c 'stty -echo; echo ready; while read x; do echo \"<$x>\"; done; exit 9' >/dev/null",
        ],
        command: "docker attach --detach-keys a,b,c web",
        acts: &[Raw, Type("abx\n"), See("<abx>"), Type("\x04")],
        after: &["docker wait web"],
    },
    Scene {
        name: "attached until the end",
        before: &["docker run -dit --name web box sh -c 'read x; echo \"<$x>\"; exit 10' >/dev/null"],
        command: "docker attach web",
        acts: &[Raw, Type("bye\n")],
        after: &["docker inspect -f '{{.State.ExitCode}}' web"],
    },
    Scene {
        name: "only to look at",
        before: &[
            "docker run -d --name web box sh -c 'until [ -e /go ]; do sleep 0.05; done; echo over; exit 11' >/dev/null",
        ],
        command: "docker attach --no-stdin web & until [ \"$(docker events --since 0 --until 0s --filter event=attach --format x)\" ]; do :; done; docker exec web touch /go; wait $!",
        acts: &[See("over")],
        after: &[],
    },
    Scene {
        name: "started and attached",
        before: &["docker create -it --name web box sh -c 'read x; echo \"<$x>\"; exit 12' >/dev/null"],
        command: "docker start -ai web",
        acts: &[Raw, Type("bye\n")],
        after: &["docker start web", "docker kill web"],
    },
    Scene {
        name: "another program on the terminal",
        before: &["docker run -d --name web box sleep 1000 >/dev/null"],
        command: "docker exec -it web sh -c 'tty; stty size; read x; echo \"<$x>\"; exit 13'",
        acts: &[See("24 80"), Raw, Type("words\n")],
        after: &["docker exec -t web sh -c 'echo a; echo b >&2'"],
    },
    Scene {
        name: "away from another program",
        before: &["docker run -d --name web box sleep 1000 >/dev/null"],
        command: "docker exec -it web sh -c 'echo ready; read x'",
        acts: &[See("ready"), Raw, AWAY],
        after: &["docker top web -o comm"],
    },
    Scene {
        name: "ctrl-c without a terminal inside",
        before: &[],
        command: "docker run --rm -i box sh -c 'trap \"echo caught; exit 14\" INT; echo ready; while :; do sleep 0.1; done'",
        acts: &[See("ready"), Type("\x03")],
        after: &["docker ps -aq"],
    },
    Scene {
        name: "keys to leave with that are none",
        before: &["docker run -dit --name web box sh >/dev/null"],
        command: "docker attach --detach-keys ctrl-, web",
        acts: &[],
        after: &[],
    },
];

impl Scene {
    /// What its answers are to.
    pub(super) fn lines(&self) -> Vec<&'static str> {
        [self.command].into_iter().chain(self.after.iter().copied()).collect()
    }

    /// What was on the screen, with the exit status, and what the lines after it answer.
    pub(super) fn play(&self, side: &Side<'_>) -> Vec<String> {
        for line in self.before {
            side.sh(line).ok();
        }
        // The shell is no more: a signal from the keyboard would end it too.
        let line = self.command.strip_prefix("docker ").map(|rest| format!("exec \"$PROGRAM\" {rest}"));
        let mut command = Command::new("sh");
        command.arg("-c").arg(side.script(line.as_deref().unwrap_or(self.command)));
        command.current_dir(&side.directory);
        let mut session = Session::start(&mut command, 80, 24);
        for act in self.acts {
            match act {
                See(text) => session.wait_for(text),
                Raw => eventually("the terminal is the program's", || session.is_raw()),
                Type(keys) => session.keys(keys),
                Resize(rows, text) => {
                    let mut more = 0;
                    eventually("the new size is seen", || {
                        session.resize(100, rows + more);
                        more = 1 - more;
                        session.text().contains(text)
                    });
                }
            }
        }
        let (code, screen) = session.end();
        let mut plain = Plain::default();
        let mut answers = vec![format!("{}[{code}]\n", plain.errors(&screen))];
        answers.extend(self.after.iter().map(|line| plain.answer(&side.sh(line))));
        side.clear();
        answers
    }
}
