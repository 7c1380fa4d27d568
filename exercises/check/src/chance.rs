//! Values that differ from run to run and are the same again for the same seed.
//!
//! splitmix64: a counter that is stirred. It has to look different, not to be unpredictable.

use std::ops::RangeInclusive;

/// Words that a person can read out loud, and that no Linux system has as a file's name.
const WORDS: [&str; 16] = [
    "amber", "birch", "cobalt", "dune", "ember", "fjord", "granite", "heron", "indigo", "juniper", "lagoon",
    "maple", "nectar", "otter", "quartz", "willow",
];

/// A source of values.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number of the range. The tiny preference for small numbers does not matter here.
    pub(crate) fn number(&mut self, range: &RangeInclusive<u64>) -> u64 {
        let count = range.end().saturating_sub(*range.start()).saturating_add(1);
        range.start() + self.next() % count
    }

    /// Such as `otter-417`.
    pub(crate) fn word(&mut self) -> String {
        let word = WORDS[self.next() as usize % WORDS.len()];
        format!("{word}-{}", self.number(&(100..=999)))
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_gives_the_same_values_again_and_another_seed_others() {
        let values = |seed| {
            let mut chance = Chance::new(seed);
            (chance.word(), chance.word(), chance.number(&(0..=1_000_000)))
        };
        assert_eq!(values(7), values(7));
        assert_ne!(values(7), values(8));
        assert_ne!(values(7).0, values(7).1);
    }

    #[test]
    fn a_number_is_in_its_range() {
        let mut chance = Chance::new(1);
        assert!((0..100).all(|_| (3..=5).contains(&chance.number(&(3..=5)))));
        assert_eq!(chance.number(&(9..=9)), 9);
    }
}
