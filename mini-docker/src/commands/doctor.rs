//! `doctor`: what this machine can do for containers, and how to mend what it cannot.

use mini_engine::Home;

pub(crate) fn run(_home: &Home) -> anyhow::Result<u8> {
    super::print("")
}
