//! `image tree`: which layers images share.
//!
//! A layer's chain id names the whole stack below it, so two images have a layer in common exactly where their chains
//! of ids run together: drawn from the lowest layer up, images are a forest. Book ch. 5, 6.

use std::collections::HashMap;

use mini_layers::Digest;

use crate::reference::Reference;
use crate::store::{Image, Images};

/// A layer, and what stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The stack that this layer is the top of.
    pub chain_id: Digest,
    /// The size of its files in bytes; none for a layer that is damaged.
    pub size: Option<u64>,
    /// The images whose topmost layer it is.
    pub images: Vec<Leaf>,
    /// The layers on it, as places in [`Forest::nodes`].
    pub above: Vec<usize>,
}

/// An image where its layers end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its id.
    pub id: Digest,
    /// Its names.
    pub names: Vec<Reference>,
}

/// Images as a forest. It is a list whose entries name each other, because how many layers an image has is somebody
/// else's choice, and a call within a call for each would be too many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forest {
    /// All layers, each once and after the one below it.
    pub nodes: Vec<Node>,
    /// The lowest layers, as places in `nodes`.
    pub roots: Vec<usize>,
    /// The images without any layer.
    pub bare: Vec<Leaf>,
}

impl Images {
    /// The layers of these images.
    pub fn forest(&self, images: &[Image]) -> Forest {
        let mut forest = Forest::default();
        let mut known: HashMap<Digest, usize> = HashMap::new();
        for image in images {
            let mut below = None;
            for chain_id in image.chain_ids() {
                let at = *known.entry(chain_id).or_insert_with(|| {
                    let size = self.layers.get(&chain_id).ok().map(|layer| layer.size);
                    forest.add(below, Node { chain_id, size, images: Vec::new(), above: Vec::new() })
                });
                below = Some(at);
            }
            let leaf = Leaf { id: image.id, names: image.names.clone() };
            match below {
                Some(top) => forest.nodes[top].images.push(leaf),
                None => forest.bare.push(leaf),
            }
        }
        forest
    }
}

impl Forest {
    fn add(&mut self, below: Option<usize>, node: Node) -> usize {
        let at = self.nodes.len();
        match below {
            Some(below) => self.nodes[below].above.push(at),
            None => self.roots.push(at),
        }
        self.nodes.push(node);
        at
    }

    /// The bytes of all files, each layer counted once.
    pub fn size(&self) -> u64 {
        self.nodes.iter().filter_map(|node| node.size).sum()
    }
}
