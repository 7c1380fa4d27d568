//! The book: its pages as text, and what must be true of them before a browser sees them.
//!
//! mdbook turns `book/src` into `target/book` and is lenient on the way: an include whose anchor is gone shows
//! nothing, and a link to a heading that was renamed leads to the page's top. What it lets pass is found here.
//! mdBook's guide, "mdBook-specific features".

mod page;

pub use page::{Code, Heading, Link, Page, Prose};
