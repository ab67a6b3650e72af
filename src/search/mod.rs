//! Codex's web search, from an engine of the operator's choice.
//!
//! Codex has a tool `web` that it runs itself: it posts the model's commands to `/alpha/search`, together with the conversation, and shows
//! the answer to the model. The commands become one request to the engine. The conversation stays here: only the query, the domains and
//! the age of the results go on, or the addresses of pages. What the engine cannot do, and every failure of it, is told to the model in a sentence, with the status
//! 200, so that Codex goes on.

mod commands;
mod engine;
mod fields;
mod notes;
mod pages;
mod query;
mod results;

use crate::config::Search;
use crate::error::ApiError;
use commands::{Commands, Wanted};
use engine::{Engine, Form};
use notes::{BETWEEN, Notes, cut};
use pages::{Page, Pages};
use query::Query;
use results::Outcome;
use serde_json::{Map, Value};

/// What to do with the commands.
#[derive(Debug)]
pub(crate) enum Dispatch {
    /// Ask the engine.
    ToEngine(EngineRequest),
    /// Answer at once: nothing of it can be searched for.
    Answer(Vec<u8>),
}

/// A request to the engine.
#[derive(Debug)]
pub(crate) struct EngineRequest {
    /// `GET` or `POST`.
    pub(crate) method: &'static str,
    /// Its `:path`.
    pub(crate) path: String,
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// Makes the answer of the reply.
    pub(crate) pending: Pending,
}

/// A search whose reply is still to come.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The engine's name.
    pub(crate) engine: &'static str,
    expected: Expected,
    /// What the model is told besides.
    notes: Notes,
    /// How long the answer may be, in bytes.
    limit: usize,
}

/// What the engine's document has.
#[derive(Debug)]
enum Expected {
    Results(&'static Engine),
    Pages(&'static Pages, Vec<Page>),
}

/// The path at which the engine is asked, as far as it is known before the commands.
pub(crate) fn path(search: &Search) -> &str {
    search.path.as_deref().unwrap_or(Engine::of(search.engine).path)
}

/// The media type of the request's body.
pub(crate) fn content_type(search: &Search) -> &'static str {
    match Engine::of(search.engine).form {
        Form::Urlencoded => "application/x-www-form-urlencoded",
        Form::Query | Form::Json => "application/json",
    }
}

/// Reads the body of `POST /alpha/search`. `path_is_open`: the request can still get another path.
///
/// # Errors
/// It is not what Codex sends.
pub(crate) fn ask(search: &Search, body: &[u8], path_is_open: bool) -> Result<Dispatch, ApiError> {
    let engine = Engine::of(search.engine);
    let pages = engine.pages.as_ref().filter(|_| path_is_open);
    let Commands { wanted, notes, limit } = commands::read(body, pages.is_some())?;
    let pending = |expected| Pending { engine: search.engine.word(), expected, notes, limit };
    Ok(match (wanted, pages) {
        (Some(Wanted::Results(query)), _) => {
            Dispatch::ToEngine(for_results(engine, query, path(search), pending(Expected::Results(engine))))
        }
        (Some(Wanted::Pages(wanted)), Some(pages)) => {
            let (path, body) = (pages.beside(path(search)), pages.body(&wanted));
            Dispatch::ToEngine(EngineRequest {
                method: "POST",
                path,
                body,
                pending: pending(Expected::Pages(pages, wanted)),
            })
        }
        _ => Dispatch::Answer(pending(Expected::Results(engine)).without_results(&[])),
    })
}

fn for_results(engine: &Engine, query: Query, path: &str, pending: Pending) -> EngineRequest {
    let fields = query.fields(engine);
    match engine.form {
        Form::Query => {
            let separator = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{separator}{}", urlencoded(&fields));
            EngineRequest { method: "GET", path, body: Vec::new(), pending }
        }
        Form::Urlencoded => EngineRequest {
            method: "POST",
            path: path.to_owned(),
            body: urlencoded(&fields).into_bytes(),
            pending,
        },
        Form::Json => {
            let body = Value::Object(fields).to_string().into_bytes();
            EngineRequest { method: "POST", path: path.to_owned(), body, pending }
        }
    }
}

impl Pending {
    /// The answer for the engine's document. `Err`: the one that tells of a failure.
    pub(crate) fn answer(&self, document: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let notes = self.notes.text(self.limit / 2);
        let limit = self.limit.saturating_sub(notes.len() + BETWEEN.len());
        let outcome = match &self.expected {
            Expected::Results(engine) => results::read(engine, document, limit),
            Expected::Pages(pages, wanted) => pages.read(wanted, document, limit),
        };
        let sentence = match outcome {
            Outcome::Found(mut parts, results) => {
                parts.extend(Some(notes).filter(|notes| !notes.is_empty()));
                return Ok(results::document(&cut(&parts.join(BETWEEN), self.limit), &results));
            }
            Outcome::Nothing => {
                return Ok(self.without_results(&["The search found nothing. Try other words."]));
            }
            Outcome::NoSource => {
                "The search engine's own sources did not answer. Search again later, or go on without this search."
            }
            Outcome::Unreadable => {
                "The search engine gave an answer that cannot be read. Go on without this search."
            }
        };
        Err(self.without_results(&[sentence]))
    }

    /// The answer if the engine, or Envoy in its place, answered with an error or without a document.
    pub(crate) fn failed(&self, status: u16) -> Vec<u8> {
        self.without_results(&[&failure(status)])
    }

    /// The answer if the engine's document is longer than may be held in memory.
    pub(crate) fn too_long(&self) -> Vec<u8> {
        self.without_results(&["The search engine's answer is too long. Go on without this search."])
    }

    fn without_results(&self, sentences: &[&str]) -> Vec<u8> {
        let notes = self.notes.text(self.limit);
        let output: Vec<&str> =
            sentences.iter().copied().chain([notes.as_str()]).filter(|part| !part.is_empty()).collect();
        results::document(&cut(&output.join(BETWEEN), self.limit), &[])
    }
}

/// The answer if the engine cannot be asked, or Envoy answers in its place before it is.
pub(crate) fn unavailable(status: u16) -> Vec<u8> {
    results::document(&failure(status), &[])
}

fn failure(status: u16) -> String {
    let why = match status {
        200..300 => "The search engine gave an answer that cannot be read",
        401 | 403 => "The search engine refused the gateway",
        408 | 504 => "The search engine did not answer in time",
        429 => "The search engine's quota is used up for now",
        500.. => "The search engine is not available",
        _ => "The search engine refused the search",
    };
    format!("{why} (status {status}). Go on without this search.")
}

/// Fields as an HTML form writes them.
fn urlencoded(fields: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(&text(value))));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
