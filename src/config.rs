//! The plugin configuration: parse, validate, one clear error with the JSON path.
//!
//! What an operator wrote wrong is refused when Envoy loads it, not met in traffic:
//! unknown keys are errors, and whatever later becomes a header value is checked here.

use crate::chat;
use crate::responses::Request;
use crate::upstream::{self, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The parsed plugin configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// POSTs to these paths are translated (the query is ignored); all else passes untouched.
    pub paths: Vec<String>,
    /// The upstream of every model that no rule sends elsewhere.
    pub upstream: Options,
    /// What is different for some models; the first match wins.
    pub models: Vec<Rule>,
    /// The request's headers wait for its body, so that they can follow from it.
    /// Needs Envoy's `allow_on_headers_stop_iteration`.
    pub hold_request_headers: bool,
    /// What to do with tool calls and outputs that do not pair up.
    pub history: History,
    /// How much may be held in memory.
    pub limits: Limits,
}

/// What is different for the models that match.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The models that the rule is about; `*` stands for any run of characters.
    pub pattern: String,
    /// The model to ask of the upstream instead.
    pub model: Option<String>,
    /// The options of the upstream, if not those of [`Config::upstream`].
    pub upstream: Option<Options>,
    /// The value of `x-transponder-upstream`, on which Envoy's routes may choose the cluster.
    pub route: Option<String>,
}

/// What to do with tool calls and outputs that do not pair up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// A 400, as OpenAI answers.
    #[default]
    Strict,
    /// Unanswered calls get an answer that says so, orphaned outputs are dropped.
    Repair,
}

/// How much may be held in memory. Taking chunks out of Envoy's hands removes Envoy's own bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest request body. Long agent sessions with images reach tens of megabytes.
    pub request_bytes: usize,
    /// The largest reply that has to be held whole.
    pub reply_bytes: usize,
    /// The largest single event of a stream.
    pub event_bytes: usize,
}

/// Where a model's requests go.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The model to ask for: the rule's, or the one that the client named.
    pub model: &'a str,
    /// What the upstream accepts and how it answers.
    pub options: &'a Options,
    /// The value of `x-transponder-upstream`, if the rule has one.
    pub route: Option<&'a str>,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    /// The JSON path, e.g. `models[0].upstream`; `configuration` for the whole.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl Config {
    /// Parses and validates a configuration. No bytes at all stand for `{}`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its JSON path.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
        // serde would also take an array of the values in the order of their keys.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(wrong("", "expected a JSON object"));
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let written: Written = located("", &mut json)?;
        json.end().map_err(|error| wrong("", error.to_string()))?;
        written.resolve()
    }

    /// The presets that are in use, each once.
    pub fn presets(&self) -> Vec<&'static str> {
        let rules = self.models.iter().filter_map(|rule| rule.upstream.as_ref());
        let all: BTreeSet<_> = rules.chain([&self.upstream]).map(|options| options.preset).collect();
        all.into_iter().collect()
    }

    /// Where the requests for a model go: by the first rule that matches, or as asked.
    pub fn route<'a>(&'a self, model: &'a str) -> Route<'a> {
        let rule = self.models.iter().find(|rule| matches(&rule.pattern, model));
        Route {
            model: rule.and_then(|rule| rule.model.as_deref()).unwrap_or(model),
            options: rule.and_then(|rule| rule.upstream.as_ref()).unwrap_or(&self.upstream),
            route: rule.and_then(|rule| rule.route.as_deref()),
        }
    }
}

impl Default for Config {
    /// What `{}` means.
    fn default() -> Self {
        let written = Written::default();
        Self {
            paths: written.paths,
            upstream: Options::default(),
            models: Vec::new(),
            hold_request_headers: written.hold_request_headers,
            history: written.history,
            limits: written.limits,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_bytes: 64 << 20, reply_bytes: 64 << 20, event_bytes: 8 << 20 }
    }
}

/// The configuration as it is written, before presets are looked up.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    paths: Vec<String>,
    upstream: Option<Value>,
    models: Vec<WrittenRule>,
    hold_request_headers: bool,
    history: History,
    limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    r#match: String,
    model: Option<String>,
    upstream: Option<Value>,
    route: Option<String>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            paths: vec!["/v1/responses".to_owned(), "/responses".to_owned()],
            upstream: None,
            models: Vec::new(),
            hold_request_headers: false,
            history: History::default(),
            limits: Limits::default(),
        }
    }
}

impl Written {
    fn resolve(self) -> Result<Config, ConfigError> {
        check_paths(&self.paths)?;
        check_limits(&self.limits)?;
        let upstream = self.upstream.map(|value| options("upstream", value)).transpose()?;
        let models = self.models.into_iter().enumerate();
        Ok(Config {
            paths: self.paths,
            upstream: upstream.unwrap_or_default(),
            models: models.map(|(index, rule)| rule.resolve(index)).collect::<Result<_, _>>()?,
            hold_request_headers: self.hold_request_headers,
            history: self.history,
            limits: self.limits,
        })
    }
}

impl WrittenRule {
    fn resolve(self, index: usize) -> Result<Rule, ConfigError> {
        let at = |key: &str| format!("models[{index}].{key}");
        check_given(&at("match"), Some(&self.r#match))?;
        check_given(&at("model"), self.model.as_deref())?;
        check_header_value(&at("route"), self.route.as_deref())?;
        let upstream = self.upstream.map(|value| options(&at("upstream"), value)).transpose()?;
        Ok(Rule { pattern: self.r#match, model: self.model, upstream, route: self.route })
    }
}

/// The options of a preset's name, or of an object that overrides a preset.
fn options(at: &str, value: Value) -> Result<Options, ConfigError> {
    let (name_at, name, overrides) = match value {
        Value::String(name) => (at.to_owned(), name, Map::new()),
        Value::Object(overrides) => based_on(at, overrides)?,
        _ => {
            return Err(wrong(at, "expected a preset's name or an object of options"));
        }
    };
    let Some((preset, base)) = upstream::preset(&name) else {
        let known = upstream::preset_names().collect::<Vec<_>>().join(", ");
        return Err(wrong(&name_at, format!("unknown preset `{name}`, expected one of: {known}")));
    };
    let mut json = serde_json::Deserializer::from_str(base);
    let mut merged: Map<String, Value> = located(at, &mut json)?;
    upstream::override_with(&mut merged, overrides);
    let options = Options { preset, ..located(at, Value::Object(merged))? };
    check_path(&join(at, "path"), &options.path)?;
    check_pass_fields(&join(at, "pass_fields"), &options.pass_fields)?;
    check_call_id_chars(&join(at, "tool_call_id_chars"), options.tool_call_id_chars)?;
    Ok(options)
}

/// Takes the preset's name out of an object of options.
fn based_on(
    at: &str,
    mut overrides: Map<String, Value>,
) -> Result<(String, String, Map<String, Value>), ConfigError> {
    let name_at = join(at, "preset");
    match overrides.remove("preset") {
        None => Ok((name_at, "generic".to_owned(), overrides)),
        Some(Value::String(name)) => Ok((name_at, name, overrides)),
        Some(_) => Err(wrong(&name_at, "expected a preset's name")),
    }
}

fn check_paths(paths: &[String]) -> Result<(), ConfigError> {
    if paths.is_empty() {
        return Err(wrong("paths", "expected at least one path, e.g. `/v1/responses`"));
    }
    paths.iter().enumerate().try_for_each(|(index, path)| {
        let at = format!("paths[{index}]");
        check_path(&at, path)?;
        // A query is never compared, so a path that has one would never match.
        if path.contains('?') {
            return Err(wrong(&at, format!("`{path}` has a query; leave it out, any query matches")));
        }
        // `/v1/responses/` would make `/v1/responses` itself pass untouched.
        if path.ends_with('/') {
            return Err(wrong(&at, format!("`{path}` ends with `/`; leave that out")));
        }
        Ok(())
    })
}

fn check_path(at: &str, path: &str) -> Result<(), ConfigError> {
    if !path.starts_with('/') {
        return Err(wrong(at, format!("`{path}` does not begin with `/`")));
    }
    check_header_value(at, Some(path))
}

/// A field that is served here, or that is written here, cannot be passed on besides.
fn check_pass_fields(at: &str, fields: &[String]) -> Result<(), ConfigError> {
    let taken = |name: &str| Request::is_served(name) || chat::request::Request::FIELDS.contains(&name);
    fields.iter().enumerate().try_for_each(|(index, name)| match name.as_str() {
        name if name.is_empty() || taken(name) => {
            Err(wrong(&format!("{at}[{index}]"), format!("`{name}` is not for passing on: it is translated")))
        }
        _ => Ok(()),
    })
}

/// Shortened ids are hexadecimal digits; fewer could not tell the calls of a long conversation apart.
const FEWEST_CALL_ID_CHARS: usize = 8;

fn check_call_id_chars(at: &str, chars: usize) -> Result<(), ConfigError> {
    match chars {
        FEWEST_CALL_ID_CHARS.. => Ok(()),
        _ => Err(wrong(at, format!("expected at least {FEWEST_CALL_ID_CHARS}"))),
    }
}

fn check_limits(limits: &Limits) -> Result<(), ConfigError> {
    let all = [
        ("limits.request_bytes", limits.request_bytes),
        ("limits.reply_bytes", limits.reply_bytes),
        ("limits.event_bytes", limits.event_bytes),
    ];
    match all.iter().find(|(_, limit)| *limit == 0) {
        Some((at, _)) => Err(wrong(at, "expected more than 0")),
        None => Ok(()),
    }
}

fn check_given(at: &str, text: Option<&str>) -> Result<(), ConfigError> {
    match text {
        Some("") => Err(wrong(at, "expected a text that is not empty")),
        _ => Ok(()),
    }
}

/// Envoy does not check the header values that a filter sets, so they are checked before.
fn check_header_value(at: &str, text: Option<&str>) -> Result<(), ConfigError> {
    check_given(at, text)?;
    match text {
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(wrong(at, "expected visible ASCII characters only, as it becomes a header's value"))
        }
        _ => Ok(()),
    }
}

/// Deserializes what stands at a path; an error says where below it.
fn located<'de, T: DeserializeOwned>(
    at: &str,
    json: impl serde::Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        // `.` is the whole, `?` is a place that the reader never reached.
        let below = if matches!(path.as_str(), "." | "?") { "" } else { &path };
        wrong(&join(at, below), error.into_inner().to_string())
    })
}

fn join(at: &str, below: &str) -> String {
    match (at, below) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{at}.{below}"),
    }
}

fn wrong(at: &str, message: impl Into<String>) -> ConfigError {
    let path = if at.is_empty() { "configuration" } else { at };
    ConfigError { path: path.to_owned(), message: message.into() }
}

/// Whether a text is what a pattern says, where `*` stands for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    // The leftmost place for each part leaves most to the parts after it.
    for part in middle.split('*') {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
