//! What an image is made of: content-addressed blobs, layer trees, differences, and overlay mounts.
//!
//! An image's file system is a stack of *layers*. A layer is a tar archive of what changed against the ones
//! below: files added or replaced, and *whiteouts* for files removed. It is named by its digest, so it is
//! fetched once, checked, unpacked once ([`layers`]) and shared by every image that has it. The kernel's
//! overlay file system shows a stack of trees as one directory, with one more on top that takes the writes
//! ([`overlay`]): a container starts without a file being copied, and what it changed is that top tree, of
//! which [`diff`] makes the next layer.
//!
//! Begin with [`apply`], which shows the idea; [`mod@digest`] and [`blobs`] name
//! and keep what travels. The rest is what real archives and hostile ones demand. This crate knows no registries, manifests or images: see
//! `mini-images`. OCI image-spec, layer.md; kernel documentation, filesystems/overlayfs; book ch. 5.

pub mod apply;
mod archive;
pub mod arriving;
pub mod blobs;
pub mod bounds;
pub mod changes;
mod claim;
pub mod compression;
pub mod diff;
pub mod digest;
mod directories;
mod entries;
mod fields;
mod heading;
pub mod layers;
mod look;
mod names;
pub mod overlay;
mod pax;
mod readahead;
mod sparse;
pub mod stack;
mod strict;
mod tree;

pub use archive::TarError;
pub use blobs::Blobs;
pub use bounds::Bounds;
pub use changes::{Change, ChangeKind, changes};
pub use compression::decompress;
pub use diff::{Packing, write_merged_tar, write_plain_tar, write_tar};
pub use digest::{Digest, Hashing, chain_id};
pub use layers::{Layer, Layers, Unpacked};
pub use look::Owners;
pub use names::Refusal;
pub use overlay::{Overlay, Upper};
pub use pax::PaxError;
pub use sparse::SparseError;
pub use stack::Stack;
