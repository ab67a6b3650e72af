//! The items of a conversation as a record holds them, and as `GET /responses/{id}/input_items` shows them: with an id, a
//! type, and content in parts.

use super::{is, text};
use crate::items;
use crate::json::{JsonStr, TapeValue};
use crate::store::ResponseId;
use crate::wire::typed::Located;
use std::borrow::Cow;

/// The items in a JSON array, and the user's words after them.
pub(in crate::request) fn conversation(
    items: &[Located<'_, '_>],
    words: Option<&JsonStr<'_>>,
    id: ResponseId,
) -> String {
    let bytes: usize = items.iter().map(|item| item.value.get().len() + ADDED).sum();
    let mut json = String::with_capacity(bytes);
    // It would ask for a summary with every turn.
    let kept = items.iter().map(|item| item.value).filter(|item| !is(*item, "compaction_trigger"));
    let mut position = 0;
    for item in kept {
        json.push(if position == 0 { '[' } else { ',' });
        push(item, position, id, &mut json);
        position += 1;
    }
    if let Some(words) = words {
        json.push(if position == 0 { '[' } else { ',' });
        let id = id.input_item(&items::id_prefix("message"), position);
        let content = part(None, words);
        json.push_str(&format!(r#"{{"id":"{id}","type":"message","role":"user","content":{content}}}"#));
    }
    if json.is_empty() { "[]".to_owned() } else { json + "]" }
}

/// What an item gets in addition, in bytes.
const ADDED: usize = 128;

fn push(item: TapeValue<'_>, position: usize, id: ResponseId, json: &mut String) {
    let item_type = text(item, "type").unwrap_or(Cow::Borrowed("message"));
    json.push('{');
    if text(item, "id").is_none() {
        let id = id.input_item(&items::id_prefix(&item_type), position);
        json.push_str(&format!(r#""id":"{id}","#));
    }
    json.push_str(&format!(r#""type":{}"#, JsonStr::new(&item_type).as_json()));
    for (name, value) in item.fields() {
        if name.is("type") || (name.is("id") && value.string().is_none()) {
            continue;
        }
        json.push(',');
        json.push_str(name.get());
        json.push(':');
        match value.text().filter(|_| item_type == "message" && name.is("content")) {
            Some(words) => json.push_str(&part(text(item, "role").as_deref(), &words)),
            None => json.push_str(value.get()),
        }
    }
    json.push('}');
}

fn part(role: Option<&str>, words: &JsonStr<'_>) -> String {
    match role {
        Some("assistant") => {
            format!(r#"[{{"type":"output_text","text":{},"annotations":[]}}]"#, words.as_json())
        }
        _ => format!(r#"[{{"type":"input_text","text":{}}}]"#, words.as_json()),
    }
}
