//! The tags of a repository, page by page. OCI distribution spec, "Content Discovery".

use serde::Deserialize;

use crate::registry::address::next_page;
use crate::registry::{RegistryError, Repository};

/// No page is longer, in bytes, and nobody has more pages.
const LONGEST_PAGE: u64 = 4 << 20;
const PAGES: usize = 1000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Repository {
    /// All tags, in the registry's order.
    ///
    /// # Errors
    /// What [`RegistryError`] lists.
    pub fn tags(&mut self) -> Result<Vec<String>, RegistryError> {
        let mut url = format!("{}/v2/{}/tags/list", self.endpoint.base(), self.reference.repository());
        let mut tags = Vec::new();
        for _ in 0..PAGES {
            let mut answer = self.get(&url, &[])?;
            let body = answer.read(LONGEST_PAGE)?;
            let page: Page = serde_json::from_slice(&body)
                .map_err(|error| RegistryError::NoRegistry { url: url.clone(), what: error.to_string() })?;
            tags.extend(page.tags.unwrap_or_default());
            match answer.header("link").and_then(|link| next_page(&url, &link)) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(tags)
    }
}
