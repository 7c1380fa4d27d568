//! Which blocks of which pages.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use xtask::book::Page;
use xtask::transcript::{self, Block};

const PAGES: &str = "book/src";
/// What a visitor reads before the book.
const DOORS: [&str; 2] = ["CONTRIBUTING.md", "README.md"];

/// Blocks of one page.
pub(super) struct Chosen {
    pub(super) page: Page,
    pub(super) blocks: Vec<Block>,
}

/// The pages that `names` choose, and of each the blocks. A name is a page's path, its file's name, or the
/// beginning of that; `:LINE` after it chooses the block in which that line stands.
pub(super) fn choose(root: &Path, names: &[&str]) -> Result<Vec<Chosen>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root.join(PAGES))
        .with_context(|| format!("list {PAGES}"))?
        .filter_map(|entry| Some(Path::new(PAGES).join(entry.ok()?.file_name())))
        .filter(|path| path.extension() == Some(OsStr::new("md")))
        .collect();
    paths.extend(DOORS.map(PathBuf::from).into_iter().filter(|path| root.join(path).exists()));
    paths.sort();
    let mut used = vec![false; names.len()];
    let (mut chosen, mut complaints) = (Vec::new(), Vec::new());
    for path in paths {
        let mut lines = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let (page, line) =
                name.rsplit_once(':').map_or((*name, None), |(page, line)| (page, line.parse().ok()));
            if is_called(&path, page) {
                used[index] = true;
                lines.push(line);
            }
        }
        if !names.is_empty() && lines.is_empty() {
            continue;
        }
        let source =
            fs::read_to_string(root.join(&path)).with_context(|| format!("read {}", path.display()))?;
        let page = Page::parse(path.clone(), source);
        let (mut blocks, wrong) = transcript::blocks(&page);
        complaints.extend(wrong.into_iter().map(|(line, why)| format!("{}:{line}: {why}", path.display())));
        blocks.retain(|block| {
            let to = block.line + page.source[block.range.clone()].lines().count();
            lines.is_empty()
                || lines.iter().any(|line| line.is_none_or(|line| (block.line..to).contains(&line)))
        });
        chosen.push(Chosen { page, blocks });
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    if let Some(index) = used.iter().position(|used| !used) {
        bail!("no page `{}` in {PAGES}, and it is none of {}", names[index], DOORS.join(", "));
    }
    Ok(chosen)
}

fn is_called(path: &Path, name: &str) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path == Path::new(name)
        || path.file_name() == Some(OsStr::new(name))
        || (!name.is_empty() && stem.starts_with(name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::choose;

    #[test]
    fn pages_are_chosen_by_name_and_blocks_by_line() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("book/src");
        fs::create_dir_all(&folder).unwrap();
        let block = "```console\n$ true\n```\n\n";
        fs::write(folder.join("01-a.md"), block.repeat(2)).unwrap();
        fs::write(folder.join("02-b.md"), block).unwrap();
        let lines = |names: &[&str]| {
            let chosen = choose(root.path(), names).unwrap();
            chosen.iter().flat_map(|chosen| &chosen.blocks).map(|block| block.line).collect::<Vec<_>>()
        };
        assert_eq!(lines(&[]), [1, 5, 1]);
        assert_eq!(lines(&["01"]), [1, 5]);
        assert_eq!(lines(&["01-a.md:6"]), [5]);
        assert_eq!(lines(&["book/src/02-b.md", "01:1"]), [1, 1]);
        assert!(choose(root.path(), &["03"]).is_err());
    }
}
