//! What the sources must look like: where `unsafe` may stand, what a `lib.rs` holds, names and lengths.

use std::path::Path;

use crate::rust_source::{code_only, words};

/// A file of more lines than this, its tests not counted, does two things.
pub const LONGEST_FILE: usize = 450;

/// Names that say nothing about what is inside, so that everything ends up there; and `error`, because an
/// error type lives beside the function that returns it.
pub const BANNED_MODULES: [&str; 9] =
    ["common", "error", "errors", "helper", "helpers", "misc", "types", "util", "utils"];

/// The lines, counted from 1, on which the keyword `unsafe` stands.
pub fn lines_with_unsafe(source: &str) -> Vec<usize> {
    let code = code_only(source);
    let lines = code.lines().enumerate();
    lines.filter(|(_, line)| words(line).any(|word| word == "unsafe")).map(|(index, _)| index + 1).collect()
}

/// The first thing in a `lib.rs` that is neither documentation, nor `mod x;`, nor `pub use`.
pub fn lib_does_more_than_list(source: &str) -> Option<String> {
    let code = code_only(source);
    let without_attributes: Vec<&str> =
        code.lines().filter(|line| !line.trim_start().starts_with("#")).collect();
    let code = without_attributes.join("\n");
    let mut items = code.split(';').map(str::trim).filter(|item| !item.is_empty());
    let other = items.find(|item| {
        let mut words = words(item);
        let is_list = match (words.next(), words.next()) {
            (Some("pub"), Some("use")) => true,
            (Some("mod"), Some(_)) => words.next().is_none(),
            (Some("pub"), Some("mod")) => words.next().is_some() && words.next().is_none(),
            _ => false,
        };
        !is_list || (item.contains('{') && !item.starts_with("pub use"))
    })?;
    Some(other.lines().next().unwrap_or_default().trim().to_owned())
}

/// The part of `path` that is one of [`BANNED_MODULES`], if there is one.
pub fn banned_modules(path: &Path) -> Option<String> {
    let names = path.iter().map(|part| part.to_string_lossy());
    let mut modules = names.map(|name| name.strip_suffix(".rs").unwrap_or(&name).to_owned());
    modules.find(|name| BANNED_MODULES.contains(&name.as_str()))
}

/// The number of lines of `source`, when that is more than [`LONGEST_FILE`]. The tests at its end do not count.
pub fn too_long(source: &str) -> Option<usize> {
    let lines = source.lines().take_while(|line| *line != "#[cfg(test)]").count();
    (lines > LONGEST_FILE).then_some(lines)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{LONGEST_FILE, banned_modules, lib_does_more_than_list, lines_with_unsafe, too_long};

    #[test]
    fn unsafe_is_found_as_a_keyword_and_nowhere_else() {
        let source = "// unsafe\nlet x = \"unsafe\";\n#![allow(unsafe_code)]\nlet y = unsafe { f() };\n";
        assert_eq!(lines_with_unsafe(source), [4]);
        assert_eq!(lines_with_unsafe("#[unsafe(no_mangle)]\nunsafe extern \"C\" {}"), [1, 2]);
    }

    #[test]
    fn a_lib_that_only_lists_is_fine() {
        let source = "//! Docs; with a semicolon.\n#![forbid(x)]\n\nmod a;\n/// Docs.\npub mod b;\n\
            #[cfg(test)]\nmod c;\npub use a::{\n    One,\n    Two,\n};\npub use b::r#Three;\n";
        assert_eq!(lib_does_more_than_list(source), None);
    }

    #[test]
    fn anything_else_in_a_lib_is_found() {
        let found = |source| lib_does_more_than_list(source);
        assert_eq!(found("mod a;\npub fn f() {}\n").as_deref(), Some("pub fn f() {}"));
        assert_eq!(found("use std::fs;\n").as_deref(), Some("use std::fs"));
        assert!(found("pub mod a {\n pub use x::y;\n}\n").is_some());
        assert!(found("const X: u8 = 1;").is_some());
        assert!(found("macro_rules! x { () => {} }").is_some());
    }

    #[test]
    fn a_module_whose_name_says_nothing_is_found_as_file_and_as_folder() {
        assert_eq!(banned_modules(Path::new("chapters/01-a/src/utils.rs")).as_deref(), Some("utils"));
        assert_eq!(banned_modules(Path::new("a/tests/common/mod.rs")).as_deref(), Some("common"));
        assert_eq!(banned_modules(Path::new("a/src/type_of_mount.rs")), None);
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let line = "let x = 1;\n";
        assert_eq!(too_long(&line.repeat(LONGEST_FILE)), None);
        assert_eq!(too_long(&line.repeat(LONGEST_FILE + 1)), Some(LONGEST_FILE + 1));
        let tested = format!("{}#[cfg(test)]\n{}", line.repeat(10), line.repeat(1000));
        assert_eq!(too_long(&tested), None);
    }
}
