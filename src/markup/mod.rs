//! What a model wrote into its text that is none: thoughts between tags, and tool calls in the model's own markup.
//!
//! Good servers tell them apart and send them in fields of their own. For those that do not, the [`Scanner`]
//! does it, if the options say so. It goes over the text as it comes. What cannot be markup is shown at once;
//! what can be is held until that is clear, and is text again if it was none. So nothing is ever lost, and a
//! call is only taken for one if the request offers a tool of that name.

mod block;
mod dialects;
mod object;
mod offer;
#[cfg(test)]
mod tests;

use crate::upstream::ThinkTags;
use block::{Block, Step};
use dialects::{ANALYSIS, DIALECTS, FRAMES, THINK};
pub(crate) use offer::Offer;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Text.
    Text(String),
    /// A thought, or a piece of one.
    Reasoning(String),
    /// A tool call.
    ToolCall { name: String, arguments: String },
    /// What was shown as text up to here was a thought: its opening tag had been left out.
    Retract,
}

/// Goes over the text of one reply.
#[derive(Debug)]
pub(crate) struct Scanner {
    think: bool,
    offer: Offer,
    tags: Vec<Tag>,
    state: State,
    /// What may be markup.
    held: String,
    /// As much may be held.
    limit: usize,
    /// The text so far ends with a backtick: a tag that follows is spoken of, not used.
    quoted: bool,
    out: Vec<Segment>,
}

#[derive(Debug)]
enum State {
    /// Before the first text: here a thought begins.
    Start(Start),
    Text {
        after: After,
    },
    Thought {
        close: &'static str,
        fresh: bool,
    },
    Block(Block),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Reply,
    /// The opening tag stands in the prompt.
    WithinThought,
    AfterThought,
}

impl Start {
    /// Whether all that stands before the closing tag at `end` can be a thought.
    fn may_have_been_thought(self, text: &str, end: usize) -> bool {
        let before = text.get(..end).unwrap_or_default();
        let is_spoken_of = || before.ends_with('`') || THINK.iter().any(|(open, _)| before.contains(open));
        match self {
            Self::Reply => !is_spoken_of(),
            Self::WithinThought => true,
            Self::AfterThought => false,
        }
    }
}

/// Whether a thought was seen before the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Thought,
}

/// What may stand anywhere in a text.
#[derive(Debug, Clone, Copy)]
struct Tag {
    text: &'static str,
    means: Means,
}

#[derive(Debug, Clone, Copy)]
enum Means {
    Block,
    NamedCall,
    Thought { close: &'static str },
    EndOfThought,
    Frame,
}

impl Scanner {
    /// Nothing, if there is nothing to look for.
    pub(crate) fn new(think: ThinkTags, offer: Offer, limit: usize) -> Option<Self> {
        let calls = !offer.is_empty();
        if think == ThinkTags::Off && !calls {
            return None;
        }
        let start = if think == ThinkTags::Implied { Start::WithinThought } else { Start::Reply };
        let think = think != ThinkTags::Off;
        Some(Self {
            think,
            offer,
            tags: tags(think, calls),
            state: State::Start(start),
            held: String::new(),
            limit,
            quoted: false,
            out: Vec::new(),
        })
    }

    /// Whether text passes as it is, because it holds nothing that can begin markup.
    pub(crate) fn lets_pass(&self, escaped: &str) -> bool {
        let is_plain = || !escaped.bytes().any(|byte| matches!(byte, b'<' | b'[' | b'\\' | b'`'));
        matches!(self.state, State::Text { .. }) && self.held.is_empty() && !self.quoted && is_plain()
    }

    /// The next piece of the text: what is clear now.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<Segment> {
        self.held.push_str(piece);
        while self.step() {}
        if self.held.len() > self.limit {
            self.let_go();
        }
        std::mem::take(&mut self.out)
    }

    /// Nothing more of the text comes, or not before something else does: what is held is what it seems.
    pub(crate) fn flush(&mut self) -> Vec<Segment> {
        match std::mem::replace(&mut self.state, State::Text { after: After::Thought }) {
            State::Start(Start::AfterThought) if self.held.trim().is_empty() => self.held.clear(),
            State::Block(block) => {
                let end = block.end();
                self.take(end);
                if end > 0 && self.held.trim().is_empty() {
                    self.held.clear();
                }
            }
            State::Start(start) if self.held.is_empty() => self.state = State::Start(start),
            State::Start(_) => {}
            other => self.state = other,
        }
        self.let_go();
        std::mem::take(&mut self.out)
    }

    fn let_go(&mut self) {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Thought { .. } => self.thought(&held),
            _ => {
                self.text(&held);
                if !held.is_empty() {
                    self.state = State::Text { after: After::Thought };
                }
            }
        }
    }

    /// One step further in what is held; false if that takes more text.
    fn step(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Text { after: After::Thought }) {
            State::Start(start) => self.start(start),
            State::Text { after } => self.in_text(after),
            State::Thought { close, fresh } => self.in_thought(close, fresh),
            State::Block(block) => self.in_block(block),
        }
    }

    fn start(&mut self, start: Start) -> bool {
        let text = self.held.trim_start();
        let gap = self.held.len() - text.len();
        self.state = State::Start(start);
        if self.think {
            for &(open, close) in THINK {
                if text.starts_with(open) {
                    self.take(gap + open.len());
                    self.state = State::Thought { close, fresh: true };
                    return true;
                }
                // The server has taken the thought out and left the tag, or its beginning is not shown yet.
                if let Some(end) = text.find(close).filter(|end| start.may_have_been_thought(text, *end)) {
                    let thought = self.take(gap + end);
                    self.thought(thought.trim_matches('\n'));
                    self.take(close.len());
                    self.state = State::Start(Start::AfterThought);
                    return true;
                }
            }
            if THINK.iter().any(|(open, close)| open.starts_with(text) || close.starts_with(text)) {
                return false;
            }
        }
        if text.is_empty() {
            return false;
        }
        if start == Start::WithinThought {
            self.state = State::Thought { close: "</think>", fresh: true };
            return true;
        }
        if start == Start::AfterThought {
            self.take(gap);
        }
        let json = self.held.trim_start();
        let in_list = json.strip_prefix('[').map(str::trim_start);
        if in_list == Some("") && !self.offer.is_empty() {
            return false;
        }
        self.state = match in_list.unwrap_or(json).starts_with('{') && !self.offer.is_empty() {
            true => State::Block(Block::bare()),
            false => {
                State::Text { after: if start == Start::Reply { After::Nothing } else { After::Thought } }
            }
        };
        true
    }

    fn in_text(&mut self, after: After) -> bool {
        self.state = State::Text { after };
        match self.next_tag() {
            Some((at, Some(tag))) => {
                let text = self.take(at);
                self.text(&text);
                self.meet(tag, after)
            }
            Some((at, None)) => {
                let text = self.take(at);
                self.text(&text);
                false
            }
            None => {
                let text = std::mem::take(&mut self.held);
                self.text(&text);
                false
            }
        }
    }

    /// What is held begins with a tag.
    fn meet(&mut self, tag: Tag, after: After) -> bool {
        match tag.means {
            Means::Block => self.state = State::Block(Block::begin(tag.text)),
            Means::NamedCall => self.state = State::Block(Block::begin_named(tag.text)),
            Means::Thought { close } => {
                self.take(tag.text.len());
                self.state = State::Thought { close, fresh: true };
            }
            Means::EndOfThought if after == After::Nothing && !self.quoted => {
                self.take(tag.text.len());
                self.out.push(Segment::Retract);
                self.state = State::Start(Start::AfterThought);
            }
            Means::EndOfThought => {
                let text = self.take(tag.text.len());
                self.text(&text);
            }
            Means::Frame => {
                self.take(tag.text.len());
            }
        }
        true
    }

    /// The first place where a tag stands, and which; none yet, if what is held ends within one.
    fn next_tag(&self) -> Option<(usize, Option<Tag>)> {
        let starts = self.held.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'<' | b'['));
        for (at, _) in starts {
            let rest = self.held.get(at..).unwrap_or_default();
            if self.tags.iter().any(|tag| tag.text.len() > rest.len() && tag.text.starts_with(rest)) {
                return Some((at, None));
            }
            let longest =
                self.tags.iter().filter(|tag| rest.starts_with(tag.text)).max_by_key(|tag| tag.text.len());
            if let Some(tag) = longest {
                return Some((at, Some(*tag)));
            }
        }
        None
    }

    fn in_thought(&mut self, close: &'static str, fresh: bool) -> bool {
        if fresh {
            let gap = self.held.len() - self.held.trim_start_matches(['\n', '\r']).len();
            self.take(gap);
        }
        self.state = State::Thought { close, fresh: fresh && self.held.is_empty() };
        if let Some(end) = self.held.find(close) {
            let thought = self.take(end);
            self.thought(thought.trim_end_matches(['\n', '\r']));
            self.take(close.len());
            self.state = State::Start(Start::AfterThought);
            return true;
        }
        // Line ends before the tag are not part of the thought, so they wait for it, too.
        let tag = self.held.char_indices().map(|(at, _)| at).find(|at| {
            let tail = self.held.get(*at..).unwrap_or_default().trim_start_matches(['\n', '\r']);
            close.starts_with(tail)
        });
        let thought = self.take(tag.unwrap_or(self.held.len()));
        self.thought(&thought);
        false
    }

    fn in_block(&mut self, mut block: Block) -> bool {
        let step = block.read(&self.held, &self.offer);
        self.state = State::Block(block);
        match step {
            Step::More => return false,
            Step::Call { name, arguments } => self.out.push(Segment::ToolCall { name, arguments }),
            Step::Text(end) => {
                let first = self.held.chars().next().map_or(0, char::len_utf8);
                let text = self.take(end.max(first));
                self.text(&text);
                self.state = State::Text { after: After::Thought };
            }
            Step::Done(end) => {
                self.take(end);
                self.state = State::Text { after: After::Thought };
            }
        }
        true
    }

    /// Takes the first bytes of what is held.
    fn take(&mut self, length: usize) -> String {
        let rest = self.held.split_off(length.min(self.held.len()));
        std::mem::replace(&mut self.held, rest)
    }

    fn text(&mut self, text: &str) {
        if let Some(last) = text.chars().next_back() {
            self.quoted = last == '`';
        }
        match self.out.last_mut() {
            _ if text.is_empty() => {}
            Some(Segment::Text(last)) => last.push_str(text),
            _ => self.out.push(Segment::Text(text.to_owned())),
        }
    }

    fn thought(&mut self, thought: &str) {
        match self.out.last_mut() {
            _ if thought.is_empty() => {}
            Some(Segment::Reasoning(last)) => last.push_str(thought),
            _ => self.out.push(Segment::Reasoning(thought.to_owned())),
        }
    }
}

/// All tags that may stand in a text.
fn tags(think: bool, calls: bool) -> Vec<Tag> {
    let mut tags = Vec::new();
    if think {
        tags.extend(THINK.iter().map(|(_, close)| Tag { text: close, means: Means::EndOfThought }));
    }
    if calls {
        for row in DIALECTS {
            tags.extend(row.begin.iter().map(|text| Tag { text, means: Means::Block }));
            let before = row.name.as_ref().map(|name| name.before).filter(|before| before.starts_with('<'));
            tags.extend(before.map(|text| Tag { text, means: Means::NamedCall }));
        }
        tags.extend(ANALYSIS.iter().map(|&(text, close)| Tag { text, means: Means::Thought { close } }));
        tags.extend(FRAMES.iter().map(|text| Tag { text, means: Means::Frame }));
    }
    tags
}
