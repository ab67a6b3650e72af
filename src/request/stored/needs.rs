//! What a request refers to.

use crate::json;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The responses and items that a body names. A body that cannot be read names none: its translation says why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// `previous_response_id`.
    pub(crate) previous: Option<String>,
    /// The ids of all `item_reference`s.
    pub(crate) items: Vec<String>,
}

impl Needs {
    /// Most requests name nothing, so their bytes are searched before they are parsed.
    pub(crate) fn of(body: &[u8]) -> Self {
        let has = |word: &str| memmem::find(body, word.as_bytes()).is_some();
        if !has("previous_response_id") && !has("item_reference") {
            return Self::default();
        }
        let read = json::checked_utf8(body).ok().and_then(|body| serde_json::from_str(body).ok());
        let Some(Body { previous_response_id, input }) = read else { return Self::default() };
        Self {
            previous: previous_response_id.map(Cow::into_owned),
            items: input.map(references).unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    previous_response_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

fn references(input: &RawValue) -> Vec<String> {
    let items: Vec<&RawValue> = serde_json::from_str(input.get()).unwrap_or_default();
    let references = items.into_iter().filter_map(|item| {
        let reference: Reference<'_> = serde_json::from_str(item.get()).ok()?;
        (reference.r#type == "item_reference").then(|| reference.id.into_owned())
    });
    references.collect()
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
