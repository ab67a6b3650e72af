//! Reads the calls in the text, and decides whether the text only quotes them as code.

use super::Segment;
use super::call_block::CallBlock;
use super::call_start::is_separator;
use super::code_quotes::Code;
use super::matching::Match;
use super::step::{Input, Step};

/// Reads one block of calls.
#[derive(Debug)]
pub(super) struct CallReader {
    block: CallBlock,
    /// The block stands in what may be code. What follows it decides.
    code: Option<Code>,
    /// The calls so far in what may be code.
    calls: Vec<Segment>,
    end: Option<BlockEnd>,
}

#[derive(Debug, Clone, Copy)]
struct BlockEnd {
    /// Where the calls that can be read end.
    calls: usize,
    /// Where the block ends, with the text of one that cannot.
    block: usize,
}

/// The result of reading.
pub(super) enum Reading {
    /// More text is needed.
    Undecided,
    Call(Segment),
    /// The block has ended: after these segments, `omitted` bytes are no text, and the next `text` bytes are.
    Ended {
        segments: Vec<Segment>,
        omitted: usize,
        text: usize,
    },
}

impl CallReader {
    pub(super) fn boxed(block: CallBlock, code: Option<Code>) -> Box<Self> {
        Box::new(Self { block, code, calls: Vec::new(), end: None })
    }

    /// Whether a call has begun and its end is missing.
    pub(super) fn is_within_call(&self, input: Input<'_>) -> bool {
        self.end.is_none() && self.block.is_within_call(input.text, input.tools)
    }

    pub(super) fn read(&mut self, input: Input<'_>) -> Reading {
        let end = match self.end {
            Some(end) => end,
            None => match self.read_block(input) {
                Ok(end) => end,
                Err(reading) => return reading,
            },
        };
        self.end = Some(end);
        let after = input.text.get(end.block..).unwrap_or_default();
        match self.code.map_or(Match::No, |code| code.closes_after(after, input.ended)) {
            Match::Partial => Reading::Undecided,
            Match::Yes => Reading::Ended { segments: Vec::new(), omitted: 0, text: end.block },
            Match::No => {
                let segments = std::mem::take(&mut self.calls);
                Reading::Ended { segments, omitted: end.calls, text: end.block - end.calls }
            }
        }
    }

    fn read_block(&mut self, input: Input<'_>) -> Result<BlockEnd, Reading> {
        loop {
            let call = match self.block.read(input) {
                Step::Undecided if !input.ended => return Err(Reading::Undecided),
                Step::Undecided => return Ok(self.end_of_text(input.text)),
                Step::Text(end) => {
                    let text = end.max(input.text.chars().next().map_or(0, char::len_utf8));
                    return Err(Reading::Ended { segments: Vec::new(), omitted: 0, text });
                }
                Step::End(end) => return Ok(BlockEnd { calls: end, block: end }),
                Step::Lost { name, from, to } => {
                    self.calls.push(Segment::LostCall { name });
                    return Ok(BlockEnd { calls: from, block: to });
                }
                Step::Call { name, arguments } => Segment::ToolCall { name, arguments },
            };
            if self.code.is_none() {
                return Err(Reading::Call(call));
            }
            self.calls.push(call);
        }
    }

    /// The text ends within a call, which is text then, or after the last one.
    fn end_of_text(&self, text: &str) -> BlockEnd {
        let calls = self.block.calls_end();
        let is_separator = text.get(calls..).is_some_and(|rest| rest.trim_matches(is_separator).is_empty());
        match calls {
            0 => BlockEnd { calls, block: text.len() },
            _ if is_separator => BlockEnd { calls: text.len(), block: text.len() },
            _ => BlockEnd { calls, block: calls },
        }
    }
}
