//! "Did you mean": the name that is nearest to a mistyped one.

/// The name that takes the fewest changes of letters to become `text`, if they are few.
pub fn closest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.map(|name| (distance(text, name), name)).min()?;
    (near.0 <= 2.max(text.chars().count() / 3)).then_some(near.1)
}

/// Letters to insert, remove or replace (Levenshtein), a swap of neighbours counting two.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let names = ["pivot", "chroot-jail", "memory-limit"];
        assert_eq!(closest("pviot", names.into_iter()), Some("pivot"));
        assert_eq!(closest("memory-limits", names.into_iter()), Some("memory-limit"));
        assert_eq!(closest("network", names.into_iter()), None);
        assert_eq!(closest("x", [].into_iter()), None);
    }
}
