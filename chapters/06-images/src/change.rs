//! `--change`: a line of a Dockerfile applied to an image's configuration. dockerfile(5), docker-import(1).

use std::collections::BTreeMap;

use crate::config::{Empty, RunConfig};

/// A line that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// An instruction that does not change the configuration, or none at all.
    #[error(
        "{0} is not a valid change command: use CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR"
    )]
    Unknown(String),
    /// An empty line: Docker's words.
    #[error("file with no instructions")]
    Nothing,
    /// An instruction without what it needs.
    #[error("`{0}` needs an argument")]
    Empty(String),
    /// `ENV` and `LABEL` set names to values.
    #[error("`{0}` wants NAME=value")]
    NoValue(String),
    /// A quote that is opened and not closed.
    #[error("`{0}` has an unclosed quote")]
    Quote(String),
    /// No port of that form.
    #[error("`{0}` is no port: 1 to 65535, with /tcp or /udp where it matters")]
    Port(String),
    /// No signal of that name.
    #[error("`{0}` is no signal")]
    Signal(String),
}

/// Applies one line, such as `CMD ["sh", "-c", "date"]` or `ENV A=1 B=2`.
///
/// # Errors
/// A line that is no such instruction, or that lacks a part.
pub fn apply(config: &mut RunConfig, line: &str) -> Result<(), ChangeError> {
    let line = line.trim();
    if line.is_empty() {
        return Err(ChangeError::Nothing);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let instruction = word.to_ascii_uppercase();
    let known =
        ["CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"];
    if !known.contains(&instruction.as_str()) {
        return Err(ChangeError::Unknown(word.to_owned()));
    }
    if rest.is_empty() {
        return Err(ChangeError::Empty(word.to_owned()));
    }
    match instruction.as_str() {
        "CMD" => config.cmd = Some(command(rest)),
        "ENTRYPOINT" => config.entrypoint = Some(command(rest)),
        "ENV" => {
            pairs(line, rest)?.into_iter().for_each(|(name, value)| set_env(&mut config.env, &name, &value))
        }
        "LABEL" => config.labels.get_or_insert_default().extend(pairs(line, rest)?),
        "EXPOSE" => config.exposed_ports.get_or_insert_default().extend(ports(rest)?),
        "VOLUME" => config.volumes.get_or_insert_default().extend(volumes(line, rest)?),
        "ONBUILD" => config.on_build.get_or_insert_default().push(rest.to_owned()),
        "STOPSIGNAL" => {
            mini_sys::signal::parse(rest).ok_or_else(|| ChangeError::Signal(rest.to_owned()))?;
            config.stop_signal = Some(rest.to_owned());
        }
        "USER" => config.user = rest.to_owned(),
        _ => config.working_dir = join(&config.working_dir, rest),
    }
    Ok(())
}

/// Sets a variable in a list of `NAME=value`: in its old place if it is there, else at the end.
pub fn set_env(env: &mut Vec<String>, name: &str, value: &str) {
    let line = format!("{name}={value}");
    let is_it = |old: &&mut String| old.split_once('=').map_or(old.as_str(), |(old, _)| old) == name;
    match env.iter_mut().find(is_it) {
        Some(old) => *old = line,
        None => env.push(line),
    }
}

/// The exec form, a JSON list, or the shell form, which a shell reads.
fn command(text: &str) -> Vec<String> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(words) => words,
        Err(_) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()],
    }
}

/// `NAME=value NAME="a value"`, or the old form `NAME a value`.
fn pairs(line: &str, text: &str) -> Result<BTreeMap<String, String>, ChangeError> {
    let words = words(line, text)?;
    match words.first() {
        Some(first) if !first.contains('=') => {
            let (name, value) =
                text.split_once(char::is_whitespace).ok_or_else(|| ChangeError::NoValue(line.to_owned()))?;
            Ok(BTreeMap::from([(name.to_owned(), value.trim().to_owned())]))
        }
        _ => words
            .iter()
            .map(|word| match word.split_once('=') {
                Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
                _ => Err(ChangeError::NoValue(line.to_owned())),
            })
            .collect(),
    }
}

fn ports(text: &str) -> Result<BTreeMap<String, Empty>, ChangeError> {
    let port = |word: &str| {
        let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
        let good = number.parse::<u16>().is_ok_and(|number| number > 0)
            && matches!(protocol, "tcp" | "udp" | "sctp");
        good.then(|| (format!("{number}/{protocol}"), Empty {}))
            .ok_or_else(|| ChangeError::Port(word.to_owned()))
    };
    text.split_whitespace().map(port).collect()
}

fn volumes(line: &str, text: &str) -> Result<BTreeMap<String, Empty>, ChangeError> {
    let paths = match serde_json::from_str::<Vec<String>>(text) {
        Ok(paths) => paths,
        Err(_) => words(line, text)?,
    };
    Ok(paths.into_iter().map(|path| (path, Empty {})).collect())
}

/// A relative directory goes on from the one before it.
fn join(old: &str, new: &str) -> String {
    let old = if old.is_empty() { "/" } else { old };
    std::path::Path::new(old).join(new).to_string_lossy().into_owned()
}

/// Splits at white space; quotes hold a word together and a backslash takes the next letter as it is.
fn words(line: &str, text: &str) -> Result<Vec<String>, ChangeError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if letter == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(ChangeError::Quote(line.to_owned()));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(lines: &[&str]) -> RunConfig {
        let mut config = RunConfig::default();
        lines.iter().for_each(|line| apply(&mut config, line).unwrap());
        config
    }

    #[test]
    fn both_forms_of_a_command_are_known() {
        let config = changed(&[r#"CMD ["a", "b c"]"#, "entrypoint exec $X"]);
        assert_eq!(config.cmd.unwrap(), ["a", "b c"]);
        assert_eq!(config.entrypoint.unwrap(), ["/bin/sh", "-c", "exec $X"]);
    }

    #[test]
    fn variables_keep_their_place_and_their_spaces() {
        let config = changed(&[r#"ENV A=1 B="x y" C=p\ q"#, "ENV A 2 3"]);
        assert_eq!(config.env, ["A=2 3", "B=x y", "C=p q"]);
    }

    #[test]
    fn directories_go_on_from_each_other() {
        assert_eq!(changed(&["WORKDIR /a", "WORKDIR b"]).working_dir, "/a/b");
    }

    #[test]
    fn what_is_no_change_is_refused_by_name() {
        let refuse = |line| apply(&mut RunConfig::default(), line).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                refuse("RUN true"),
                refuse("CMD"),
                refuse("ENV A"),
                refuse("LABEL a=\"b"),
                refuse("EXPOSE 99999"),
                refuse("STOPSIGNAL NO")
            ]
            .join("\n")
        );
    }
}
