//! A comparison of 64 bits, made of comparisons of 32: more the accumulator does not hold.

use super::assembler::{Assembler, Compare, Place};
use super::profile::{Condition, Test};

/// Where the arguments begin in `struct seccomp_data`. The lower half of each comes first: all our machines are
/// little-endian.
const ARGUMENTS: u32 = 16;

/// Goes on at `yes` when `condition` holds, else at `no`. Only the lower half counts where arguments are not `wide`.
pub(super) fn assemble(to: &mut Assembler, condition: Condition, wide: bool, yes: Place, no: Place) -> Place {
    let low = ARGUMENTS + 8 * u32::from(condition.argument);
    let high = wide.then_some(low + 4);
    let halves = Halves { high, low };
    // What is not more is less or the same: three comparisons are the opposites of the other three.
    match condition.test {
        Test::Equal(value) => halves.same(to, u64::MAX, value, yes, no),
        Test::NotEqual(value) => halves.same(to, u64::MAX, value, no, yes),
        Test::Masked { mask, value } => halves.same(to, mask, value, yes, no),
        Test::Greater(value) => halves.more(to, Compare::Greater, value, yes, no),
        Test::LessOrEqual(value) => halves.more(to, Compare::Greater, value, no, yes),
        Test::GreaterOrEqual(value) => halves.more(to, Compare::GreaterOrEqual, value, yes, no),
        Test::Less(value) => halves.more(to, Compare::GreaterOrEqual, value, no, yes),
    }
}

/// Where the two halves of an argument are.
struct Halves {
    high: Option<u32>,
    low: u32,
}

impl Halves {
    /// Whether the bits of `mask` are those of `value`.
    fn same(&self, to: &mut Assembler, mask: u64, value: u64, yes: Place, no: Place) -> Place {
        let low = half_same(to, self.low, mask as u32, value as u32, yes, no);
        match self.high {
            Some(high) => half_same(to, high, (mask >> 32) as u32, (value >> 32) as u32, low, no),
            None => low,
        }
    }

    /// Whether the argument is more than `value`, or the same where that counts too: the higher half decides, unless it
    /// is the same.
    fn more(&self, to: &mut Assembler, compare: Compare, value: u64, yes: Place, no: Place) -> Place {
        let (upper, lower) = ((value >> 32) as u32, value as u32);
        let decided = to.branch(compare, lower, yes, no);
        let decided = to.load(self.low, decided);
        let Some(high) = self.high else { return decided };
        let undecided = to.branch(Compare::Equal, upper, decided, no);
        let more = to.branch(Compare::Greater, upper, yes, undecided);
        to.load(high, more)
    }
}

fn half_same(to: &mut Assembler, offset: u32, mask: u32, value: u32, yes: Place, no: Place) -> Place {
    if mask == 0 && value == 0 {
        return yes;
    }
    let mut next = to.branch(Compare::Equal, value, yes, no);
    if mask != u32::MAX {
        next = to.mask(mask, next);
    }
    to.load(offset, next)
}
