//! Writes the events of a reply: numbers them, frames them for SSE, and collects the items of `output`.

use crate::json::{JsonStr, RawJson};
use crate::report::Report;
use crate::sse::encode;
use crate::wire::responses::{DeltaTemplate, Event, OutputItem};

/// Items of this size and more are not copied needlessly.
const LARGE: usize = 64 * 1024;

/// Writes events, or only collects items for a client that does not stream.
#[derive(Debug)]
pub struct EventWriter {
    seed: u128,
    streaming: bool,
    sequence: u64,
    frames: Vec<u8>,
    items: Vec<RawJson<'static>>,
    report: Report,
}

impl EventWriter {
    /// A writer. All ids are derived from `seed`. Unless `streaming`, events are not written.
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

    /// Writes an event. `event` gets its `sequence_number`.
    pub fn send<'e>(&mut self, event: impl FnOnce(u64) -> Event<'e>) {
        if self.streaming {
            let event = event(self.sequence);
            self.sequence += 1;
            encode::frame(&mut self.frames, event.name(), &event);
        }
    }

    /// Prepares the deltas of an item: `event` is one with an empty `delta`.
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

    /// A new item id: the prefix and 36 hexadecimal digits, which no other exchange and no other item uses.
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{:032x}{:04x}", self.seed, self.items.len())
    }

    /// A `call_id` for a call without one.
    pub fn call_id(&self, number: usize) -> String {
        format!("call_{:032x}{number:04x}", self.seed)
    }

    /// Sends that an item was added, and returns its `output_index`.
    pub fn begin(&mut self, item: &OutputItem<'_>) -> usize {
        let output_index = self.items.len();
        self.send(|sequence_number| Event::OutputItemAdded { sequence_number, output_index, item });
        output_index
    }

    /// Sends that the last item is done, and adds it to `output`.
    pub fn finish(&mut self, item: &OutputItem<'_>) {
        let output_index = self.items.len();
        let item = RawJson::compact(item);
        self.make_room(item.get().len());
        self.send(|sequence_number| Event::OutputItemDone { sequence_number, output_index, item: &item });
        self.items.push(item);
    }

    /// What was dropped or repaired in the reply.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The same, to be added to.
    pub fn report_mut(&mut self) -> &mut Report {
        &mut self.report
    }

    /// The items that are done, in JSON.
    pub fn items(&self) -> &[RawJson<'static>] {
        &self.items
    }

    /// Sends an event that contains the items. `event` gets its `sequence_number`, the items, and a function that
    /// writes the event.
    pub fn send_with_items(
        &mut self,
        event: impl FnOnce(u64, &[RawJson<'static>], &mut dyn FnMut(&Event<'_>)),
    ) {
        if self.streaming {
            self.make_room(self.items.iter().map(|item| item.get().len()).sum());
            let frames = &mut self.frames;
            event(self.sequence, &self.items, &mut |event| encode::frame(frames, event.name(), event));
            self.sequence += 1;
        }
    }

    /// Reserves space for something large. Otherwise the vector would double its size.
    fn make_room(&mut self, bytes: usize) {
        if self.streaming && bytes > LARGE {
            self.frames.reserve_exact(bytes + LARGE);
        }
    }

    /// Moves the written frames into `into`.
    pub fn take_frames(&mut self, into: &mut Vec<u8>) {
        // They can be as large as the reply, so they are swapped rather than copied.
        if into.is_empty() {
            std::mem::swap(into, &mut self.frames);
        } else {
            into.append(&mut self.frames);
        }
    }
}
