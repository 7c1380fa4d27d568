//! All commands of a block as one program for bash, and what it printed, taken apart again.
//!
//! One shell runs them, so that `cd`, variables and background processes carry over from line to line as they
//! do at a terminal. After each command the shell writes a mark with its exit status: a character that no
//! command of ours prints.

use super::block::{Block, Command};

/// ASCII's record separator.
const MARK: char = '\u{1e}';

/// What one command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it wrote to standard output and standard error, in the order in which it did.
    pub output: String,
    /// Its exit status.
    pub status: i32,
}

/// The program for `bash -c`.
pub fn script(block: &Block) -> String {
    let mut script = "exec 2>&1\n".to_owned();
    for Command { text, .. } in &block.commands {
        script.push_str(text);
        script.push_str("\nprintf '\\036%s\\036\\n' $?\n");
    }
    script
}

/// The answers to as many commands as ended, and what was printed after the last of them.
pub fn answers(output: &str) -> (Vec<Answer>, String) {
    let mut answers = Vec::new();
    let mut rest = output;
    while let Some((before, after)) = rest.split_once(MARK) {
        let Some((status, after)) = after.split_once(MARK) else { break };
        let Ok(status) = status.parse() else { break };
        answers.push(Answer { output: tidy(before), status });
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    (answers, tidy(rest))
}

/// Lines as a page can hold them: nothing at their ends, a newline after the last. A shell that runs a program
/// names the line in its complaints; the one at the reader's terminal does not.
fn tidy(output: &str) -> String {
    let mut tidy = String::with_capacity(output.len());
    for line in output.lines() {
        let line = line.rsplit('\r').next().unwrap_or_default().trim_end();
        match line.strip_prefix("bash: line ").and_then(|rest| rest.split_once(": ")) {
            Some((number, complaint)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                tidy.push_str("bash: ");
                tidy.push_str(complaint);
            }
            _ => tidy.push_str(line),
        }
        tidy.push('\n');
    }
    tidy
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Answer, answers, script};
    use crate::book::Page;
    use crate::transcript::blocks;

    fn answer(output: &str, status: i32) -> Answer {
        Answer { output: output.to_owned(), status }
    }

    #[test]
    fn each_command_has_its_own_output_and_status() {
        let page = "```console\n$ x=1; echo one >&2\n$ printf $x; false\n$ cd /proc\n$ pwd; nonesuch\n```\n";
        let (blocks, _) = blocks(&Page::parse("p.md", page));
        let output = Command::new("bash").args(["-c", &script(&blocks[0])]).output().unwrap();
        let (answers, rest) = answers(&String::from_utf8(output.stdout).unwrap());
        let expected = [
            answer("one\n", 0),
            answer("1\n", 1),
            answer("", 0),
            answer("/proc\nbash: nonesuch: command not found\n", 127),
        ];
        assert_eq!(answers, expected);
        assert_eq!(rest, "");
    }

    #[test]
    fn a_shell_that_was_left_early_has_fewer_answers() {
        assert_eq!(answers("a  \n\u{1e}0\u{1e}\nb"), (vec![answer("a\n", 0)], "b\n".to_owned()));
    }
}
