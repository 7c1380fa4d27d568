//! From a fenced block to commands, and what each is expected to print.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use outer_box::Allowed;

use crate::book::{Code, Page};

/// How long a block may take when it does not say `timeout=`.
const PATIENCE: Duration = Duration::from_secs(60);

/// A console block: what somebody typed, and what the machine answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The page it stands on, relative to the project's root.
    pub page: PathBuf,
    /// The line of its fence, counted from 1.
    pub line: usize,
    /// What the machine must be able to do.
    pub requires: Vec<String>,
    /// The exit status of the last command.
    pub status: i32,
    /// How long all of it may take.
    pub timeout: Duration,
    /// What it may leave in the box. Files in `/tmp` always may be left.
    pub leaves: Vec<Allowed>,
    /// In the order in which they are typed, all in one shell.
    pub commands: Vec<Command>,
    /// Where it stands in the page's source, fences included.
    pub range: Range<usize>,
    /// What stands before it on each of its lines.
    pub prefix: String,
}

/// A command and its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What is typed, prompt removed. More than one line where a line ends with a backslash.
    pub text: String,
    /// `#` for root's prompt, `$` for anybody's.
    pub prompt: char,
    /// The line of the page, counted from 1.
    pub line: usize,
    /// What it prints, by snapbox's rules: `[..]` is anything within a line, `...` any lines.
    pub expected: String,
}

/// The console blocks of `page`; a complaint, with its line, for each that cannot be understood.
pub fn blocks(page: &Page) -> (Vec<Block>, Vec<(usize, String)>) {
    let console = page.code.iter().filter(|code| code.language() == "console");
    let (mut blocks, mut complaints) = (Vec::new(), Vec::new());
    for code in console {
        match block(page, code) {
            Ok(block) => blocks.push(block),
            Err(complaint) => complaints.push((code.line, complaint)),
        }
    }
    (blocks, complaints)
}

fn block(page: &Page, code: &Code) -> Result<Block, String> {
    let mut block = Block {
        page: page.path.clone(),
        line: code.line,
        requires: Vec::new(),
        status: 0,
        timeout: PATIENCE,
        leaves: Vec::new(),
        commands: commands(code)?,
        range: code.range.clone(),
        prefix: code.prefix.clone(),
    };
    if let Some(comment) = code.before.strip_prefix("<!-- transcript:") {
        let options =
            comment.strip_suffix("-->").ok_or("the comment before the block does not end on its line")?;
        for option in options.split_whitespace() {
            set(&mut block, option)?;
        }
    }
    if block.commands.iter().any(|command| command.prompt == '#')
        && !block.requires.iter().any(|it| it == "root")
    {
        block.requires.insert(0, "root".to_owned());
    }
    Ok(block)
}

fn set(block: &mut Block, option: &str) -> Result<(), String> {
    let number =
        |value: &str| value.parse::<u8>().map_err(|_| format!("`{option}`: not a number from 0 to 255"));
    match option.split_once('=') {
        Some(("requires", names)) => block.requires.extend(names.split(',').map(str::to_owned)),
        Some(("status", value)) => block.status = number(value)?.into(),
        Some(("timeout", value)) => block.timeout = Duration::from_secs(number(value)?.into()),
        Some(("leaves", leaks)) => {
            for leak in leaks.split(',') {
                block.leaves.push(leak.parse().map_err(|error| format!("`{option}`: {error}"))?);
            }
        }
        _ => {
            let known = "`requires=`, `status=`, `timeout=` and `leaves=`";
            return Err(format!("no option `{option}`; there are {known}"));
        }
    }
    Ok(())
}

fn commands(code: &Code) -> Result<Vec<Command>, String> {
    let mut commands: Vec<Command> = Vec::new();
    let mut open = false;
    for (index, line) in code.text.lines().enumerate() {
        let prompt = ['#', '$'].into_iter().find(|prompt| line.starts_with(&format!("{prompt} ")));
        match (prompt, commands.last_mut()) {
            (_, Some(last)) if open => {
                last.text.push('\n');
                last.text.push_str(line);
            }
            (Some(prompt), _) => {
                let (text, line) = (line[2..].to_owned(), code.line + 1 + index);
                commands.push(Command { text, prompt, line, expected: String::new() });
            }
            (None, Some(last)) => {
                last.expected.push_str(line);
                last.expected.push('\n');
                continue;
            }
            (None, None) => {
                return Err("a console block begins with a command, after `# ` or `$ `".to_owned());
            }
        }
        open = line.ends_with('\\');
    }
    if commands.is_empty() {
        return Err("a console block without a command".to_owned());
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Block, blocks};
    use crate::book::Page;

    fn read(source: &str) -> Result<Block, String> {
        let (mut blocks, mut complaints) = blocks(&Page::parse("p.md", source));
        blocks.pop().ok_or_else(|| complaints.remove(0).1)
    }

    #[test]
    fn lines_after_a_command_are_its_output() {
        let block = read("text\n\n```console\n# ls /\nbin\n[..]\n$ cat \\\n  x\n\n$ true\n```\n").unwrap();
        let commands: Vec<_> = block
            .commands
            .iter()
            .map(|it| (it.prompt, it.text.as_str(), it.line, it.expected.as_str()))
            .collect();
        assert_eq!(
            commands,
            [('#', "ls /", 4, "bin\n[..]\n"), ('$', "cat \\\n  x", 7, "\n"), ('$', "true", 10, "")]
        );
        assert_eq!(block.requires, ["root"]);
    }

    #[test]
    fn the_comment_before_it_gives_options() {
        let block =
            read("<!-- transcript: requires=root,overlay status=32 timeout=5 leaves=link:br0,process:sleep* -->\n```console\n$ x\n```\n")
                .unwrap();
        assert_eq!(block.requires, ["root", "overlay"]);
        assert_eq!((block.status, block.timeout), (32, Duration::from_secs(5)));
        assert_eq!(block.leaves[1], "process:sleep*".parse().unwrap());
        assert_eq!(read("```console\n$ x\n```\n").unwrap().requires, [""; 0]);
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let complaint = |source| read(source).unwrap_err();
        assert!(
            complaint("<!-- transcript: skip=why -->\n```console\n$ x\n```\n")
                .contains("no option `skip=why`")
        );
        assert!(complaint("<!-- transcript: leaves=x -->\n```console\n$ x\n```\n").contains("kinds are"));
        assert!(complaint("<!-- transcript: status=x -->\n```console\n$ x\n```\n").contains("`status=x`"));
        assert!(complaint("```console\noutput\n```\n").contains("begins with a command"));
        assert!(complaint("```console\n```\n").contains("without a command"));
    }

    #[test]
    fn other_blocks_are_left_alone() {
        assert_eq!(blocks(&Page::parse("p.md", "```sh\nrm -rf /\n```\n")), (vec![], vec![]));
    }
}
