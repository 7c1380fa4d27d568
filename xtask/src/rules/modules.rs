//! Which module may use which.
//!
//! Modules of a crate that use each other in a circle can only be read all at once. So there is none, at any depth:
//! what two modules need of each other belongs into a third one below both. A module and those inside it count as
//! one to the modules beside it, and how they stand to each other is their own affair. The tests at a file's end
//! may use what they like. The Rust Reference, "Paths" and "Use declarations".

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::rust_source::code_only;

/// A file of a crate: where it is below `src`, and what is in it.
pub type Module<'a> = (&'a Path, &'a str);

/// The circles among the modules of a crate, each as `a, b, c`: the modules that can all reach each other.
pub fn circles(files: &[Module<'_>]) -> Vec<String> {
    let modules: Vec<(Vec<String>, Vec<Token>)> =
        files.iter().map(|(path, text)| (module(path), tokens(text))).collect();
    let reexports = reexports(&modules);
    let mut beside: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (own, tokens) in modules.iter().filter(|(own, _)| !own.is_empty()) {
        for used in paths(own, tokens) {
            // What stands in the crate's root under another module's name is that module's.
            let used = used.first().and_then(|first| reexports.get(first)).unwrap_or(&used);
            let shared = own.iter().zip(used).take_while(|(a, b)| a == b).count();
            let (Some(from), Some(to)) = (own.get(shared), used.get(shared)) else { continue };
            let level = beside.entry(own[..shared].to_vec()).or_default();
            level.entry(from.clone()).or_default().insert(to.clone());
        }
    }
    let mut complaints = Vec::new();
    for (above, arrows) in &beside {
        let before = above.iter().map(|name| format!("{name}::")).collect::<String>();
        for circle in circles_of(arrows) {
            complaints.push(format!("{before}{}", circle.join(", ")));
        }
    }
    complaints
}

/// The sets of more than one module in which each reaches all others.
fn circles_of(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut next: Vec<&String> = arrows.get(from).into_iter().flatten().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(arrows.get(module).into_iter().flatten());
            }
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<&String>> = arrows.keys().map(|from| (from, reached(from))).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, reaches) in &all {
        let back = |other: &&&String| all.get(**other).is_some_and(|reaches| reaches.contains(*module));
        let circle: Vec<String> = reaches.iter().filter(back).map(|name| (**name).clone()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// The module that a file is: `[]` for the crate's root, `["cp", "side"]` for `cp/side.rs`.
fn module(path: &Path) -> Vec<String> {
    let parts = path.with_extension("");
    let mut parts: Vec<String> = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        parts.pop();
    }
    parts
}

/// What the crate's root shows of its modules under names of its own.
fn reexports(modules: &[(Vec<String>, Vec<Token>)]) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    let root = modules.iter().filter(|(own, _)| own.is_empty());
    for tokens in root.map(|(_, tokens)| tokens) {
        for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("use")) {
            let mut found = Vec::new();
            tree(tokens, index + 1, &mut Vec::new(), &mut found);
            for path in found.iter().filter(|path| path.len() > 1) {
                names.insert(path[path.len() - 1].clone(), path.clone());
            }
        }
    }
    names
}

/// The paths in the module `own` that begin at the crate's root, at itself or above itself, from the root on.
fn paths(own: &[String], tokens: &[Token]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_start = index == 0 || tokens[index - 1] != Token::Colons;
        let follows = tokens.get(index + 1) == Some(&Token::Colons);
        if !(is_start && follows) {
            continue;
        }
        let mut before = match token {
            Token::Word(word) if word == "crate" => Vec::new(),
            Token::Word(word) if word == "self" => own.to_vec(),
            Token::Word(word) if word == "super" => own[..own.len().saturating_sub(1)].to_vec(),
            _ => continue,
        };
        tree(tokens, index + 2, &mut before, &mut all);
    }
    all
}

/// Reads what stands at `at`, `a::b` or `{a, b::c}`, and adds the paths to `all`; where it ends.
fn tree(tokens: &[Token], at: usize, before: &mut Vec<String>, all: &mut Vec<Vec<String>>) -> usize {
    let depth = before.len();
    let end = match tokens.get(at) {
        Some(Token::Word(word)) => {
            match word.as_str() {
                "super" => drop(before.pop()),
                "self" | "crate" => {}
                _ => before.push(word.clone()),
            }
            if tokens.get(at + 1) == Some(&Token::Colons) {
                tree(tokens, at + 2, before, all)
            } else {
                all.push(before.clone());
                at + 1
            }
        }
        Some(Token::Open) => {
            let mut at = at + 1;
            while at < tokens.len() && tokens[at] != Token::Close {
                at = tree(tokens, at, before, all);
                while !matches!(tokens.get(at), None | Some(Token::Comma | Token::Close)) {
                    // `as other`.
                    at += 1;
                }
                at += usize::from(tokens.get(at) == Some(&Token::Comma));
            }
            at + 1
        }
        _ => at + 1,
    };
    before.truncate(depth);
    end
}

/// As much of Rust's tokens as paths have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Colons,
    Open,
    Close,
    Comma,
    Other,
}

impl Token {
    fn is_word(&self, wanted: &str) -> bool {
        matches!(self, Self::Word(word) if word == wanted)
    }
}

/// The tokens of a file, its tests left out.
fn tokens(text: &str) -> Vec<Token> {
    let is_before_tests = |line: &&str| *line != "#[cfg(test)]";
    let code: String = text.lines().take_while(is_before_tests).flat_map(|line| [line, "\n"]).collect();
    let code = code_only(&code);
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let (token, length) = if is_word(first) {
            let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            (Token::Word(rest[..length].to_owned()), length)
        } else if rest.starts_with("::") {
            (Token::Colons, 2)
        } else {
            let token = match first {
                '{' => Token::Open,
                '}' => Token::Close,
                ',' => Token::Comma,
                _ => Token::Other,
            };
            (token, first.len_utf8())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::circles;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (Path::new(path), *text)).collect();
        circles(&files)
    }

    #[test]
    fn modules_that_use_each_other_are_found_however_they_write_it() {
        assert_eq!(found(&[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")]), ["a, b"]);
        let long = [
            ("a.rs", "use std::io;\nuse crate::{\n    b::{self, C},\n    x as y,\n};"),
            ("b.rs", "use super::c;"),
            ("c/inner.rs", "use super::super::a::A;"),
            ("x.rs", "fn x() {}"),
        ];
        assert_eq!(found(&long), ["a, b, c"]);
        let reexported = [
            ("lib.rs", "mod a;\nmod b;\npub use a::{A, E};"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::A;"),
        ];
        assert_eq!(found(&reexported), ["a, b"]);
    }

    #[test]
    fn modules_inside_a_module_are_judged_among_themselves() {
        let inner = [
            ("cp.rs", "mod side;\nmod landing;\nuse crate::cp::side::S;"),
            ("cp/side.rs", "use super::landing::L;\nuse crate::home::Home;"),
            ("cp/landing.rs", "use crate::cp::side::S;"),
            ("home.rs", ""),
        ];
        assert_eq!(found(&inner), ["cp::landing, side"]);
    }

    #[test]
    fn arrows_in_one_direction_comments_and_tests_are_no_circle() {
        let files = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "use crate::b::{B, self};\nuse super::b;\nuse self::inner::I;"),
            ("a/inner.rs", "use super::A;\nuse crate::a;"),
            ("b.rs", "// crate::a::A\nlet text = \"crate::a\";\n#[cfg(test)]\nmod tests { use crate::a; }"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }
}
