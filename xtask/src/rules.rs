//! The laws of this workspace that no compiler knows.
//!
//! Each is a function that takes what it judges as values and returns one complaint for each breach, so that
//! every law can be seen to fail on a small input. Which files they apply to stands in `tests/layering.rs`.

mod arrows;
mod manifests;
mod modules;
mod sources;

pub use arrows::{arrows_to_higher_numbers, misnamed};
pub use manifests::{dependencies_without_reason, lints_not_inherited, lints_weakened};
pub use modules::{Module, circles};
pub use sources::{
    BANNED_MODULES, LONGEST_FILE, banned_modules, lib_does_more_than_list, lines_with_unsafe, too_long,
};
