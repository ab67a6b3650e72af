//! A request to an upstream that implements the Responses API itself, in a conversation that was elsewhere before.
//!
//! Such an upstream refuses a whole request for one `encrypted_content` that it did not make. So what this filter
//! sealed is taken out. All other bytes stay as they are.

use crate::items::{self, Unsealed};
use crate::json;
use crate::report::Report;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A body without what this filter sealed, and what it lost by that.
#[derive(Debug)]
pub struct Foreign {
    /// The body, in JSON.
    pub body: Vec<u8>,
    /// The items that were dropped.
    pub report: Report,
}

/// Takes out what this filter sealed. `None` if there is nothing of it, so that the body stays as it is.
pub fn without_sealed(body: &[u8]) -> Option<Foreign> {
    memmem::find(body, items::SEAL.as_bytes())?;
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        input: &'a RawValue,
    }
    let input = serde_json::from_slice::<Body<'_>>(body).ok()?.input;
    let elements: Vec<&RawValue> = serde_json::from_str(input.get()).ok()?;
    let mut report = Report::default();
    let kept: Vec<_> = elements.into_iter().filter_map(|element| kept(element, &mut report)).collect();
    let begin = json::offset_in(body, input.get().as_bytes())?;
    let (before, after) = (body.get(..begin)?, body.get(begin + input.get().len()..)?);
    let body = [before, b"[", kept.join(",").as_bytes(), b"]", after].concat();
    Some(Foreign { body, report })
}

/// What the upstream gets of an item.
fn kept<'a>(element: &'a RawValue, report: &mut Report) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
        #[serde(borrow)]
        encrypted_content: Cow<'a, str>,
    }
    let unchanged = Some(Cow::Borrowed(element.get()));
    let Ok(item) = serde_json::from_str::<Item<'_>>(element.get()) else { return unchanged };
    match items::unseal(&item.r#type, &item.encrypted_content, report) {
        Unsealed::NotOurs => unchanged,
        Unsealed::Nothing => None,
        Unsealed::UserMessage(text) => {
            let message = serde_json::json!({"type": "message", "role": "user", "content": text});
            Some(Cow::Owned(message.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_a_seal_is_not_read() {
        for body in
            [r#"{"input":"hi"}"#, r#"{"input":[{"type":"reasoning","encrypted_content":"gAAAA"}]}"#, "", "{"]
        {
            assert!(without_sealed(body.as_bytes()).is_none(), "{body}");
        }
        // Only somebody's words.
        let words = format!(r#"{{"input":"what is {}?"}}"#, items::SEAL);
        assert!(without_sealed(words.as_bytes()).is_none());
    }

    #[test]
    fn all_other_bytes_stay() {
        let body = format!(
            r#"{{ "n":1.0, "input" : [ {{"type":"reasoning","encrypted_content":"{seal}x"}} , {{ "role":"user","content":"{seal}" }}] ,"x":[]}}"#,
            seal = items::SEAL
        );
        let foreign = without_sealed(body.as_bytes()).unwrap();
        let expected =
            format!(r#"{{ "n":1.0, "input" : [{{ "role":"user","content":"{}" }}] ,"x":[]}}"#, items::SEAL);
        assert_eq!(String::from_utf8(foreign.body).unwrap(), expected);
        assert_eq!(foreign.report.all_dropped(), ["item:reasoning"]);
    }
}
