//! The book: its pages as text, and what must be true of them before a browser sees them.
//!
//! mdbook turns `book/src` into `target/book` and is lenient on the way: an include whose anchor is gone shows
//! nothing, and a link to a heading that was renamed leads to the page's top. What it lets pass is found here.
//! Each check takes values and returns complaints, so that each can be seen to fail on a small page.
//! mdBook's guide, "mdBook-specific features".

mod anchor;
mod checks;
mod page;
mod source;

pub use anchor::{anchored, exists};
pub use checks::{Complaint, SECTIONS, check};
pub use page::{Code, Heading, Link, Page, Prose};
pub use source::{Book, Exercise};
