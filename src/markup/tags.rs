//! The tags that the scanner finds in text and in reasoning.

use super::dialects::{DIALECTS, FRAMES, HARMONY_REASONING, REASONING};
use super::matching::{Match, find_in_any_case};
use std::sync::LazyLock;

/// The tags that may occur anywhere in the text.
#[derive(Debug)]
pub(super) struct Tags(Vec<Tag>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    pub(super) text: &'static str,
    pub(super) kind: TagKind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum TagKind {
    /// Begins a block of calls.
    Calls,
    /// Begins a call whose name follows.
    NamedCall,
    Reasoning {
        close: &'static str,
    },
    /// Reasoning does not begin within text: the model writes about the tag.
    StartOfReasoning,
    EndOfReasoning,
    Frame,
}

static OF_REASONING: LazyLock<Tags> = LazyLock::new(|| Tags::new(true, false));
static OF_CALLS: LazyLock<Tags> = LazyLock::new(|| Tags::new(false, true));
static OF_BOTH: LazyLock<Tags> = LazyLock::new(|| Tags::new(true, true));

impl Tags {
    /// The tags of reasoning, of calls, or of both. There are many, so each list is made once.
    pub(super) fn of(reasoning: bool, calls: bool) -> &'static Self {
        match (reasoning, calls) {
            (true, true) => &OF_BOTH,
            (true, false) => &OF_REASONING,
            (false, _) => &OF_CALLS,
        }
    }

    fn new(reasoning: bool, calls: bool) -> Self {
        let mut tags = Vec::new();
        if reasoning {
            for (open, close) in REASONING {
                tags.push(Tag { text: open, kind: TagKind::StartOfReasoning });
                tags.push(Tag { text: close, kind: TagKind::EndOfReasoning });
            }
        }
        if calls {
            for dialect in DIALECTS {
                // A word alone opens calls only where the text begins.
                let open = dialect.open.iter().filter(|text| text.bytes().next().is_some_and(may_begin_tag));
                tags.extend(open.map(|text| Tag { text, kind: TagKind::Calls }));
                let before = dialect.name.as_ref().map(|name| name.before);
                let before = before.filter(|before| before.starts_with('<'));
                tags.extend(before.map(|text| Tag { text, kind: TagKind::NamedCall }));
            }
            let harmony = HARMONY_REASONING.iter();
            tags.extend(harmony.map(|&(text, close)| Tag { text, kind: TagKind::Reasoning { close } }));
            tags.extend(FRAMES.iter().map(|text| Tag { text, kind: TagKind::Frame }));
        }
        Self(tags)
    }

    /// The position of the first tag, and the tag if it is complete.
    pub(super) fn find(&self, text: &str) -> Option<(usize, Option<Tag>)> {
        let starts = text.bytes().enumerate().filter(|(_, byte)| may_begin_tag(*byte));
        for (at, _) in starts {
            let rest = text.get(at..).unwrap_or_default();
            if self.0.iter().any(|tag| tag.matches(rest) == Match::Partial) {
                return Some((at, None));
            }
            let complete = self.0.iter().filter(|tag| tag.matches(rest) == Match::Yes);
            if let Some(tag) = complete.max_by_key(|tag| tag.text.len()) {
                return Some((at, Some(*tag)));
            }
        }
        None
    }
}

impl Tag {
    fn matches(&self, text: &str) -> Match {
        match self.kind {
            TagKind::StartOfReasoning | TagKind::EndOfReasoning => {
                Match::with_tag_in_any_case(text, self.text)
            }
            _ => Match::with_tag(text, self.text),
        }
    }
}

/// Whether a tag can begin with this byte. The last one is the first byte of `◁`.
pub(super) const fn may_begin_tag(byte: u8) -> bool {
    matches!(byte, b'<' | b'[' | 0xE2)
}

/// The tag that ends reasoning.
#[derive(Debug, Clone, Copy)]
pub(super) enum Close {
    Tag(&'static str),
    /// The opening tag is in the prompt.
    Any,
}

impl Close {
    /// The first closing tag in a text, and its position.
    pub(super) fn find(self, text: &str) -> Option<(usize, &'static str)> {
        self.tags().filter_map(|tag| Some((find_in_any_case(text, tag)?, tag))).min_by_key(|(at, _)| *at)
    }

    /// Whether `text` can be the beginning of a closing tag.
    pub(super) fn may_become(self, text: &str) -> bool {
        self.tags().any(|tag| Match::with_tag_in_any_case(text, tag) == Match::Partial)
    }

    fn tags(self) -> impl Iterator<Item = &'static str> {
        let known = REASONING.iter().map(|(_, close)| *close);
        let (one, any) = match self {
            Self::Tag(tag) => (Some(tag), None),
            Self::Any => (None, Some(known)),
        };
        one.into_iter().chain(any.into_iter().flatten())
    }
}
