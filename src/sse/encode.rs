//! Writes server-sent events.
//!
//! Each frame is written whole, name and data and blank line, so that what stands in the
//! buffer can be sent at any moment.

use crate::json::Text;
use memchr::{memchr2, memmem};
use serde::Serialize;

/// Appends `event: NAME`, `data: JSON` and the blank line that ends the event.
///
/// `event` is one of the API's event names, never text from outside: it is not escaped.
///
/// Nothing half leaves: if `data` refuses to be serialised, `out` stays as it was.
pub fn frame(out: &mut Vec<u8>, event: &str, data: &impl Serialize) {
    let start = out.len();
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let json = out.len();
    if serde_json::to_writer(&mut *out, data).is_err() {
        out.truncate(start);
        return;
    }
    // What serde_json writes itself never holds a raw line end, neither between tokens nor in
    // strings. But it copies a `RawValue` as it stands, and one that an upstream spread over
    // several data lines holds them between its tokens, where a space means the same.
    let mut rest = out.get_mut(json..).unwrap_or_default();
    while let Some((line_end, after)) =
        memchr2(b'\n', b'\r', rest).and_then(|at| rest.get_mut(at..)?.split_first_mut())
    {
        *line_end = b' ';
        rest = after;
    }
    out.extend_from_slice(b"\n\n");
}

/// The frames of one item's deltas, which differ in two places only: what stands around the
/// `sequence_number` and around the `delta` is serialised once.
#[derive(Debug, Default)]
pub struct Deltas {
    before_number: Box<[u8]>,
    before_delta: Box<[u8]>,
    after_delta: Box<[u8]>,
}

impl Deltas {
    /// From an event whose number is 0 and whose delta is empty.
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

    /// Appends the next frame. A JSON string holds no raw line end, so nothing needs to be mended.
    pub fn frame(&self, out: &mut Vec<u8>, sequence_number: u64, delta: &Text<'_>) {
        let delta = delta.as_json().as_bytes();
        out.reserve(NUMBER_DIGITS + self.fixed_len() + delta.len());
        out.extend_from_slice(&self.before_number);
        // Writing into memory does not fail.
        let _ = serde_json::to_writer(&mut *out, &sequence_number);
        out.extend_from_slice(&self.before_delta);
        out.extend_from_slice(delta);
        out.extend_from_slice(&self.after_delta);
    }

    fn fixed_len(&self) -> usize {
        self.before_number.len() + self.before_delta.len() + self.after_delta.len()
    }
}

/// No number of 64 bits is longer.
const NUMBER_DIGITS: usize = 20;

fn split_after<'a>(bytes: &'a [u8], marker: &[u8]) -> (&'a [u8], &'a [u8]) {
    let end = memmem::find(bytes, marker).map_or(bytes.len(), |at| at + marker.len());
    bytes.split_at_checked(end).unwrap_or((bytes, b""))
}

/// Appends `data: [DONE]`, the last frame of every stream.
pub fn done(out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: [DONE]\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::ser::{Error, SerializeMap, Serializer};
    use serde_json::{json, value::RawValue};

    #[test]
    fn writes_frames_behind_each_other() {
        let mut out = Vec::new();
        frame(&mut out, "response.created", &json!({"a": [1, null]}));
        frame(&mut out, "error", &json!("two\r\nlines"));
        done(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "event: response.created\ndata: {\"a\":[1,null]}\n\n\
             event: error\ndata: \"two\\r\\nlines\"\n\n\
             data: [DONE]\n\n"
        );
    }

    #[test]
    fn raw_values_stay_on_one_line() {
        let raw = RawValue::from_string("{\n\"a\":\r\n\"\\n\"}".into()).unwrap();
        let mut out = b"\n".to_vec();
        frame(&mut out, "x", &raw);
        assert_eq!(out, b"\nevent: x\ndata: { \"a\":  \"\\n\"}\n\n");
    }

    #[test]
    fn deltas_are_the_frames_that_serialising_gives() {
        #[derive(Serialize)]
        struct Delta<'a> {
            r#type: &'a str,
            sequence_number: u64,
            item_id: &'a str,
            delta: Text<'a>,
            logprobs: [(); 0],
        }
        let event = |sequence_number, text| Delta {
            r#type: "x.delta",
            sequence_number,
            item_id: "msg_0",
            delta: Text::new(text),
            logprobs: [],
        };
        let deltas = Deltas::like("x.delta", &event(0, ""));
        for (number, text) in [(0, ""), (7, "\"delta\":"), (u64::MAX, "two\nlines")] {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            deltas.frame(&mut one, number, &Text::new(text));
            frame(&mut other, "x.delta", &event(number, text));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn what_cannot_be_serialised_leaves_no_trace() {
        struct Breaks;
        impl Serialize for Breaks {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("half", &1)?;
                Err(S::Error::custom("broken"))
            }
        }
        let mut out = b"before".to_vec();
        frame(&mut out, "x", &Breaks);
        assert_eq!(out, b"before");
    }
}
