//! Corrects a reply that was written before its record could not be.

use crate::json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Makes `store` false in the last event of a stream, or in a document. What it is not, stays as it is.
pub(crate) fn mark_not_stored(reply: &mut Vec<u8>) {
    if let Some(store) = place(reply) {
        reply.splice(store, *b"false");
    }
}

/// Where the value of `store` is.
fn place(reply: &[u8]) -> Option<std::ops::Range<usize>> {
    #[derive(Deserialize)]
    struct LastEvent<'a> {
        #[serde(borrow)]
        response: Response<'a>,
    }
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        store: &'a RawValue,
    }
    // JSON has no line breaks here, so each event's data is one line.
    let mut lines = reply.split(|byte| *byte == b'\n').rev();
    let event = lines.find_map(|line| line.strip_prefix(b"data: ").filter(|data| data.starts_with(b"{")));
    let response = match event {
        Some(event) => json::from_bytes::<LastEvent<'_>>(event).ok()?.response,
        None => json::from_bytes(reply).ok()?,
    };
    let begin = json::offset_in(reply, response.store.get().as_bytes())?;
    Some(begin..begin + response.store.get().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(reply: &str) -> String {
        let mut reply = reply.as_bytes().to_vec();
        mark_not_stored(&mut reply);
        String::from_utf8(reply).unwrap()
    }

    #[test]
    fn only_the_value_of_the_last_response_changes() {
        for (reply, expected) in [
            (
                r#"{"tools":[{"store":true}],"metadata":{"a":"\"store\":true"},"store":true,"x":1}"#,
                r#"{"tools":[{"store":true}],"metadata":{"a":"\"store\":true"},"store":false,"x":1}"#,
            ),
            (
                "event: a\ndata: {\"response\":{\"store\":true}}\n\nevent: b\ndata: {\"response\":{\"tools\":[{\"store\":true}],\"store\":true}}\n\ndata: [DONE]\n\n",
                "event: a\ndata: {\"response\":{\"store\":true}}\n\nevent: b\ndata: {\"response\":{\"tools\":[{\"store\":true}],\"store\":false}}\n\ndata: [DONE]\n\n",
            ),
            (r#"{"store":false}"#, r#"{"store":false}"#),
            (r#"{"output":[]}"#, r#"{"output":[]}"#),
            ("", ""),
            ("data: [DONE]\n\n", "data: [DONE]\n\n"),
        ] {
            assert_eq!(marked(reply), expected);
        }
    }
}
