//! Writes an item's delta events without serialising each of them.

use crate::json::JsonStr;
use crate::sse::encode::frame;
use memchr::memmem;
use serde::Serialize;

/// The parts that the delta events of an item have in common. Only `sequence_number` and `delta` differ, so the rest is
/// serialised once.
#[derive(Debug, Default)]
pub struct DeltaTemplate {
    before_number: Box<[u8]>,
    before_delta: Box<[u8]>,
    after_delta: Box<[u8]>,
}

impl DeltaTemplate {
    /// Takes the common parts from `data`, an event with `sequence_number` 0 and an empty `delta`.
    pub fn like(event: &str, data: &impl Serialize) -> Self {
        let mut sample = Vec::new();
        frame(&mut sample, event, data);
        let (before_number, rest) = split_after(&sample, br#""sequence_number":"#);
        let (before_delta, rest) = split_after(rest.strip_prefix(b"0").unwrap_or(rest), br#""delta":"#);
        let after_delta = rest.strip_prefix(br#""""#).unwrap_or(rest);
        Self {
            before_number: before_number.into(),
            before_delta: before_delta.into(),
            after_delta: after_delta.into(),
        }
    }

    /// Appends the next frame. `delta` has no raw line end, because it is a JSON string.
    pub fn frame(&self, out: &mut Vec<u8>, sequence_number: u64, delta: &JsonStr<'_>) {
        let delta = delta.as_json().as_bytes();
        out.reserve(NUMBER_DIGITS + self.fixed_len() + delta.len());
        out.extend_from_slice(&self.before_number);
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &sequence_number);
        out.extend_from_slice(&self.before_delta);
        out.extend_from_slice(delta);
        out.extend_from_slice(&self.after_delta);
    }

    fn fixed_len(&self) -> usize {
        self.before_number.len() + self.before_delta.len() + self.after_delta.len()
    }
}

/// The digits of `u64::MAX`.
const NUMBER_DIGITS: usize = 20;

fn split_after<'a>(bytes: &'a [u8], marker: &[u8]) -> (&'a [u8], &'a [u8]) {
    let end = memmem::find(bytes, marker).map_or(bytes.len(), |at| at + marker.len());
    bytes.split_at_checked(end).unwrap_or((bytes, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_same_as_a_serialised_one() {
        #[derive(Serialize)]
        struct Delta<'a> {
            r#type: &'a str,
            sequence_number: u64,
            item_id: &'a str,
            delta: JsonStr<'a>,
            logprobs: [(); 0],
        }
        let event = |sequence_number, text| Delta {
            r#type: "x.delta",
            sequence_number,
            item_id: "msg_0",
            delta: JsonStr::new(text),
            logprobs: [],
        };
        let deltas = DeltaTemplate::like("x.delta", &event(0, ""));
        for (number, text) in [(0, ""), (7, "\"delta\":"), (u64::MAX, "two\nlines")] {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            deltas.frame(&mut one, number, &JsonStr::new(text));
            frame(&mut other, "x.delta", &event(number, text));
            assert_eq!(one, other);
        }
    }
}
