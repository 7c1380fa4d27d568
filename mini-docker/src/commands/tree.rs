//! `image tree`: the layers that images share, as a tree. Docker has no such command; `docker images --tree` of long ago
//! was its like.

use std::collections::HashSet;

use mini_engine::Home;
use mini_images::tree::{Forest, Leaf};
use mini_images::{Image, Reference};

use crate::cli;
use crate::commands::print;
use crate::values::human_size;

/// How the branches are drawn.
struct Strokes {
    branch: &'static str,
    last: &'static str,
    beside: &'static str,
}

const LINES: Strokes = Strokes { branch: "├─ ", last: "└─ ", beside: "│  " };
const LETTERS: Strokes = Strokes { branch: "|- ", last: "`- ", beside: "|  " };

pub(crate) fn run(home: &Home, args: &cli::Tree) -> anyhow::Result<u8> {
    let images = home.images()?;
    images.sweep();
    let chosen = match args.images.as_slice() {
        [] => images.list()?,
        names => {
            let mut seen = HashSet::new();
            let found = names.iter().map(|name| images.find(name)).collect::<Result<Vec<Image>, _>>()?;
            found.into_iter().filter(|image| seen.insert(image.id)).collect()
        }
    };
    let forest = images.forest(&chosen);
    let apart: u64 = chosen.iter().map(|image| images.size(image).unwrap_or(0)).sum();
    print(&draw(&forest, apart, if speaks_utf8() { &LINES } else { &LETTERS }))
}

/// The tree, and what sharing saves: `apart` is what the images would take without it.
fn draw(forest: &Forest, apart: u64, strokes: &Strokes) -> String {
    let mut rows = Vec::new();
    let mut rest: Vec<(String, &str, &str, usize)> =
        forest.roots.iter().rev().map(|&root| (String::new(), "", "", root)).collect();
    while let Some((before, stroke, below, at)) = rest.pop() {
        let node = &forest.nodes[at];
        let size = node.size.map_or_else(|| "damaged".to_owned(), human_size);
        let id = &node.chain_id.hex()[..12];
        rows.push((format!("{before}{stroke}{id}"), size, node.images.iter().map(name).collect::<Vec<_>>()));
        let before = before + below;
        for (index, &above) in node.above.iter().enumerate().rev() {
            let is_last = index + 1 == node.above.len();
            let (stroke, below) =
                if is_last { (strokes.last, "   ") } else { (strokes.branch, strokes.beside) };
            rest.push((before.clone(), stroke, below, above));
        }
    }
    rows.extend(forest.bare.iter().map(|leaf| ("(no layers)".to_owned(), "0B".to_owned(), vec![name(leaf)])));
    let width = |cell: fn(&(String, String, Vec<String>)) -> &String| {
        rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(|row| &row.0), width(|row| &row.1));
    let mut text = String::new();
    for (drawn, size, names) in &rows {
        let line = format!("{drawn:<first$}  {size:>second$}  {}", names.join(", "));
        text += line.trim_end();
        text += "\n";
    }
    text + &summary(forest, apart)
}

fn summary(forest: &Forest, apart: u64) -> String {
    let (count, size) = (forest.nodes.len(), forest.size());
    if count == 0 {
        return String::new();
    }
    let layers = if count == 1 { "1 layer".to_owned() } else { format!("{count} layers") };
    let saved = match apart.saturating_sub(size) {
        0 => String::new(),
        saved => format!(", {} saved by sharing", human_size(saved)),
    };
    format!("\n{layers}, {}{saved}\n", human_size(size))
}

fn name(leaf: &Leaf) -> String {
    if leaf.names.is_empty() {
        return format!("<none> ({})", &leaf.id.hex()[..12]);
    }
    leaf.names.iter().map(Reference::familiar).collect::<Vec<_>>().join(", ")
}

/// Whether lines can be drawn: what locale(7) says about letters, by the first variable that is set.
fn speaks_utf8() -> bool {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
