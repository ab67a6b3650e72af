//! The engine's results, as Codex takes them.

use super::engine::Engine;
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
    /// There are results.
    Found(Vec<Found>),
    /// There are none.
    Nothing,
    /// There are none, because the engine's own sources did not answer.
    NoSource,
    /// It is not the engine's document.
    Unreadable,
}

/// Reads the engine's document.
pub(super) fn read(engine: &Engine, document: &[u8]) -> Outcome {
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(document) else {
        return Outcome::Unreadable;
    };
    let list = |place: &str| document.pointer(place).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let found: Vec<_> =
        list(engine.results).iter().filter_map(|result| Found::of(result, engine)).take(MOST).collect();
    match engine.silent {
        _ if !found.is_empty() => Outcome::Found(found),
        Some(place) if !list(place).is_empty() => Outcome::NoSource,
        _ => Outcome::Nothing,
    }
}

impl Found {
    fn of(result: &Value, engine: &Engine) -> Option<Self> {
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let url = text("url");
        if url.is_empty() {
            return None;
        }
        let domain = domain(&url).to_owned();
        let title = Some(text("title")).filter(|title| !title.is_empty()).unwrap_or_else(|| url.clone());
        Some(Self {
            title,
            snippet: text(engine.snippet),
            ref_id: url.clone(),
            url,
            domain,
            r#type: "text_result",
        })
    }

    fn shown(&self, number: usize) -> String {
        format!("[{number}] {}\n{}\n{}", self.title, self.url, self.snippet)
    }
}

/// The answer for these results: as many as fit, and at least one. `limit`: bytes of text.
pub(super) fn answer(results: &[Found], notes: &[String], limit: usize) -> Vec<u8> {
    let (mut parts, mut length) = (Vec::new(), 0);
    for (index, found) in results.iter().enumerate() {
        let shown = found.shown(index + 1);
        length += shown.len();
        if length > limit && index > 0 {
            break;
        }
        parts.push(shown);
    }
    let kept = results.get(..parts.len()).unwrap_or_default();
    parts.extend_from_slice(notes);
    document(&parts.join("\n\n"), kept)
}

/// The document that Codex reads.
pub(super) fn document(output: &str, results: &[Found]) -> Vec<u8> {
    serde_json::to_vec(&Answer { output, results }).unwrap_or_default()
}

/// The site of a URL, without `www.`.
fn domain(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.strip_prefix("www.").unwrap_or(authority)
}
