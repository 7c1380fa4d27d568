//! Images: their names, what they say about themselves, and where they are kept.
//!
//! Start with [`store`]: an image is a manifest that names a configuration and layers, each by its digest.
//! [`mod@reference`] reads the names that people type, [`import`] and [`archive`] take images in, [`save`]
//! writes them out, and [`host`] makes the one that needs no network. Book ch. 6.

pub mod archive;
pub mod change;
mod choice;
pub mod commit;
pub mod config;
pub mod filter;
pub mod hello;
pub mod history;
pub mod host;
pub mod import;
pub mod index;
pub mod inspect;
mod intake;
pub mod lookup;
mod manifest;
pub mod moment;
pub mod platform;
pub mod prepare;
pub mod pull;
pub mod push;
pub mod reference;
pub mod registry;
pub mod remove;
pub mod reserved;
pub mod room;
pub mod save;
pub mod store;
mod suggest;
pub mod tag;
pub mod tree;
pub mod unpack;

pub use config::{ImageConfig, RunConfig};
pub use reference::Reference;
pub use remove::Removed;
pub use store::{Image, Images, StoreError};
