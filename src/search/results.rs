//! The engine's results, as Codex takes them.

use super::engine::{Engine, Results};
use crate::json;
use serde::Serialize;
use serde_json::Value;

/// How many results the model gets.
const MOST: usize = 10;

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
    let list = |place: &str| document.pointer(place).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let answers: Vec<String> = engine
        .answers
        .iter()
        .flat_map(|(place, field)| list(place).iter().map(|answer| text(answer, field).to_owned()))
        .filter(|answer| !answer.is_empty())
        .collect();
    let results = engine.results.iter();
    let found = results.flat_map(|kind| list(kind.place).iter().filter_map(|result| Found::of(result, kind)));
    let found: Vec<_> = found.take(MOST).collect();
    match engine.silent {
        _ if !found.is_empty() || !answers.is_empty() => shortened(answers, found, limit),
        Some(place) if !list(place).is_empty() => Outcome::NoSource,
        _ => Outcome::Nothing,
    }
}

/// The answers, and as many results as fit, at least one.
fn shortened(mut parts: Vec<String>, mut results: Vec<Found>, limit: usize) -> Outcome {
    let mut length: usize = parts.iter().map(String::len).sum();
    let mut kept = 0;
    for found in &results {
        let shown = found.shown(kept + 1);
        length += shown.len();
        if length > limit && kept > 0 {
            break;
        }
        parts.push(shown);
        kept += 1;
    }
    results.truncate(kept);
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
