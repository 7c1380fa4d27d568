//! A page as the checks see it: its headings, code, links and prose, each with the line it stands on.
//!
//! The parser is the one that mdbook uses, with the extensions that mdbook turns on, so what is a link here is
//! a link in the built book. Nothing is judged here.

use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

/// A page of the book, or another text that is written in the same way.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path, relative to the project's root.
    pub path: PathBuf,
    /// The whole of its source.
    pub source: String,
    /// In the order of the page.
    pub headings: Vec<Heading>,
    /// Its code blocks, in the order of the page.
    pub code: Vec<Code>,
    /// Links and images, in the order of the page.
    pub links: Vec<Link>,
    /// The text outside of code, in pieces.
    pub prose: Vec<Prose>,
    /// Words in bold type, and so the terms that are defined here.
    pub bold: Vec<String>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 is the page's title.
    pub level: usize,
    /// What it says, without marks.
    pub text: String,
    /// The name that it was given with `{#name}`.
    pub name: Option<String>,
    /// The line, counted from 1.
    pub line: usize,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The words after the fence: `rust,ignore`.
    pub info: String,
    /// What is between the fences.
    pub text: String,
    /// The line of the opening fence, counted from 1.
    pub line: usize,
    /// Where it stands in the source, fences included.
    pub range: Range<usize>,
    /// What stands before it on each of its lines: the indentation of a list.
    pub prefix: String,
    /// The last line before it that is not empty.
    pub before: String,
}

impl Code {
    /// The language: the first word after the fence.
    pub fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }

    /// The path and the rest (`name` of an anchor, or lines) of the include that is all this block holds.
    pub fn include(&self) -> Option<(&str, &str)> {
        let inside = self.text.trim().strip_prefix("{{#include ")?.strip_suffix("}}")?.trim();
        (!inside.contains(['{', '\n'])).then(|| inside.split_once(':').unwrap_or((inside, "")))
    }
}

/// A link, or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as it is written.
    pub target: String,
    /// Whether it is an image, whose `text` is what is told to whoever does not see it.
    pub image: bool,
    /// What it says.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// A piece of text that is neither code nor HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose {
    /// What it says.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Page {
    /// Reads the page at `path`, which says `source`.
    pub fn parse(path: impl Into<PathBuf>, source: impl Into<String>) -> Self {
        let source = source.into();
        let mut reader = Reader {
            source: &source,
            found: Found::default(),
            heading: None,
            code: None,
            links: Vec::new(),
            bold: None,
        };
        for (event, range) in Parser::new_ext(&source, extensions()).into_offset_iter() {
            reader.take(event, range);
        }
        let Found { headings, code, links, prose, bold } = reader.found;
        Self { path: path.into(), source, headings, code, links, prose, bold }
    }

    /// The number and name of a chapter, `01` and `chroot` for `01-chroot.md`; none for what is no chapter.
    pub fn chapter(&self) -> Option<(&str, &str)> {
        chapter_of(&self.path)
    }
}

/// See [`Page::chapter`].
fn chapter_of(path: &Path) -> Option<(&str, &str)> {
    let (number, name) = path.file_stem()?.to_str()?.split_once('-')?;
    (number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((number, name))
}

/// What mdbook understands beyond CommonMark.
fn extensions() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM
}

#[derive(Default)]
struct Found {
    headings: Vec<Heading>,
    code: Vec<Code>,
    links: Vec<Link>,
    prose: Vec<Prose>,
    bold: Vec<String>,
}

/// Collects what the parser says; `heading`, `code`, `links` and `bold` are what is open.
struct Reader<'s> {
    source: &'s str,
    found: Found,
    heading: Option<Heading>,
    code: Option<Code>,
    links: Vec<Link>,
    bold: Option<String>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { level, id, .. }) => {
                let line = self.line(range.start);
                self.heading = Some(Heading {
                    level: level as usize,
                    text: String::new(),
                    name: id.map(|id| id.to_string()),
                    line,
                });
            }
            Event::End(TagEnd::Heading(_)) => self.found.headings.extend(self.heading.take()),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                self.code = Some(self.fence(&info, range));
            }
            Event::End(TagEnd::CodeBlock) => self.found.code.extend(self.code.take()),
            Event::Start(Tag::Link { link_type, dest_url, .. }) if link_type != LinkType::Email => {
                self.open(&dest_url, false, range.start);
            }
            Event::Start(Tag::Image { dest_url, .. }) => self.open(&dest_url, true, range.start),
            Event::End(TagEnd::Link | TagEnd::Image) => self.found.links.extend(self.links.pop()),
            Event::Start(Tag::Strong) => self.bold = Some(String::new()),
            Event::End(TagEnd::Strong) => self.found.bold.extend(self.bold.take()),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.text.push_str(&text),
                None => self.say(&text, range.start, true),
            },
            Event::Code(text) => self.say(&text, range.start, false),
            _ => {}
        }
    }

    fn open(&mut self, target: &str, image: bool, at: usize) {
        let line = self.line(at);
        self.links.push(Link { target: target.to_owned(), image, text: String::new(), line });
    }

    /// Text belongs to what is open around it, and to the prose unless it is code.
    fn say(&mut self, text: &str, at: usize, is_prose: bool) {
        self.heading.iter_mut().for_each(|heading| heading.text.push_str(text));
        self.links.iter_mut().for_each(|link| link.text.push_str(text));
        self.bold.iter_mut().for_each(|bold| bold.push_str(text));
        if is_prose {
            self.found.prose.push(Prose { text: text.to_owned(), line: self.line(at) });
        }
    }

    fn fence(&self, info: &str, range: Range<usize>) -> Code {
        let begin = self.source[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let opening = &self.source[begin..];
        let prefix = &opening[..opening.find(['`', '~']).unwrap_or(0)];
        let before = self.source[..begin].lines().rev().map(str::trim).find(|line| !line.is_empty());
        Code {
            info: info.to_owned(),
            text: String::new(),
            line: self.line(range.start),
            prefix: prefix.to_owned(),
            before: before.unwrap_or_default().to_owned(),
            range: begin..range.end,
        }
    }

    fn line(&self, at: usize) -> usize {
        self.source[..at].matches('\n').count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    const SOURCE: &str = "\
# 1. Roots

Text with `code`, a [link *to*](02-b.md#there) and ![a figure](figures/a.svg).

## By hand

- in a list

  <!-- transcript: status=1 -->
  ```console
  $ false

  ```

`a/b.rs`:

```rust,ignore
{{#include ../a/b.rs:x}}
```
";

    fn page() -> Page {
        Page::parse("book/src/01-chroot.md", SOURCE)
    }

    #[test]
    fn headings_and_links_have_their_text_and_line() {
        let page = page();
        let headings: Vec<_> = page.headings.iter().map(|it| (it.level, it.text.as_str(), it.line)).collect();
        assert_eq!(headings, [(1, "1. Roots", 1), (2, "By hand", 5)]);
        let links: Vec<_> =
            page.links.iter().map(|it| (it.target.as_str(), it.text.as_str(), it.image)).collect();
        assert_eq!(links, [("02-b.md#there", "link to", false), ("figures/a.svg", "a figure", true)]);
    }

    #[test]
    fn a_block_knows_its_words_its_place_and_the_line_before_it() {
        let page = page();
        let [console, rust] = &page.code[..] else { panic!("{:?}", page.code) };
        assert_eq!((console.language(), console.text.as_str()), ("console", "$ false\n\n"));
        assert_eq!((console.line, console.prefix.as_str()), (10, "  "));
        assert_eq!(console.before, "<!-- transcript: status=1 -->");
        assert_eq!((rust.language(), rust.before.as_str()), ("rust", "`a/b.rs`:"));
        assert!(SOURCE[rust.range.clone()].starts_with("```rust,ignore\n"));
        assert!(SOURCE[console.range.clone()].starts_with("  ```console\n"));
    }

    #[test]
    fn code_is_no_prose() {
        let page = page();
        assert!(
            page.prose.iter().all(|piece| !piece.text.contains("code") && !piece.text.contains("include"))
        );
        assert!(page.prose.iter().any(|piece| piece.text.contains("Text with")));
    }

    #[test]
    fn a_chapter_is_known_by_its_number() {
        assert_eq!(page().chapter(), Some(("01", "chroot")));
        assert_eq!(Page::parse("book/src/how-to-use.md", "").chapter(), None);
    }
}
