//! The exercises of the course, and what can be done with them.
//!
//! An [`Exercise`] is a file of a chapter with one region missing, and a check that looks at the kernel. The
//! modules here stand in this order: [`exercise`] and [`catalog`] read what there is; [`regions`], [`starter`] and
//! [`package`] make texts from texts; [`generate`] puts them on disk; [`compile`] and [`trial`] build an
//! exercise and run its check in the outer box; [`proof`] shows that a check can tell right from wrong. A student
//! works in a [`copy`], which keeps [`progress`]; [`result`] is one check there, and [`render`] what it looks like.
//! The program `course` gives all this a command line.

pub mod ability;
pub mod catalog;
pub mod compile;
pub mod copy;
pub mod exercise;
pub mod generate;
pub mod hints;
pub mod lint;
pub mod mirror;
pub mod package;
pub mod progress;
pub mod proof;
pub mod regions;
pub mod render;
pub mod result;
pub mod starter;
pub mod suggest;
pub mod trial;
pub mod watch;

pub use ability::Ability;
pub use catalog::Catalog;
pub use exercise::Exercise;
pub use trial::Trial;
