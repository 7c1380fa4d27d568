//! Which images a `--filter` lets through. docker-images(1), docker-image-prune(1); book ch. 6.

use jiff::Timestamp;

use crate::moment;
use crate::reference::Reference;
use crate::store::{Image, Images, StoreError};

/// A condition of `--filter`.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// It has no tag, or has one.
    Dangling(bool),
    /// One of its names is like this pattern.
    Reference(String),
    /// It has this label, with this value if one is given.
    Label(String, Option<String>),
    /// It does not.
    NotLabel(String, Option<String>),
    /// It was made before this image.
    Before(String),
    /// It was made after this image.
    Since(String),
    /// It was made before this moment.
    Until(Timestamp),
}

/// The filters of `images`.
pub const LIST: [&str; 6] = ["dangling", "reference", "label", "before", "since", "until"];

/// The filters of `image prune`.
pub const PRUNE: [&str; 4] = ["dangling", "label", "label!", "until"];

/// A filter that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Docker's words for a text without `=`.
    #[error("bad format of filter (expected name=value): `{0}`")]
    Format(String),
    /// Docker's words for a name that is no filter.
    #[error("invalid filter '{0}'")]
    Unknown(String),
    /// Docker's words for a value that the filter cannot have.
    #[error("invalid filter '{0}=[{1}]'")]
    Value(String, String),
    /// A moment that is none.
    #[error(
        "invalid filter 'until={0}': use how long ago (`24h`), a date (`2026-01-31`) or seconds since 1970"
    )]
    Until(String),
}

impl Filter {
    /// Reads `name=value`, where the name is one of `known`.
    ///
    /// # Errors
    /// What [`FilterError`] lists.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, FilterError> {
        let (name, value) = text.split_once('=').ok_or_else(|| FilterError::Format(text.to_owned()))?;
        if !known.contains(&name) {
            return Err(FilterError::Unknown(name.to_owned()));
        }
        let wrong = || FilterError::Value(name.to_owned(), value.to_owned());
        let label = || match value.split_once('=') {
            Some((label, wanted)) => (label.to_owned(), Some(wanted.to_owned())),
            None => (value.to_owned(), None),
        };
        Ok(match name {
            "dangling" => match value {
                "true" | "1" => Self::Dangling(true),
                "false" | "0" => Self::Dangling(false),
                _ => return Err(wrong()),
            },
            "reference" => Self::Reference(value.to_owned()),
            "label" => Self::Label(label().0, label().1),
            "label!" => Self::NotLabel(label().0, label().1),
            "before" => Self::Before(value.to_owned()),
            "since" => Self::Since(value.to_owned()),
            _ => {
                let moment = moment::parse(value, Timestamp::now());
                Self::Until(moment.ok_or_else(|| FilterError::Until(value.to_owned()))?)
            }
        })
    }
}

impl Images {
    /// The images that pass all filters, the last made first, each with those of its names that pass. Of several
    /// patterns one is enough.
    ///
    /// # Errors
    /// As [`Images::list`], and a filter that names an image that is not here.
    pub fn select(&self, filters: &[Filter]) -> Result<Vec<Image>, StoreError> {
        let mut moments = Vec::new();
        for filter in filters {
            moments.push(match filter {
                Filter::Before(name) | Filter::Since(name) => created(&self.find(name)?),
                Filter::Until(moment) => Some(*moment),
                _ => None,
            });
        }
        let patterns: Vec<&str> = filters
            .iter()
            .filter_map(|filter| match filter {
                Filter::Reference(pattern) => Some(pattern.as_str()),
                _ => None,
            })
            .collect();
        let mut images = self.list()?;
        images.retain_mut(|image| {
            let passes = filters.iter().zip(&moments).all(|(filter, moment)| passes(image, filter, *moment));
            if !patterns.is_empty() {
                image.names.retain(|name| patterns.iter().any(|pattern| is_like(name, pattern)));
            }
            passes && (patterns.is_empty() || !image.names.is_empty())
        });
        Ok(images)
    }
}

/// Whether it has no tag: its names, if any, are digests.
pub fn is_dangling(image: &Image) -> bool {
    image.names.iter().all(|name| name.digest().is_some())
}

fn created(image: &Image) -> Option<Timestamp> {
    image.config.created.as_ref().and_then(|created| created.parse().ok())
}

fn passes(image: &Image, filter: &Filter, moment: Option<Timestamp>) -> bool {
    let has = |label: &String, wanted: &Option<String>| {
        let value = image.config.config.labels.as_ref().and_then(|labels| labels.get(label));
        value.is_some_and(|value| wanted.as_ref().is_none_or(|wanted| wanted == value))
    };
    match filter {
        Filter::Dangling(true) => is_dangling(image),
        Filter::Dangling(false) => !image.names.is_empty(),
        Filter::Reference(_) => true,
        Filter::Label(label, value) => has(label, value),
        Filter::NotLabel(label, value) => !has(label, value),
        // One that does not say when it was made is older than all others, as in Docker.
        Filter::Before(_) | Filter::Until(_) => {
            moment.is_some_and(|moment| created(image).is_none_or(|own| own < moment))
        }
        Filter::Since(_) => created(image).is_some_and(|own| moment.is_none_or(|moment| own > moment)),
    }
}

/// Whether the pattern fits the name, with or without its tag, short or in full.
fn is_like(name: &Reference, pattern: &str) -> bool {
    [name.familiar(), name.familiar_repository(), name.to_string()].iter().any(|name| fits(pattern, name))
}

/// Go's `path.Match`: `*` and `?` are anything but a slash, `[a-z]` a set of letters, `\` takes the next as it is.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Where to go on when the last star has to take one letter more.
    let (mut at, mut read, mut retry) = (0, 0, None);
    loop {
        let next = match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, read));
                at += 1;
                continue;
            }
            None if read == text.len() => return true,
            None => None,
            Some(_) => text.get(read).and_then(|letter| one(&pattern[at..], *letter)),
        };
        match (next, retry) {
            (Some(length), _) => (at, read) = (at + length, read + 1),
            (None, Some((after, from))) if text.get(from).is_some_and(|letter| *letter != '/') => {
                (at, read, retry) = (after, from + 1, Some((after, from + 1)));
            }
            _ => return false,
        }
    }
}

/// How much of the pattern stands for this letter; none if its start does not fit, or is no pattern.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (letter != '/').then_some(1),
        ['\\', exact, ..] => (*exact == letter).then_some(2),
        ['[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|c| *c == ']')? + 1;
            let (negated, set) = match &rest[..end] {
                ['^', set @ ..] => (true, set),
                set => (false, set),
            };
            let ranges = set.iter().enumerate().any(|(index, c)| match set.get(index + 1..index + 3) {
                Some(['-', last]) => (*c..=*last).contains(&letter),
                _ => *c == letter,
            });
            (ranges != negated && letter != '/').then_some(end + 2)
        }
        [exact, ..] => (*exact == letter).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_are_gos() {
        for (pattern, text) in [
            ("*", "debian"),
            ("deb*", "debian"),
            ("*:1.*", "busybox:1.36"),
            ("a/*/c", "a/b/c"),
            ("b?g", "big"),
            ("b[h-j]g", "big"),
            ("b[^a]g", "big"),
            ("\\*", "*"),
            ("*a*b*", "xaxxbx"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("*", "a/b"), ("deb", "debian"), ("b[a-c]g", "big"), ("b[", "b["), ("a/*", "a/b/c"), ("", "a")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_dockers_words() {
        let refused = |text: &str| Filter::parse(text, &LIST).unwrap_err().to_string();
        insta::assert_snapshot!(
            ["x", "colour=red", "dangling=maybe", "label!=x", "until=yesterday"].map(refused).join("\n")
        );
    }

    proptest! {
        #[test]
        fn any_pattern_fits_or_does_not(pattern in "[]ab*?^\\\\\\[/-]{0,12}", text in "[ab/]{0,12}") {
            let _ = fits(&pattern, &text);
        }
    }
}
