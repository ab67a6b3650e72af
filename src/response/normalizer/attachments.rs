//! Attachments to the text of a reply: citations, images and lists of sources.

use super::reasoning::is_nested;
use crate::items;
use crate::report::Dropped;
use crate::response::delta::{Delta, DeltaSink};
use crate::response::outcome::Failure;
use serde_json::Value;
use serde_json::value::RawValue;

/// Reports a list that has no counterpart in the Responses API, unless it is empty.
pub(super) fn unsupported(
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
    list.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
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
