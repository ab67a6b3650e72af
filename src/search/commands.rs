//! The model's commands: what the engine is asked, and what the model is told about the others.

use super::engine::Engine;
use super::pages::Page;
use crate::error::{ApiError, Code};
use crate::json;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What one request asks for.
pub(super) struct Commands {
    pub(super) wanted: Option<Wanted>,
    pub(super) notes: Vec<String>,
    pub(super) limit: usize,
}

/// What the engine is asked for. One exchange can ask it once.
pub(super) enum Wanted {
    Results(Query),
    Pages(Vec<Page>),
}

/// A search query.
#[derive(Deserialize)]
pub(super) struct Query {
    q: String,
    /// The greatest age of results, in days.
    #[serde(default)]
    recency: Option<f64>,
    #[serde(default)]
    domains: Option<Vec<String>>,
}

/// Of Codex's request nothing else is read: the conversation, `input`, is skipped.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    commands: Map<String, Value>,
    #[serde(default)]
    max_output_tokens: Option<usize>,
}

/// How long an answer is if Codex sets no limit, in tokens.
const DEFAULT_TOKENS: usize = 10_000;

/// A token of English text has about four bytes.
const BYTES_PER_TOKEN: usize = 4;

/// What is no command, but says how commands are meant.
const SETTINGS: [&str; 1] = ["response_length"];

/// `reads_pages`: the engine can be asked for pages.
pub(super) fn read(body: &[u8], reads_pages: bool) -> Result<Commands, ApiError> {
    let request: Request = json::from_bytes(body).map_err(|error| {
        ApiError::of(Code::InvalidJson, format!("The body is not a search request: {}", place(&error)))
    })?;
    let mut notes = Vec::new();
    let (mut query, mut pages) = (None, Vec::new());
    for (command, wanted) in request.commands.iter().filter(|(command, wanted)| is_command(command, wanted)) {
        match command.as_str() {
            "search_query" => query = first(wanted, &mut notes),
            "open" | "find" if reads_pages => pages.extend(Page::list(command, wanted, &mut notes)),
            command => notes.push(unserved(command, reads_pages)),
        }
    }
    if query.is_some() && !pages.is_empty() {
        notes.push("No page was opened. Do that in a call of its own.".to_owned());
    }
    let wanted = query.map(Wanted::Results).or_else(|| (!pages.is_empty()).then_some(Wanted::Pages(pages)));
    if wanted.is_none() && notes.is_empty() {
        notes.push("There was nothing to search for. Use `search_query`.".to_owned());
    }
    let limit = request.max_output_tokens.unwrap_or(DEFAULT_TOKENS).saturating_mul(BYTES_PER_TOKEN);
    Ok(Commands { wanted, notes, limit })
}

fn is_command(name: &str, wanted: &Value) -> bool {
    let is_empty = wanted.is_null() || wanted.as_array().is_some_and(Vec::is_empty);
    !is_empty && !SETTINGS.contains(&name)
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
        other => format!("`{other}` is not available here; only `search_query` is."),
    }
}

/// The first query. The model is told to ask for the others again.
fn first(wanted: &Value, notes: &mut Vec<String>) -> Option<Query> {
    let mut queries =
        wanted.as_array().into_iter().flatten().filter_map(|query| Query::deserialize(query).ok());
    let first = queries.by_ref().find(|query| !query.q.trim().is_empty());
    let others: Vec<String> = queries.map(|query| format!("\"{}\"", query.q)).collect();
    if !others.is_empty() {
        notes.push(format!(
            "Only the first query was searched for. Search again, with one call for each of: {}.",
            others.join(", ")
        ));
    }
    first
}

impl Query {
    /// The fields of the engine's request.
    pub(super) fn fields(self, engine: &Engine) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.extend(engine.fixed.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        let domains = self.domains.unwrap_or_default();
        let mut query = self.q;
        match engine.domains {
            _ if domains.is_empty() => {}
            Some(field) => drop(fields.insert(field.to_owned(), domains.into())),
            None => query = format!("{query} {}", sites(&domains)),
        }
        if let Some(days) = self.recency {
            let (field, [day, week, month, year]) = engine.recency;
            let word = match days {
                ..=1.0 => day,
                ..=7.0 => week,
                ..=31.0 => month,
                _ => year,
            };
            fields.insert(field.to_owned(), word.into());
        }
        fields.insert(engine.query.to_owned(), query.into());
        fields
    }
}

/// Domains in the syntax that nearly all engines know.
fn sites(domains: &[String]) -> String {
    let sites: Vec<String> = domains.iter().map(|domain| format!("site:{domain}")).collect();
    sites.join(" OR ")
}

/// serde's message may quote the body.
/// A body that is not UTF-8 has no lines.
fn place(error: &serde_json::Error) -> String {
    match error.line() {
        0 => error.to_string(),
        line => format!("line {line}, column {}", error.column()),
    }
}
