//! What a request refers to.

use super::{is, text};
use crate::json;
use crate::json::TapeValue;
use crate::request::body;
use memchr::memmem;

/// The responses and items that a body names. A body that cannot be read names none: its translation says why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// `previous_response_id`.
    pub(crate) previous: Option<String>,
    /// The ids of all `item_reference`s.
    pub(crate) items: Vec<String>,
}

/// Without any of these a body names nothing. The last begins an escaped letter, as either name may have them.
const WORDS: [&str; 3] = ["previous_response_id", "item_reference", "\\u00"];

impl Needs {
    /// Most requests name nothing, so their bytes are searched before they are parsed.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        if !WORDS.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some()) {
            return Self::default();
        }
        let tape = json::checked_utf8(bytes).ok().and_then(|body| body::parse(body).ok());
        let Some(tape) = tape else { return Self::default() };
        let items = tape.root().field("input").and_then(TapeValue::elements).into_iter().flatten();
        let references = items.filter(|item| is(*item, "item_reference"));
        Self {
            previous: text(tape.root(), "previous_response_id").map(Into::into),
            items: references.filter_map(|item| text(item, "id")).map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_are_found() {
        let needs = |previous: Option<&str>, items: &[&str]| Needs {
            previous: previous.map(str::to_owned),
            items: items.iter().map(|&id| id.to_owned()).collect(),
        };
        for (body, expected) in [
            (r#"{"input": "hi"}"#, needs(None, &[])),
            (r#"{"input": "previous_response_id item_reference"}"#, needs(None, &[])),
            (r#"{"previous_response_id": "resp_1"}"#, needs(Some("resp_1"), &[])),
            (r#"{"previous_response_id": null, "input": []}"#, needs(None, &[])),
            (r#"{"previous_response_id": 1}"#, needs(None, &[])),
            (r#"{"previous_response_id""#, needs(None, &[])),
            (r#"{"previous_response\u005fid": "resp_1"}"#, needs(Some("resp_1"), &[])),
            (r#"{"previous_response_id": "a", "previous_response_id": "b"}"#, needs(Some("b"), &[])),
            (r#"{"input": "x", "previous_response_id": "a", "input": "y"}"#, needs(Some("a"), &[])),
            (r#"{"input": [{"type": "item\u005freference", "id": "a"}]}"#, needs(None, &["a"])),
            (
                r#"{"input": [1, {"type": "item_reference", "id": "a"}, {"role": "user", "id": "b"},
                   {"type": "item_reference", "id": 1}, {"type": "item_reference", "id": "c\u0064"}]}"#,
                needs(None, &["a", "cd"]),
            ),
        ] {
            assert_eq!(Needs::of(body.as_bytes()), expected, "{body}");
        }
    }
}
