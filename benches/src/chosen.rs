//! Which benchmarks were asked for. Criterion leaves out what was not, but what a benchmark sets up comes before it is
//! asked: hundreds of containers, or a quarter of a gigabyte.

/// Whether the command line asks for the benchmark of this name, or for one whose name begins so.
pub fn chosen(name: &str) -> bool {
    is_chosen(name, &std::env::args().skip(1).collect::<Vec<_>>())
}

/// The filter is the first word that is neither an option nor an option's value; options of criterion's that stand
/// alone are known.
fn is_chosen(name: &str, words: &[String]) -> bool {
    const ALONE: [&str; 7] = ["--bench", "--test", "--list", "--verbose", "--quiet", "--noplot", "--exact"];
    let mut is_value = false;
    for word in words {
        if word.starts_with('-') {
            is_value = word.starts_with("--") && !word.contains('=') && !ALONE.contains(&word.as_str());
        } else if std::mem::take(&mut is_value) {
            continue;
        } else {
            return name.contains(word.as_str()) || word.starts_with(name);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_chosen;

    #[test]
    fn a_filter_chooses_what_it_names_or_leads_to() {
        let chosen = |line: &str| {
            is_chosen("ch10/fleet", &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        assert!(chosen("--bench"));
        assert!(chosen("ch10 --bench"));
        assert!(chosen("--sample-size 10 ch10/fleet --bench"));
        assert!(chosen("ch10/fleet, ps"));
        assert!(chosen("--test"));
        assert!(!chosen("ch10/create --bench"));
        assert!(!chosen("--sample-size 10 log"));
    }
}
