//! The ladder as a table of text.

use std::fmt::Write as _;

use super::Ladder;

/// A line for each rung: what it adds, its median, its minimum and the difference to the rung below, in
/// microseconds; and where and when it was measured.
pub fn table(ladder: &Ladder) -> String {
    let widest = ladder.rungs.iter().map(|rung| rung.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{:<widest$}  {:>9}  {:>9}  {:>9}", "step", "median µs", "min µs", "added µs");
    for (rung, added) in ladder.added() {
        let (name, median, min) = (&rung.name, rung.median_us, rung.min_us);
        let _ = writeln!(text, "{name:<widest$}  {median:>9.0}  {min:>9.0}  {added:>+9.0}");
    }
    let _ =
        writeln!(text, "{}; {}; {}; {} rounds", ladder.machine, ladder.kernel, ladder.date, ladder.rounds);
    text
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::ladder::example;

    #[test]
    fn the_table_has_a_line_for_each_rung() {
        let expected = "\
step            median µs     min µs   added µs
fork and exec         500        450       +500
chroot                520        460        +20
six namespaces       1520       1400      +1000
A <fast> processor, 2 CPUs; Linux 6.12.0; 2026-11-23; 50 rounds
";
        assert_eq!(table(&example()), expected);
    }
}
