//! The model's commands: what the engine is asked, and what the model is told about the others.

use super::notes::{Notes, named};
use super::pages::Page;
use super::query::Query;
use crate::error::{ApiError, Code};
use crate::json;
use serde::Deserialize;
use serde_json::Value;

/// What one request asks for.
pub(super) struct Commands {
    pub(super) wanted: Option<Wanted>,
    pub(super) notes: Notes,
    /// How long the answer may be, in bytes.
    pub(super) limit: usize,
}

/// What the engine is asked for. One exchange can ask it once.
pub(super) enum Wanted {
    Results(Query),
    Pages(Vec<Page>),
}

/// Of Codex's request nothing else is read: the conversation, `input`, is skipped.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    commands: Value,
    #[serde(default)]
    settings: Value,
    #[serde(default)]
    max_output_tokens: Value,
}

/// How long an answer is if Codex sets no limit, in tokens.
const DEFAULT_TOKENS: u64 = 10_000;

/// The shortest limit that is kept to, so that at least a sentence fits.
const MIN_TOKENS: u64 = 50;

/// A token of English text has about four bytes.
const BYTES_PER_TOKEN: u64 = 4;

/// The keys of `commands` that are no commands, but say how the commands are meant.
const SETTINGS: [&str; 1] = ["response_length"];

/// The settings of the user for all searches that no engine is sent.
const UNSERVED_SETTINGS: [&str; 2] = ["filters", "user_location"];

/// `reads_pages`: the engine can be asked for pages.
pub(super) fn read(body: &[u8], reads_pages: bool) -> Result<Commands, ApiError> {
    let request: Request = json::from_bytes(body).map_err(|error| {
        ApiError::of(Code::InvalidJson, format!("The body is not a search request: {}", place(&error)))
    })?;
    let mut notes = Notes::default();
    let commands = commands(&request.commands, &mut notes);
    let (mut query, mut pages) = (None, Vec::new());
    for (command, wanted) in commands {
        match command.as_str() {
            "search_query" => query = Query::first(wanted, &mut notes),
            "open" | "find" if reads_pages => pages.extend(Page::list(command, wanted, &mut notes)),
            command => notes.add(unserved(command, reads_pages)),
        }
    }
    if query.is_some() && !pages.is_empty() {
        notes.add("No page was opened. Do that in a call of its own.");
    }
    let wanted = query.map(Wanted::Results).or_else(|| (!pages.is_empty()).then_some(Wanted::Pages(pages)));
    if wanted.is_none() && notes.is_empty() {
        notes.add("There was nothing to search for. Use `search_query`.");
    }
    let is_set = |name: &&str| request.settings.get(*name).is_some_and(|setting| !is_empty(setting));
    for name in UNSERVED_SETTINGS.into_iter().filter(is_set) {
        notes.add(format!("The setting `{name}` is not available here, so it was not applied."));
    }
    let limit = limit(&request.max_output_tokens, &mut notes);
    Ok(Commands { wanted, notes, limit })
}

/// The commands that ask for something.
fn commands<'v>(
    commands: &'v Value,
    notes: &mut Notes,
) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
    let known = commands.as_object();
    if known.is_none() && !is_empty(commands) {
        notes.add("`commands` was left out: it must be an object.");
    }
    let all = known.into_iter().flatten();
    all.filter(|(name, wanted)| !is_empty(wanted) && !SETTINGS.contains(&name.as_str()))
}

/// Whether nothing is asked for.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.values().all(Value::is_null),
        _ => false,
    }
}

/// How long the answer may be, in bytes.
fn limit(tokens: &Value, notes: &mut Notes) -> usize {
    // The cast saturates.
    let number = tokens
        .as_u64()
        .or_else(|| tokens.as_f64().filter(|tokens| *tokens >= 0.0).map(|tokens| tokens as u64));
    if number.is_none() && !tokens.is_null() {
        notes
            .add(format!("`max_output_tokens` was ignored: it must be a number. {DEFAULT_TOKENS} was used."));
    }
    let bytes = number.unwrap_or(DEFAULT_TOKENS).max(MIN_TOKENS).saturating_mul(BYTES_PER_TOKEN);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// What the model is told about a command that is not served.
fn unserved(command: &str, reads_pages: bool) -> String {
    match command {
        "open" | "click" | "find" | "screenshot" if reads_pages => {
            format!("`{command}` is not available. Open a page by its address.")
        }
        "open" | "click" | "find" | "screenshot" => format!(
            "`{command}` is not available: the gateway only searches. Use the snippets, or fetch the page with another tool."
        ),
        other => format!("{} is not available here; only `search_query` is.", named(other)),
    }
}

/// serde's message may quote the body. A body that is not UTF-8 has no lines.
fn place(error: &serde_json::Error) -> String {
    match error.line() {
        0 => error.to_string(),
        line => format!("line {line}, column {}", error.column()),
    }
}
