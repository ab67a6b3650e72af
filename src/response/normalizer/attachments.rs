//! Attachments to the text of a reply: citations, images and lists of sources.

use super::reasoning::is_nested;
use super::seen::SeenInDeltas;
use crate::items;
use crate::json;
use crate::report::Dropped;
use crate::response::delta::{Delta, DeltaSink};
use crate::response::outcome::Failure;
use crate::wire::chat::reply::{Completion, Message};
use serde_json::Value;
use serde_json::value::RawValue;

/// What is beside the choices: lists of sources.
pub(super) fn of_chunk(chunk: &Completion<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
    unsupported(chunk.citations, Dropped::Annotation, "citations", sink)?;
    unsupported(chunk.search_results, Dropped::Annotation, "search_results", sink)
}

/// What is beside the text. A complete message repeats the annotations of the deltas in their order, as it does with calls.
pub(super) fn of_message(
    message: &Message<'_>,
    repeated: SeenInDeltas,
    sink: &mut impl DeltaSink,
) -> Result<(), Failure> {
    let all = elements(message.annotations);
    annotations(all.get(repeated.annotations..).unwrap_or_default(), sink)?;
    if repeated.images { Ok(()) } else { unsupported(message.images, Dropped::Part, "image", sink) }
}

/// Reports a list that has no counterpart in the Responses API, unless it is empty.
fn unsupported(
    list: Option<&RawValue>,
    kind: Dropped,
    name: &str,
    sink: &mut impl DeltaSink,
) -> Result<(), Failure> {
    match list.filter(|raw| is_nested(raw)) {
        Some(_) => sink.delta(Delta::Unsupported { kind, name }),
        None => Ok(()),
    }
}

/// The elements of a list.
pub(super) fn elements(list: Option<&RawValue>) -> Vec<Value> {
    list.and_then(|raw| json::from_text(raw.get()).ok()).unwrap_or_default()
}

/// Emits the citations among `annotations`, and reports the others by their type.
pub(super) fn annotations(annotations: &[Value], sink: &mut impl DeltaSink) -> Result<(), Failure> {
    annotations.iter().try_for_each(|annotation| match items::annotation(annotation) {
        Some(citation) => sink.delta(Delta::Citation(citation)),
        None => {
            let name = annotation.get("type").and_then(Value::as_str).unwrap_or_default();
            sink.delta(Delta::Unsupported { kind: Dropped::Annotation, name })
        }
    })
}
