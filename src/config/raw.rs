//! The configuration as it is written, and what it becomes.

use super::check::{self, join, wrong};
use super::{Config, ConfigError, History, Limits, NATIVE, REFUSE, Rule, Upstream};
use crate::json;
use crate::upstream::{self, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The configuration of the plugin: the same in Envoy's `configuration` and in Istio's `pluginConfig`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConfig {
    /// POSTs to these are translated, the query ignored; all else passes untouched. `/compact` below them is translated too.
    pub(super) paths: Vec<String>,
    /// The upstream of every model that no rule sends elsewhere. Absent: the preset `generic`.
    #[cfg_attr(test, schemars(schema_with = "super::schema::upstream"))]
    pub(super) upstream: Option<Value>,
    /// What is different for some models. The first rule that matches counts.
    pub(super) models: Vec<RawRule>,
    /// The request's headers wait for its body, so that path, length and routing headers can follow from it.
    /// Needs `allow_on_headers_stop_iteration: true` in Envoy's plugin configuration.
    pub(super) hold_request_headers: bool,
    /// What to do with tool calls and outputs that do not pair up.
    pub(super) history: History,
    /// How much may be held in memory for one exchange.
    pub(super) limits: Limits,
}

/// What is different for the models that match.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Rule"))]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// The models that the rule is about; `*` stands for any run of characters.
    r#match: String,
    /// The model to ask of the upstream instead.
    model: Option<String>,
    /// The upstream, if not the top-level one.
    #[cfg_attr(test, schemars(schema_with = "super::schema::upstream"))]
    upstream: Option<Value>,
    /// The value of the request header `x-transponder-upstream`, on which Envoy's routes may choose the cluster.
    /// Needs `hold_request_headers`.
    route: Option<String>,
}

/// Reads a configuration, before presets are looked up.
pub(super) fn parse(bytes: &[u8]) -> Result<RawConfig, ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|error| wrong("", error.to_string()))?;
    match text.trim_start() {
        "" => Ok(RawConfig::default()),
        object if object.starts_with('{') => {
            located(text).map_err(|(path, error)| wrong(&path, error.to_string()))
        }
        // serde would also take an array of the values in the order of their keys.
        _ => Err(wrong("", "expected a JSON object")),
    }
}

impl Default for RawConfig {
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

impl RawConfig {
    /// Looks up the presets, and checks what types cannot say.
    pub(super) fn resolve(self) -> Result<Config, ConfigError> {
        check::paths(&self.paths)?;
        check::limits(&self.limits)?;
        let held = self.hold_request_headers;
        let upstream = self.upstream.map(|value| upstream("upstream", value, held)).transpose()?;
        let models = self.models.into_iter().enumerate();
        Ok(Config {
            paths: self.paths,
            upstream: upstream.unwrap_or_default(),
            models: models.map(|(index, rule)| rule.resolve(index, held)).collect::<Result<_, _>>()?,
            hold_request_headers: self.hold_request_headers,
            history: self.history,
            limits: self.limits,
        })
    }
}

impl RawRule {
    fn resolve(self, index: usize, held: bool) -> Result<Rule, ConfigError> {
        let at = |key: &str| format!("models[{index}].{key}");
        check::given(&at("match"), Some(&self.r#match))?;
        check::given(&at("model"), self.model.as_deref())?;
        check::header_value(&at("route"), self.route.as_deref())?;
        let upstream = self.upstream.map(|value| upstream(&at("upstream"), value, held)).transpose()?;
        Ok(Rule { pattern: self.r#match, model: self.model, upstream, route: self.route })
    }
}

/// The upstream of a name, or of an object that overrides a preset.
fn upstream(at: &str, value: Value, held: bool) -> Result<Upstream, ConfigError> {
    let (name_at, name, overrides) = match value {
        Value::String(name) => (at.to_owned(), name, Map::new()),
        Value::Object(overrides) => based_on(at, overrides)?,
        _ => {
            return Err(wrong(at, "expected a preset's name or an object of options"));
        }
    };
    match name.as_str() {
        NATIVE => native(at, overrides, held),
        REFUSE if overrides.is_empty() => Ok(Upstream::Refuse),
        REFUSE => Err(wrong(at, "`refuse` has no options")),
        _ => chat(at, &name_at, &name, overrides),
    }
}

/// A host that speaks Responses itself. Which requests are its, only their bodies say.
fn native(at: &str, options: Map<String, Value>, held: bool) -> Result<Upstream, ConfigError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Native {
        path: Option<String>,
    }
    let Native { path } = options_of(at, options)?;
    path.as_deref().map_or(Ok(()), |path| check::path(&join(at, "path"), path))?;
    match held {
        true => Ok(Upstream::Native(path)),
        false => Err(wrong(
            at,
            "`native` needs `\"hold_request_headers\": true`: which requests are not to be translated follows from \
             their model, and by then headers that do not wait are gone",
        )),
    }
}

fn chat(at: &str, name_at: &str, name: &str, overrides: Map<String, Value>) -> Result<Upstream, ConfigError> {
    let Some((preset, base)) = upstream::preset(name) else {
        let known = upstream::preset_names().collect::<Vec<_>>().join(", ");
        return Err(wrong(
            name_at,
            format!("unknown preset `{name}`, expected one of: {known}, {NATIVE}, {REFUSE}"),
        ));
    };
    let mut merged = serde_json::from_str(base).map_err(|error| wrong(at, error.to_string()))?;
    upstream::override_with(&mut merged, overrides);
    let options = Options { preset, ..options_of(at, merged)? };
    check::options(at, &options)?;
    Ok(Upstream::Chat(Box::new(options)))
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

/// Reads options that stand at a path.
fn options_of<T: DeserializeOwned>(at: &str, options: Map<String, Value>) -> Result<T, ConfigError> {
    located(json::RawJson::new(&options).get()).map_err(|(below, error)| {
        let message = error.to_string();
        // That is a place in a text which nobody wrote.
        let place = format!(" at line {} column {}", error.line(), error.column());
        wrong(&join(at, &below), message.strip_suffix(&place).unwrap_or(&message))
    })
}

/// Reads a JSON text; an error comes with the path to where it was found.
fn located<T: DeserializeOwned>(json: &str) -> Result<T, (String, serde_json::Error)> {
    serde_json::from_str(json).map_err(|error| (json::path_of(&error, json), error))
}
