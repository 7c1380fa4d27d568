//! A page with other outputs.

use super::block::Block;

/// `source` with the outputs of `blocks` replaced, each by the one at its command's place.
pub fn blessed(source: &str, blocks: &[(&Block, Vec<String>)]) -> String {
    let mut blessed = String::with_capacity(source.len());
    let mut at = 0;
    for (block, outputs) in blocks {
        let old = &source[block.range.clone()];
        blessed.push_str(&source[at..block.range.start]);
        at = block.range.end;
        let mut fences = old.lines().filter(|line| !line.trim().is_empty());
        let (opening, closing) = (fences.next().unwrap_or_default(), fences.next_back().unwrap_or_default());
        blessed.push_str(opening);
        for (command, output) in block.commands.iter().zip(outputs) {
            let text = format!("{} {}\n{output}", command.prompt, command.text);
            for line in text.lines() {
                blessed.push('\n');
                blessed.push_str(format!("{}{line}", block.prefix).trim_end());
            }
        }
        blessed.push('\n');
        blessed.push_str(closing);
        blessed.push_str(&old[old.trim_end_matches('\n').len()..]);
    }
    blessed.push_str(&source[at..]);
    blessed
}

#[cfg(test)]
mod tests {
    use super::blessed;
    use crate::book::Page;
    use crate::transcript::blocks;

    const PAGE: &str = "before\n\n- item\n\n  ```console\n  $ a \\\n    -x\n  old\n\n  $ b\n  ```\n\nafter\n";

    fn with(outputs: [&str; 2]) -> String {
        let (blocks, _) = blocks(&Page::parse("p.md", PAGE));
        blessed(PAGE, &[(&blocks[0], outputs.map(str::to_owned).to_vec())])
    }

    #[test]
    fn the_same_outputs_give_the_same_page() {
        assert_eq!(with(["old\n\n", ""]), PAGE);
    }

    #[test]
    fn other_outputs_take_the_places_of_the_old_ones() {
        let expected = "before\n\n- item\n\n  ```console\n  $ a \\\n    -x\n  $ b\n  new\n  ```\n\nafter\n";
        assert_eq!(with(["", "new\n"]), expected);
    }
}
