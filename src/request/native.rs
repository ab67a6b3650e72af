//! A request to an upstream that implements the Responses API itself, in a conversation that began with a translated
//! upstream.
//!
//! Such an upstream rejects the whole request if an `encrypted_content` in it is not its own, or an id is not stored
//! there. So items of this filter are removed. All other bytes stay unchanged.

use crate::items::{self, Marks, Unsealed};
use crate::json;
use crate::report::Report;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A body without the items of this filter, and a list of what was removed.
#[derive(Debug)]
pub struct NativeBody {
    /// The body, in JSON.
    pub body: Vec<u8>,
    /// The items that were dropped.
    pub report: Report,
}

/// Each item of this filter that such an upstream rejects contains one of these.
const SIGNS: [&str; 3] = [items::SEAL, "\"rs_", "\"item_reference\""];

/// Removes the items of this filter. `None` if there are none, so that the body stays unchanged.
pub fn without_own_items(body: &[u8]) -> Option<NativeBody> {
    SIGNS.iter().find(|sign| memmem::find(body, sign.as_bytes()).is_some())?;
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        input: &'a RawValue,
    }
    let input = serde_json::from_str::<Body<'_>>(json::checked_utf8(body).ok()?).ok()?.input;
    let elements: Vec<&RawValue> = serde_json::from_str(input.get()).ok()?;
    let mut report = Report::default();
    let kept: Vec<_> = elements.iter().filter_map(|element| kept(element.get(), &mut report)).collect();
    if kept.len() == elements.len() && kept.iter().all(|item| matches!(item, Cow::Borrowed(_))) {
        return None;
    }
    let begin = json::offset_in(body, input.get().as_bytes())?;
    let (before, after) = (body.get(..begin)?, body.get(begin + input.get().len()..)?);
    let body = [before, b"[", kept.join(",").as_bytes(), b"]", after].concat();
    Some(NativeBody { body, report })
}

/// What is left of an item for the upstream.
fn kept<'a>(item: &'a str, report: &mut Report) -> Option<Cow<'a, str>> {
    let unchanged = Some(Cow::Borrowed(item));
    let Ok(marks) = serde_json::from_str::<Marks<'_>>(item) else { return unchanged };
    match items::unseal(&marks, report) {
        Unsealed::Unchanged => unchanged,
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
    fn a_body_without_a_sign_stays_as_it_is() {
        let minted = "rs_000000000000000000000000000000010002";
        for body in [
            r#"{"input":"hi"}"#,
            r#"{"input":[{"type":"reasoning","encrypted_content":"gAAAA"}]}"#,
            r#"{"input":[{"type":"reasoning","id":"rs_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e78"} ]}"#,
            r#"{"input":[{"type":"item_reference","id":"msg_1"} ]}"#,
            r#"{"input":[{"type":"item_reference","id":"fc_000000000000000000000000000000010002"} ]}"#,
            &format!(r#"{{"input":[{{"type":"reasoning","id":"{minted}","encrypted_content":"gAAAA"}} ]}}"#),
            &format!(r#"{{"input":[{{"role":"user","content":"{minted}"}} ]}}"#),
            "",
            "{",
        ] {
            assert!(without_own_items(body.as_bytes()).is_none(), "{body}");
        }
        // Only text that mentions the prefix.
        let words = format!(r#"{{"input":"what is {}?"}}"#, items::SEAL);
        assert!(without_own_items(words.as_bytes()).is_none());
    }

    #[test]
    fn an_id_that_only_this_filter_knows_is_taken_out() {
        let body = r#"{"input":[{"type":"reasoning","id":"rs_000000000000000000000000000000010002","summary":[]},
            {"type":"item_reference","id":"msg_000000000000000000000000000000010003"},
            {"type":"message","id":"msg_000000000000000000000000000000010003","role":"assistant","content":"7"}]}"#;
        let native = without_own_items(body.as_bytes()).unwrap();
        let kept: serde_json::Value = serde_json::from_slice(&native.body).unwrap();
        assert_eq!(kept["input"][0]["content"], "7");
        assert_eq!(native.report.all_dropped(), ["item:reasoning", "item:item_reference"]);
    }

    #[test]
    fn all_other_bytes_stay() {
        let body = format!(
            r#"{{ "n":1.0, "input" : [ {{"type":"reasoning","encrypted_content":"{seal}x"}} , {{ "role":"user","content":"{seal}" }}] ,"x":[]}}"#,
            seal = items::SEAL
        );
        let native = without_own_items(body.as_bytes()).unwrap();
        let expected =
            format!(r#"{{ "n":1.0, "input" : [{{ "role":"user","content":"{}" }}] ,"x":[]}}"#, items::SEAL);
        assert_eq!(String::from_utf8(native.body).unwrap(), expected);
        assert_eq!(native.report.all_dropped(), ["item:reasoning"]);
    }
}
