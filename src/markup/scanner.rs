//! Splits a reply's text into segments while it arrives.

use super::call_block::CallBlock;
use super::call_reader::{CallReader, Reading};
use super::call_start::untagged;
use super::code_quotes::CodeQuotes;
use super::dialects::REASONING;
use super::held_text::HeldText;
use super::matching::{Match, find_in_any_case, floor_boundary};
use super::reply_start::{ReasoningRule, ReplyStart, Start};
use super::signs::{CODE, ESCAPE, TAG, begins_with_word, signs};
use super::step::Input;
use super::tags::{Close, Tag, TagKind, Tags};
use super::{OfferedTools, Segment};
/// Reads the text of one reply.
#[derive(Debug)]
pub(crate) struct Scanner {
    reasoning: ReasoningRule,
    tools: OfferedTools,
    tags: &'static Tags,
    state: State,
    quotes: CodeQuotes,
    /// Text that may still turn out to be markup.
    held: HeldText,
    /// The most bytes that are held.
    limit: usize,
    segments: Vec<Segment>,
    /// Nothing follows the held text.
    ended: bool,
}

///```text
///   ┌───────────┐ text   ┌───────────┐      ┌──────┐
///   │   Start   ├───────▶│ FirstText ├─────▶│ Text │◀─┐ not a call, or after the last one
///   └─┬───────▲─┘        └─────┬─────┘      └──┬───┘  │
///     │ tag   │ closing tag    │ tag           │ tag  │
///     ▼       │                ▼               ▼      │
///   ReasoningStart ─▶ Reasoning            Calls ─────┘
///```
#[derive(Debug)]
enum State {
    /// Before any text. Reasoning may begin here.
    Start(Start),
    /// The first text of the reply. If a closing tag follows, it was reasoning whose opening tag is missing. A closing
    /// tag after a backtick does not count: the model writes about it.
    FirstText {
        after_backtick: bool,
    },
    /// Any later text.
    Text,
    /// Before the first character of reasoning. Line ends are omitted here.
    ReasoningStart {
        close: Close,
    },
    Reasoning {
        close: Close,
    },
    /// After an opening tag of `open` bytes, although reasoning came in a field: it is text if no closing tag follows.
    /// There is none before `searched`.
    ClosedReasoning {
        open: usize,
        close: &'static str,
        searched: usize,
    },
    Calls(Box<CallReader>),
}

impl Scanner {
    /// Without `reasoning` and tools there is nothing to find, and no scanner.
    pub(crate) fn new(reasoning: Option<ReplyStart>, tools: OfferedTools, limit: usize) -> Option<Self> {
        if reasoning.is_none() && tools.is_empty() {
            return None;
        }
        let start = if reasoning == Some(ReplyStart::Reasoning) { Start::InReasoning } else { Start::Reply };
        Some(Self {
            reasoning: reasoning.map_or(ReasoningRule::NotSought, |_| ReasoningRule::InText),
            tags: Tags::of(reasoning.is_some(), !tools.is_empty()),
            tools,
            state: State::Start(start),
            quotes: CodeQuotes::default(),
            held: HeldText::default(),
            limit,
            segments: Vec::new(),
            ended: false,
        })
    }

    /// Finds calls in a text in which JSON without a tag is no call.
    pub(crate) fn of_tagged_calls(tools: OfferedTools, limit: usize) -> Option<Self> {
        Some(Self { state: State::Text, ..Self::new(None, tools, limit)? })
    }

    /// Reasoning came in a field, so the text hardly has any.
    pub(crate) fn reasoning_is_in_field(&mut self) {
        if self.finds_reasoning() {
            self.reasoning = ReasoningRule::InField;
        }
        if let State::Start(start @ Start::InReasoning) = &mut self.state {
            *start = Start::Reply;
        }
    }

    pub(crate) fn finds_calls(&self) -> bool {
        !self.tools.is_empty()
    }

    pub(crate) fn finds_reasoning(&self) -> bool {
        self.reasoning != ReasoningRule::NotSought
    }

    /// Whether text can skip [`Scanner::push`], because nothing is held and it cannot begin markup.
    pub(crate) fn lets_pass(&mut self, escaped: &str) -> bool {
        if !self.held.is_empty() || self.may_hold_markup(escaped) {
            return false;
        }
        match self.state {
            State::FirstText { after_backtick: false } | State::Text => {}
            // Without reasoning, only a call without a tag can begin markup here.
            State::Start(Start::Reply) if !self.finds_reasoning() && begins_with_word(escaped) => {
                self.state = State::Text;
            }
            _ => return false,
        }
        self.quotes.skip(escaped);
        true
    }

    /// A backtick or a tilde may quote a tag. Of the escapes, only `\u` can encode the beginning of a tag.
    fn may_hold_markup(&self, escaped: &str) -> bool {
        let found = signs(escaped);
        found & TAG != 0
            || found & ESCAPE != 0 && escaped.as_bytes().windows(2).any(|pair| pair == b"\\u")
            || found & CODE != 0
            || self.quotes.needs_text()
    }

    /// Whether there is nothing to flush.
    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty() && matches!(self.state, State::FirstText { .. } | State::Text | State::Start(_))
    }

    /// Whether a call has begun, by its markup or its tool's name, and its end is missing.
    pub(crate) fn is_within_call(&self) -> bool {
        matches!(&self.state, State::Calls(reader) if reader.is_within_call(self.input()))
    }

    /// What a block of calls reads.
    fn input(&self) -> Input<'_> {
        Input { text: &self.held, tools: &self.tools, ended: self.ended }
    }

    /// Reads the next piece of text. Returns the segments that are decided.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<Segment> {
        self.held.push_str(piece);
        while self.step() {}
        if self.held.len() > self.limit {
            self.release_held();
        }
        std::mem::take(&mut self.segments)
    }

    /// The text ends here, or something else interrupts it: undecided text is text.
    pub(crate) fn flush(&mut self) -> Vec<Segment> {
        self.ended = true;
        while self.step() {}
        self.ended = false;
        match self.state {
            State::Start(Start::AfterReasoning) if self.held.trim().is_empty() => drop(self.held.take_all()),
            State::Start(_) if !self.held.is_empty() => self.state = State::Text,
            _ => {}
        }
        self.release_held();
        std::mem::take(&mut self.segments)
    }

    fn release_held(&mut self) {
        let held = self.held.take_all();
        match self.state {
            State::ReasoningStart { .. } | State::Reasoning { .. } => self.emit_reasoning(&held),
            _ if held.is_empty() => {}
            _ => {
                self.state = State::Text;
                self.emit_text(&held);
            }
        }
    }

    /// Reads more of the held text. Returns false if more text is needed.
    fn step(&mut self) -> bool {
        match std::mem::replace(&mut self.state, State::Text) {
            State::Start(start) => self.at_start(start),
            text @ (State::FirstText { .. } | State::Text) => self.in_text(text),
            State::ReasoningStart { close } => self.at_reasoning_start(close),
            State::Reasoning { close } => self.in_reasoning(close),
            State::ClosedReasoning { open, close, searched } => {
                self.in_closed_reasoning(open, close, searched)
            }
            State::Calls(reader) => self.in_calls(reader),
        }
    }

    fn at_start(&mut self, start: Start) -> bool {
        let text = self.held.trim_start();
        let gap = self.held.len() - text.len();
        self.state = State::Start(start);
        if self.finds_reasoning() {
            for &(open, close) in REASONING {
                if Match::with_tag_in_any_case(text, open) == Match::Yes {
                    if self.reasoning == ReasoningRule::InField {
                        let open = gap + open.len();
                        self.state = State::ClosedReasoning { open, close, searched: open };
                        return true;
                    }
                    self.take(gap + open.len());
                    self.state = State::ReasoningStart { close: Close::Tag(close) };
                    return true;
                }
                // The opening tag is in the prompt, or the server has removed it.
                let end = find_in_any_case(text, close).filter(|end| start.allows_reasoning(text, *end));
                if let Some(end) = end {
                    let text = self.take(gap + end);
                    let answer = self.held.get(close.len()..).unwrap_or_default().trim_start().len();
                    let tag = self.take(self.held.len() - answer);
                    self.segments.push(Segment::Unopened { text, tag });
                    self.state = State::Start(Start::AfterReasoning);
                    return true;
                }
            }
            let may_be = |tag| Match::with_tag_in_any_case(text, tag) == Match::Partial;
            if REASONING.iter().any(|(open, close)| may_be(open) || may_be(close)) {
                return false;
            }
        }
        if text.is_empty() {
            return false;
        }
        if start == Start::InReasoning {
            self.state = State::ReasoningStart { close: Close::Any };
            return true;
        }
        if start == Start::AfterReasoning {
            self.take(gap);
        }
        self.at_first_text(start)
    }

    fn at_first_text(&mut self, start: Start) -> bool {
        let Ok(dialect) = untagged(self.held.trim_start(), &self.tools) else { return false };
        self.state = match (dialect, start) {
            (Some(dialect), _) => State::Calls(CallReader::boxed(CallBlock::without_tag(dialect), None)),
            (None, Start::Reply) => State::FirstText { after_backtick: false },
            (None, _) => State::Text,
        };
        true
    }

    /// `state` is one of the two text states.
    fn in_text(&mut self, state: State) -> bool {
        self.state = state;
        let (end, tag) = self.tags.find(&self.held).unwrap_or((self.held.len(), None));
        let text = self.take(end);
        self.emit_text(&text);
        match tag {
            Some(tag) => {
                self.at_tag(tag);
                true
            }
            None => false,
        }
    }

    /// The held text begins with `tag`.
    fn at_tag(&mut self, tag: Tag) {
        let code = self.quotes.code();
        match tag.kind {
            TagKind::Calls => self.state = State::Calls(CallReader::boxed(CallBlock::after(tag.text), code)),
            TagKind::NamedCall => {
                self.state = State::Calls(CallReader::boxed(CallBlock::named(tag.text), code))
            }
            TagKind::Reasoning { .. } | TagKind::Frame if code.is_some() => {
                let text = self.take(tag.text.len());
                self.emit_text(&text);
            }
            TagKind::Reasoning { close } => {
                self.take(tag.text.len());
                self.state = State::ReasoningStart { close: Close::Tag(close) };
            }
            TagKind::StartOfReasoning => {
                let text = self.take(tag.text.len());
                self.emit_text(&text);
                self.state = State::Text;
            }
            TagKind::EndOfReasoning => {
                let text = self.take(tag.text.len());
                let in_text = self.reasoning == ReasoningRule::InText;
                if in_text && matches!(self.state, State::FirstText { after_backtick: false }) {
                    self.segments.push(Segment::Retract);
                    self.state = State::Start(Start::AfterReasoning);
                } else {
                    self.emit_text(&text);
                }
            }
            TagKind::Frame => drop(self.take(tag.text.len())),
        }
    }

    fn at_reasoning_start(&mut self, close: Close) -> bool {
        let gap = self.held.len() - self.held.trim_start_matches(['\n', '\r']).len();
        self.take(gap);
        let has_text = !self.held.is_empty();
        self.state = if has_text { State::Reasoning { close } } else { State::ReasoningStart { close } };
        has_text
    }

    fn in_reasoning(&mut self, close: Close) -> bool {
        if let Some((end, close)) = close.find(&self.held) {
            let reasoning = self.take(end);
            self.emit_reasoning(reasoning.trim_end_matches(['\n', '\r']));
            self.take(close.len());
            self.state = State::Start(Start::AfterReasoning);
            return true;
        }
        self.state = State::Reasoning { close };
        // Line ends before the closing tag are not part of the reasoning, so they are held too.
        let held_from = self.held.char_indices().map(|(at, _)| at).find(|at| {
            close.may_become(self.held.get(*at..).unwrap_or_default().trim_start_matches(['\n', '\r']))
        });
        let reasoning = self.take(held_from.unwrap_or(self.held.len()));
        self.emit_reasoning(&reasoning);
        false
    }

    fn in_closed_reasoning(&mut self, open: usize, close: &'static str, searched: usize) -> bool {
        let rest = self.held.get(searched..).unwrap_or_default();
        let Some(end) = find_in_any_case(rest, close) else {
            // The rest may end within the closing tag, so that much of it is read again.
            let searched = floor_boundary(&self.held, (self.held.len() + 1).saturating_sub(close.len()));
            let searched = searched.max(open);
            self.state = State::ClosedReasoning { open, close, searched };
            return false;
        };
        self.take(open);
        let reasoning = self.take(searched - open + end);
        self.emit_reasoning(reasoning.trim_matches(['\n', '\r']));
        self.take(close.len());
        self.state = State::Start(Start::AfterReasoning);
        true
    }

    fn in_calls(&mut self, mut reader: Box<CallReader>) -> bool {
        match reader.read(self.input()) {
            Reading::Undecided => {
                self.state = State::Calls(reader);
                return false;
            }
            Reading::Call(call) => {
                self.segments.push(call);
                self.state = State::Calls(reader);
            }
            Reading::Ended { segments, omitted, text } => {
                self.segments.extend(segments);
                self.take(omitted);
                let text = self.take(text);
                self.emit_text(&text);
            }
        }
        true
    }

    /// Takes the first `length` bytes of the held text.
    fn take(&mut self, length: usize) -> String {
        self.held.take(length)
    }

    fn emit_text(&mut self, text: &str) {
        let Some(last) = text.chars().next_back() else { return };
        self.quotes.read(text);
        if let State::FirstText { after_backtick } = &mut self.state {
            *after_backtick = last == '`';
        }
        match self.segments.last_mut() {
            Some(Segment::Text(before)) => before.push_str(text),
            _ => self.segments.push(Segment::Text(text.to_owned())),
        }
    }

    fn emit_reasoning(&mut self, reasoning: &str) {
        match self.segments.last_mut() {
            _ if reasoning.is_empty() => {}
            Some(Segment::Reasoning(before)) => before.push_str(reasoning),
            _ => self.segments.push(Segment::Reasoning(reasoning.to_owned())),
        }
    }
}
