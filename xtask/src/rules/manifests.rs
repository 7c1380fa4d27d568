//! What the manifests must say: the same lints everywhere, and a reason for every dependency.

use crate::manifest::table;

/// A manifest that does not take the workspace's lints over.
pub fn lints_not_inherited(manifest: &str) -> Option<String> {
    let inherits = table(manifest, "lints").is_some_and(|lints| lints.contains(&("workspace", "true")));
    (!inherits).then(|| "has no `[lints] workspace = true`".to_owned())
}

/// The lints of `workspace` that `manifest` lacks or sets otherwise, apart from those in `except`. Cargo has no
/// way to take all lints over but one, so the one crate that needs another setting repeats the list.
pub fn lints_weakened(manifest: &str, workspace: &str, except: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for family in ["rust", "clippy"] {
        let own = table(manifest, &format!("lints.{family}")).unwrap_or_default();
        for (lint, level) in table(workspace, &format!("workspace.lints.{family}")).unwrap_or_default() {
            if !except.contains(&lint) && !own.contains(&(lint, level)) {
                complaints.push(format!("`[lints.{family}]` lacks `{lint} = {level}`"));
            }
        }
    }
    complaints
}

/// The dependencies of the workspace that no row of a table in `architecture` names in backticks: a library
/// that nobody can give a reason for should not be here. Our own crates need none.
pub fn dependencies_without_reason(workspace: &str, architecture: &str) -> Vec<String> {
    let rows: Vec<&str> = architecture.lines().map(str::trim).filter(|line| line.starts_with('|')).collect();
    let dependencies = table(workspace, "workspace.dependencies").unwrap_or_default();
    let foreign = dependencies.into_iter().filter(|(_, value)| !value.contains("path ="));
    let unexplained = foreign.filter(|(name, _)| {
        let quoted = format!("`{name}`");
        let reasoned = |row: &&str| row.contains(&quoted) && row.matches('|').count() > 2;
        !rows.iter().any(reasoned)
    });
    unexplained
        .map(|(name, _)| {
            format!(
                "no table row in ARCHITECTURE.md gives the reason for `{name}`; add one: | `{name}` | why |"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{dependencies_without_reason, lints_not_inherited, lints_weakened};

    const WORKSPACE: &str = "\
        [workspace.dependencies]\n\
        mini-sys = { path = \"chapters/00-sys\" }\n\
        # A comment.\n\
        anyhow = \"1\"\n\
        nix = { version = \"0.31\" }\n\
        [workspace.lints.rust]\n\
        unsafe_code = \"deny\"\n\
        missing_docs = \"warn\"\n\
        [workspace.lints.clippy]\n\
        exit = \"warn\"\n";

    #[test]
    fn a_manifest_without_the_lints_is_found() {
        assert_eq!(lints_not_inherited("[lints]\nworkspace = true\n"), None);
        assert!(lints_not_inherited("[package]\nname = \"x\"\n").is_some());
        assert!(lints_not_inherited("[lints]\nworkspace = false\n").is_some());
    }

    #[test]
    fn a_lint_that_was_dropped_or_changed_on_the_way_is_found() {
        let good = "[lints.rust]\nunsafe_code = \"allow\"\nmissing_docs = \"warn\"\n[lints.clippy]\nexit = \"warn\"\n";
        assert_eq!(lints_weakened(good, WORKSPACE, &["unsafe_code"]), [""; 0]);
        assert_eq!(lints_weakened(good, WORKSPACE, &[]), ["`[lints.rust]` lacks `unsafe_code = \"deny\"`"]);
        let bad = "[lints.rust]\nmissing_docs = \"allow\"\n";
        assert_eq!(lints_weakened(bad, WORKSPACE, &["unsafe_code"]).len(), 2);
    }

    #[test]
    fn a_dependency_without_a_row_is_found_and_prose_does_not_count() {
        let architecture =
            "We use `anyhow`.\n\n| crate | reason |\n| --- | --- |\n| `nix` | system calls |\n";
        let complaints = dependencies_without_reason(WORKSPACE, architecture);
        assert_eq!(
            complaints,
            ["no table row in ARCHITECTURE.md gives the reason for `anyhow`; add one: | `anyhow` | why |"]
        );
        let both = format!("{architecture}| `anyhow` | errors of binaries |\n");
        assert_eq!(dependencies_without_reason(WORKSPACE, &both), [""; 0]);
    }
}
