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
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(document) else {
        return Outcome::Unreadable;
    };
    let list = |place: &str| document.pointer(place).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let found: Vec<_> =
        list(engine.results).iter().filter_map(|result| Found::of(result, engine)).take(MOST).collect();
    match engine.silent {
        _ if !found.is_empty() => shortened(found, limit),
        Some(place) if !list(place).is_empty() => Outcome::NoSource,
        _ => Outcome::Nothing,
    }
}

/// As many results as fit, and at least one.
fn shortened(mut results: Vec<Found>, limit: usize) -> Outcome {
    let (mut parts, mut length) = (Vec::new(), 0);
    for (index, found) in results.iter().enumerate() {
        let shown = found.shown(index + 1);
        length += shown.len();
        if length > limit && index > 0 {
            break;
        }
        parts.push(shown);
    }
    results.truncate(parts.len());
    Outcome::Found(parts, results)
}

impl Found {
    fn of(result: &Value, engine: &Engine) -> Option<Self> {
        let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let url = Some(text("url")).filter(|url| !url.is_empty())?;
        let title = Some(text("title")).filter(|title| !title.is_empty()).unwrap_or(url);
        Some(Self { title: title.to_owned(), snippet: text(engine.snippet).to_owned(), ..Self::page(url) })
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

/// The site of a URL, without `www.`.
fn domain(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.strip_prefix("www.").unwrap_or(authority)
}
