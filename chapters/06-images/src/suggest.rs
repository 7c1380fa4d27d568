//! "Did you mean": the name that is nearest to a mistyped one.

use crate::reference::Reference;

/// The name that takes the fewest changes of letters to become `text`, if they are few.
pub(crate) fn closest<'a>(text: &str, names: impl Iterator<Item = &'a Reference>) -> Option<String> {
    let wanted = text.split(':').next().unwrap_or(text);
    let scored =
        names.map(|name| (distance(wanted, &name.familiar_repository()), name.familiar_repository()));
    scored.min().filter(|(distance, _)| *distance <= 2 && wanted.len() > 2).map(|(_, name)| name)
}

/// Letters to insert, remove, replace or swap with their neighbour (Damerau's distance, restricted).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replace.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(table[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn two_swapped_letters_are_one_mistake() {
        assert_eq!(
            (distance("ngnix", "nginx"), distance("debian", "debain"), distance("a", "xyz")),
            (1, 1, 3)
        );
    }
}
