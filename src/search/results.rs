//! The engine's results, as Codex takes them.

use super::engine::{Engine, Results};
use super::notes::{BETWEEN, cut};
use crate::json;
use serde::Serialize;
use serde_json::Value;

/// How many results the model gets.
const MAX_RESULTS: usize = 10;

/// One result. Codex shows the list to the user.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    title: String,
    url: String,
    snippet: String,
    /// By which the model refers to it.
    ref_id: String,
    domain: String,
    r#type: &'static str,
}

#[derive(Serialize)]
struct Answer<'a> {
    output: &'a str,
    results: &'a [Found],
}

/// What the engine's document says.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There are results. First the text for the model, in parts.
    Found(Vec<String>, Vec<Found>),
    /// There are none.
    Nothing,
    /// There are none, because the engine's own sources did not answer.
    NoSource,
    /// It is not the engine's document.
    Unreadable,
}

/// Reads the engine's document. `limit`: bytes of text.
pub(super) fn read(engine: &Engine, document: &[u8], limit: usize) -> Outcome {
    let Ok(document @ Value::Object(_)) = json::from_bytes::<Value>(document) else {
        return Outcome::Unreadable;
    };
    let list =
        |pointer: &str| document.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let answers: Vec<String> = engine
        .answers
        .iter()
        .flat_map(|(pointer, field)| list(pointer).iter().map(|answer| text(answer, field).to_owned()))
        .filter(|answer| !answer.is_empty())
        .collect();
    let results = engine.results.iter();
    let found =
        results.flat_map(|kind| list(kind.pointer).iter().filter_map(|result| Found::of(result, kind)));
    let found: Vec<_> = found.take(MAX_RESULTS).collect();
    match engine.silent {
        _ if !found.is_empty() || !answers.is_empty() => shortened(answers, found, limit),
        Some(pointer) if !list(pointer).is_empty() => Outcome::NoSource,
        _ => Outcome::Nothing,
    }
}

/// The answers, and as many results as fit.
fn shortened(answers: Vec<String>, found: Vec<Found>, limit: usize) -> Outcome {
    // No text takes more than half of it, so that there is room for another.
    let most = limit / 2;
    let (mut parts, mut results) = (Vec::new(), Vec::new());
    let mut room = limit;
    for answer in answers {
        let shown = cut(&answer, most.min(room));
        room = room.saturating_sub(shown.len() + BETWEEN.len());
        parts.push(shown);
    }
    for mut result in found {
        let Some(shown) = result.fitted(results.len() + 1, most) else { continue };
        if shown.len() > room {
            break;
        }
        room = room.saturating_sub(shown.len() + BETWEEN.len());
        parts.push(shown);
        results.push(result);
    }
    if parts.is_empty() {
        parts.push(
            "The results are longer than the answer may be. Allow a longer one, or go on without them."
                .to_owned(),
        );
    }
    Outcome::Found(parts, results)
}

impl Found {
    fn of(result: &Value, kind: &Results) -> Option<Self> {
        let url = Some(text(result, kind.url)).filter(|url| !url.is_empty())?;
        let title = Some(text(result, kind.title)).filter(|title| !title.is_empty()).unwrap_or(url);
        let snippet = text(result, kind.snippet).to_owned();
        Some(Self { title: title.to_owned(), snippet, ..Self::page(url) })
    }

    /// A page of which no more is known than its address.
    pub(super) fn page(url: &str) -> Self {
        Self {
            title: url.to_owned(),
            snippet: String::new(),
            ref_id: url.to_owned(),
            url: url.to_owned(),
            domain: domain(url).to_owned(),
            r#type: "text_result",
        }
    }

    /// The text for the model, with as much of the snippet as fits. `None`: not even its beginning does.
    fn fitted(&mut self, number: usize, limit: usize) -> Option<String> {
        let snippet = std::mem::take(&mut self.snippet);
        let room = limit.checked_sub(self.shown(number).len())?;
        self.snippet = cut(&snippet, room);
        Some(self.shown(number))
    }

    fn shown(&self, number: usize) -> String {
        format!("[{number}] {}\n{}\n{}", self.title, self.url, self.snippet)
    }
}

/// The document that Codex reads.
pub(super) fn document(output: &str, results: &[Found]) -> Vec<u8> {
    serde_json::to_vec(&Answer { output, results }).unwrap_or_default()
}

/// A field's text.
fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default().trim()
}

/// The site of a URL, without `www.`.
fn domain(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.strip_prefix("www.").unwrap_or(authority)
}
