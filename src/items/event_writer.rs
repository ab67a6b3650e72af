//! Where events and finished items go: numbers them, writes the frames, keeps the items for `response.output`.

use super::kind;
use crate::json::{self, JsonStr};
use crate::report::Report;
use crate::sse::encode;
use crate::wire::responses::DeltaTemplate;
use crate::wire::responses::{Event, OutputItem};
use serde_json::value::RawValue;

/// From this size on it matters how often something is copied.
const LARGE: usize = 64 * 1024;

/// Collects what the client gets.
#[derive(Debug)]
pub struct EventWriter {
    seed: u128,
    streaming: bool,
    sequence: u64,
    frames: Vec<u8>,
    items: Vec<Box<RawValue>>,
    report: Report,
}

impl EventWriter {
    /// For a client that wants events, or for one that only wants the items.
    pub fn new(seed: u128, streaming: bool) -> Self {
        Self {
            seed,
            streaming,
            sequence: 0,
            frames: Vec::new(),
            items: Vec::new(),
            report: Report::default(),
        }
    }

    /// Writes an event, given its number.
    pub fn send<'e>(&mut self, event: impl FnOnce(u64) -> Event<'e>) {
        if self.streaming {
            let event = event(self.sequence);
            self.sequence += 1;
            encode::frame(&mut self.frames, event.name(), &event);
        }
    }

    /// Prepares the deltas of an item that has begun, given the first of them.
    pub fn deltas(&self, event: &Event<'_>) -> DeltaTemplate {
        if self.streaming { DeltaTemplate::like(event.name(), event) } else { DeltaTemplate::default() }
    }

    /// Writes a delta.
    pub fn send_delta(&mut self, deltas: &DeltaTemplate, delta: &JsonStr<'_>) {
        if self.streaming {
            deltas.frame(&mut self.frames, self.sequence, delta);
            self.sequence += 1;
        }
    }

    /// Writes `[DONE]`.
    pub fn send_done(&mut self) {
        if self.streaming {
            encode::done(&mut self.frames);
        }
    }

    /// An id that no other item of this or another exchange has: the prefix and 36 hexadecimal digits.
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{:032x}{:04x}", self.seed, self.items.len())
    }

    /// An id for a call that came without one.
    pub fn call_id(&self, number: usize) -> String {
        format!("call_{:032x}{number:04x}", self.seed)
    }

    /// Begins an item; its place in `output`.
    pub fn begin(&mut self, item: &OutputItem<'_>) -> usize {
        let output_index = self.items.len();
        self.send(|sequence_number| Event::OutputItemAdded { sequence_number, output_index, item });
        output_index
    }

    /// Closes the item that was begun last.
    pub fn finish(&mut self, item: &OutputItem<'_>) {
        let output_index = self.items.len();
        let item = json::raw(item);
        self.make_room(item.get().len());
        self.send(|sequence_number| Event::OutputItemDone { sequence_number, output_index, item: &item });
        self.items.push(item);
    }

    /// What did not pass as it was.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Notes what does not pass as it is.
    pub fn report_mut(&mut self) -> &mut Report {
        &mut self.report
    }

    /// The items that were closed.
    pub fn items(&self) -> &[Box<RawValue>] {
        &self.items
    }

    /// Sends an event that shows the items: `event` gets its number, the items, and what writes it.
    pub fn send_with_items(&mut self, event: impl FnOnce(u64, &[Box<RawValue>], &mut dyn FnMut(&Event<'_>))) {
        if self.streaming {
            self.make_room(self.items.iter().map(|item| item.get().len()).sum());
            let frames = &mut self.frames;
            event(self.sequence, &self.items, &mut |event| encode::frame(frames, event.name(), event));
            self.sequence += 1;
        }
    }

    /// Grows by what is known to come: to double, as a vector does by itself, would be to hold as much again.
    fn make_room(&mut self, bytes: usize) {
        if self.streaming && bytes > LARGE {
            self.frames.reserve_exact(bytes + LARGE);
        }
    }

    /// Takes the frames that were written.
    pub fn take_frames(&mut self, into: &mut Vec<u8>) {
        // They can be as large as the whole reply, so they are not copied if that can be helped.
        match into.is_empty() {
            true => std::mem::swap(into, &mut self.frames),
            false => into.append(&mut self.frames),
        }
    }
}

/// Whether an id looks like one of [`EventWriter::id`].
pub(super) fn is_minted(id: &str) -> bool {
    id.split_once('_').is_some_and(|(prefix, digits)| {
        (matches!(prefix, "msg" | "rs" | "cmp") || kind::is_call_prefix(prefix))
            && digits.len() == 36
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Whether an id is that of a call item, by its prefix.
pub(super) fn is_call(id: &str) -> bool {
    id.split_once('_').is_some_and(|(prefix, _)| kind::is_call_prefix(prefix))
}
