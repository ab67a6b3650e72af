//! Writes server-sent events.
//!
//! Each frame is written complete, with name, data and blank line, so that the buffer can be sent at any time.

use memchr::memchr2;
use serde::Serialize;

/// Appends `event: NAME`, `data: JSON` and the blank line that ends the event.
///
/// `event` is not escaped: it must be one of the API's event names, never text from outside. If `data` cannot be
/// serialised, `out` does not change.
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
    // serde_json writes no raw line ends, but it copies a `RawValue` unchanged. One that an upstream spread over
    // several data lines has line ends between its tokens, where a space means the same.
    let mut rest = out.get_mut(json..).unwrap_or_default();
    while let Some((line_end, after)) =
        memchr2(b'\n', b'\r', rest).and_then(|at| rest.get_mut(at..)?.split_first_mut())
    {
        *line_end = b' ';
        rest = after;
    }
    out.extend_from_slice(b"\n\n");
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
    fn frames_follow_each_other() {
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
    fn data_that_cannot_be_serialised_writes_nothing() {
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
