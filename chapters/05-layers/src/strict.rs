//! How names below a directory are resolved that a stranger may have chosen. openat2(2); book ch. 5.

use mini_sys::file::ResolveFlags;

// ANCHOR: strict
/// How names below the root are resolved: never out of it, never through a link.
pub(crate) const STRICT: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);
// ANCHOR_END: strict
