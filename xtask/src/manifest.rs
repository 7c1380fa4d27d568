//! Reads tables of a `Cargo.toml`, as far as this workspace writes them.
//!
//! It understands one `key = value` a line under a `[table]` line, which is how our manifests look, and
//! refuses to understand more: a library for all of TOML would be one more thing to keep up to date, for
//! three questions. Values are returned as they stand, quotes included.

/// The lines of the table `name`, as pairs of key and value; none when there is no such table.
pub fn table<'m>(manifest: &'m str, name: &str) -> Option<Vec<(&'m str, &'m str)>> {
    let header = format!("[{name}]");
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != header);
    lines.next()?;
    let inside = lines.take_while(|line| !line.starts_with('['));
    let pair = |line: &'m str| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim(), value.trim()))
    };
    Some(inside.filter(|line| !line.starts_with('#')).filter_map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::table;

    const MANIFEST: &str =
        "[package]\nname = \"mini-x\"\n\n[lints]\n# Why.\nworkspace = true\n[dependencies]\n";

    #[test]
    fn a_table_ends_where_the_next_one_begins() {
        assert_eq!(table(MANIFEST, "lints"), Some(vec![("workspace", "true")]));
        assert_eq!(table(MANIFEST, "package"), Some(vec![("name", "\"mini-x\"")]));
    }

    #[test]
    fn an_empty_table_and_a_missing_one_are_told_apart() {
        assert_eq!(table(MANIFEST, "dependencies"), Some(vec![]));
        assert_eq!(table(MANIFEST, "lints.rust"), None);
    }
}
