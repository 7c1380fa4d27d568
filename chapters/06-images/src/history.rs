//! `history`: how an image came to be, a line an instruction, each with what its layer holds.
//!
//! The configuration tells the instructions and says of each whether it made a layer; the layers are its own list, so
//! the two are read side by side. Both are somebody's words: a history may say too little or too much.
//! docker-history(1); OCI image spec, "history"; book ch. 6.

use crate::store::{Image, Images};

/// One line of an image's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, RFC 3339; none if the image does not say.
    pub created: Option<String>,
    /// The instruction.
    pub created_by: String,
    /// What someone said about it.
    pub comment: String,
    /// The size of its layer's files in bytes; 0 without a layer, none for a layer that is damaged.
    pub size: Option<u64>,
}

impl Images {
    /// The history of an image, the last line first. Layers of which it says nothing have lines of their own.
    pub fn history(&self, image: &Image) -> Vec<Line> {
        let sizes = image.chain_ids();
        let mut sizes = sizes.iter().map(|chain| self.layers.get(chain).ok().map(|layer| layer.size));
        let mut lines: Vec<Line> = Vec::new();
        for told in &image.config.history {
            let empty = told.empty_layer.unwrap_or_default();
            lines.push(Line {
                created: told.created.clone(),
                created_by: told.created_by.clone().unwrap_or_default(),
                comment: told.comment.clone().unwrap_or_default(),
                size: if empty { Some(0) } else { sizes.next().unwrap_or(Some(0)) },
            });
        }
        lines.extend(sizes.map(|size| Line {
            created: None,
            created_by: String::new(),
            comment: String::new(),
            size,
        }));
        lines.reverse();
        lines
    }
}
