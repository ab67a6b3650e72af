//! The configuration as it is written, and how it is read.

use super::check::{self, join};
use super::error::Errors;
use super::explain;
use super::position;
use super::store;
use super::{Catalog, Config, GENERIC, History, Limits, NATIVE, REFUSE, Rule, Search, Upstream};
use crate::json::{self, RawJson};
use crate::upstream::{self, Options};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The configuration of the plugin: the same in Envoy's `configuration` and in Istio's `pluginConfig`.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConfig {
    /// The paths whose POST requests are translated. The filter also answers what is below them (`/compact`, `/input_tokens`, stored responses), and `models` and `alpha/search` beside them if they are configured. The query is ignored. Other requests pass on.
    pub(super) paths: Vec<String>,
    /// The upstream for models without a rule, or whose rule names no upstream. If absent, the preset `generic`.
    #[cfg_attr(test, schemars(schema_with = "super::schema::upstream"))]
    pub(super) upstream: Option<Value>,
    /// Rules for some models. The first one that matches applies.
    #[cfg_attr(test, schemars(with = "Vec<RawRule>"))]
    pub(super) models: Vec<Value>,
    /// Whether the request's headers wait for its body, so that the path, the length and the routing headers can depend on it.
    /// Needs `allow_on_headers_stop_iteration: true` in Envoy's plugin configuration. The native module always holds them.
    pub(super) hold_request_headers: bool,
    /// What happens to tool calls without an output and outputs without a call.
    pub(super) history: History,
    /// How many bytes one exchange may hold in memory.
    #[serde(deserialize_with = "json::object")]
    pub(super) limits: Limits,
    /// The request headers that may have the id of the conversation; the first that is there counts. Its hash becomes the request
    /// header `x-transponder-session`, by which Envoy's `hash_policy` finds the endpoint that has the beginning of the conversation
    /// in its cache. With `hold_request_headers`, the body's `prompt_cache_key` counts too if none of them is there. `[]` turns this off.
    pub(super) session_headers: Vec<String>,
    /// Where responses are kept, so that requests can refer to them: `"off"`, `"memory"` (Envoy's own memory, which all its
    /// workers share and a restart empties), or an object with the settings of one store.
    #[cfg_attr(test, schemars(schema_with = "super::schema::store"))]
    pub(super) store: Option<Value>,
    /// The request header that says whose responses are whose.
    pub(super) owner_header: String,
    /// The search engine for Codex's web search. Without it, `POST /alpha/search` passes to the upstream.
    #[cfg_attr(test, schemars(with = "Option<Search>"))]
    pub(super) search: Option<Value>,
    /// The request header with the client's team, for metrics and the access log. Something in front of the filter must set it,
    /// because clients could write what they like. Needs `teams`.
    pub(super) team_header: Option<String>,
    /// The teams. They are values of a label, so the list is closed: any other value counts as `other`.
    pub(super) teams: Vec<String>,
}

/// The settings for the models that match.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Rule"))]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// The model's name; `*` matches any run of characters.
    r#match: String,
    /// The model to request from the upstream instead.
    model: Option<String>,
    /// The upstream for these models. If absent, the top-level one.
    #[cfg_attr(test, schemars(schema_with = "super::schema::upstream"))]
    upstream: Option<Value>,
    /// The value of the request header `x-transponder-upstream`, by which Envoy's routes can choose the cluster.
    /// Needs `hold_request_headers`.
    route: Option<String>,
    /// What clients learn about the model. If a rule has a description, the filter answers `GET /models` beside each of `paths`
    /// itself, with the list of all described models.
    #[cfg_attr(test, schemars(with = "Option<Catalog>"))]
    catalog: Option<Value>,
    /// What a million of its tokens costs, for the metric `transponder_cost_micros_total` and the access log.
    #[cfg_attr(test, schemars(with = "Option<super::Price>"))]
    price: Option<Value>,
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
            session_headers: vec!["session-id".to_owned(), "thread-id".to_owned()],
            store: None,
            owner_header: "authorization".to_owned(),
            search: None,
            team_header: None,
            teams: Vec::new(),
        }
    }
}

/// Reads a configuration, and adds its errors to `errors`. `held`: the headers are held whatever it says.
pub(super) fn read(text: &str, held: bool, errors: &mut Errors) -> Option<Config> {
    if text.trim_start().is_empty() {
        return Some(Config { hold_request_headers: held, ..Config::default() });
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(config)) => {
            position::refuse_duplicates(text, errors);
            let mut config = read_object::<RawConfig>("", config, errors)?;
            config.hold_request_headers |= held;
            Some(config.resolve(errors))
        }
        Ok(_) => {
            errors.add("", "expected a JSON object");
            None
        }
        Err(error) => {
            errors.add_syntax(&error);
            None
        }
    }
}

impl RawConfig {
    /// Looks up the presets and checks everything. Invalid values are replaced by their default.
    fn resolve(self, errors: &mut Errors) -> Config {
        check::paths(&self.paths, errors);
        check::limits(&self.limits, errors);
        check::header_names("session_headers", &self.session_headers, errors);
        check::teams(self.team_header.as_deref(), &self.teams, errors);
        check::read_header("owner_header", &self.owner_header, errors);
        let held = self.hold_request_headers || errors.has("hold_request_headers");
        let upstream = self.upstream.and_then(|value| upstream("upstream", value, held, errors));
        let models = self.models.into_iter().enumerate();
        let config = Config {
            paths: self.paths,
            upstream: upstream.unwrap_or_default(),
            models: models.filter_map(|(index, value)| rule(index, value, held, errors)).collect(),
            hold_request_headers: self.hold_request_headers,
            history: self.history,
            limits: self.limits,
            session_headers: self.session_headers,
            store: self.store.and_then(|value| store::read("store", value, errors)).unwrap_or_default(),
            owner_header: self.owner_header,
            search: self.search.and_then(|value| search(value, held, errors)),
            team_header: self.team_header,
            teams: self.teams,
        };
        if errors.is_empty() {
            check::one_path_under_refuse(&config, errors);
            check::described_once(&config.models, errors);
            check::described_is_served(&config, errors);
        }
        config
    }
}

fn search(value: Value, held: bool, errors: &mut Errors) -> Option<Arc<Search>> {
    let search = read_value("search", value, errors)?;
    check::search(&search, held, errors);
    Some(Arc::new(search))
}

fn rule(index: usize, value: Value, held: bool, errors: &mut Errors) -> Option<Rule> {
    let at = format!("models[{index}]");
    let rule: RawRule = read_value(&at, value, errors)?;
    let at = |key: &str| join(&at, key);
    check::not_empty(&at("match"), Some(&rule.r#match), errors);
    check::not_empty(&at("model"), rule.model.as_deref(), errors);
    check::header_value(&at("route"), rule.route.as_deref(), errors);
    let upstream = rule.upstream.and_then(|value| upstream(&at("upstream"), value, held, errors));
    let catalog = rule.catalog.and_then(|value| catalog(&at("catalog"), value, &rule.r#match, errors));
    let price = rule.price.and_then(|value| read_value(&at("price"), value, errors));
    if let Some(price) = price {
        check::price(&at("price"), price, &rule.r#match, errors);
    }
    Some(Rule { pattern: rule.r#match, model: rule.model, upstream, route: rule.route, catalog, price })
}

fn catalog(at: &str, value: Value, pattern: &str, errors: &mut Errors) -> Option<Catalog> {
    let catalog = read_value(at, value, errors)?;
    check::catalog(at, &catalog, pattern, errors);
    Some(catalog)
}

/// Reads a value that must be an object.
fn read_value<T: DeserializeOwned>(at: &str, value: Value, errors: &mut Errors) -> Option<T> {
    let Value::Object(object) = value else {
        errors.add(at, "expected an object");
        return None;
    };
    read_object(at, object, errors)
}

/// Reads the name of an upstream, or an object that overrides a preset.
fn upstream(at: &str, value: Value, held: bool, errors: &mut Errors) -> Option<Upstream> {
    let (name_at, name, overrides) = match value {
        Value::String(name) => (at.to_owned(), name, Map::new()),
        Value::Object(overrides) => based_on(at, overrides, errors),
        _ => {
            errors.add(at, "expected a preset's name or an object of options");
            return None;
        }
    };
    match name.as_str() {
        NATIVE => native(at, overrides, held, errors),
        REFUSE if overrides.is_empty() => Some(Upstream::Refuse),
        REFUSE => {
            errors.add(at, "`refuse` has no options");
            None
        }
        _ => chat(at, &name_at, &name, overrides, errors),
    }
}

const UNHELD_RULE: &str = "`native` needs `\"hold_request_headers\": true`: only the body names the model, and headers \
                           that are not held are sent, already changed, before it";
const UNHELD_DEFAULT: &str = "`native` needs `\"hold_request_headers\": true`: headers that are not held are sent, already \
                              changed, before the body shows whether a rule of `models` has another upstream. If \
                              no rule has one, nothing is to be translated: remove the filter";

/// An upstream that implements the Responses API itself.
fn native(at: &str, mut options: Map<String, Value>, held: bool, errors: &mut Errors) -> Option<Upstream> {
    #[derive(Deserialize)]
    struct Native {
        path: Option<String>,
    }
    if !held {
        let is_default = at == "upstream";
        errors.add(at, if is_default { UNHELD_DEFAULT } else { UNHELD_RULE });
    }
    for option in options.keys().filter(|option| *option != "path") {
        errors.add(&join(at, option), "`native` has no option but `path`");
    }
    options.retain(|option, _| option == "path");
    let Native { path } = read_object(at, options, errors)?;
    if let Some(path) = &path {
        check::path(&join(at, "path"), path, errors);
    }
    Some(Upstream::Native(path))
}

/// An upstream that speaks Chat Completions: a preset and the options that override it.
fn chat(
    at: &str,
    name_at: &str,
    name: &str,
    overrides: Map<String, Value>,
    errors: &mut Errors,
) -> Option<Upstream> {
    let known = upstream::preset(name);
    if known.is_none() {
        let names: Vec<&str> = upstream::preset_names().chain([NATIVE, REFUSE]).collect();
        errors.add(name_at, explain::unknown("preset", name, &names));
    }
    let (preset, base) = known.unwrap_or(("", "{}"));
    let mut merged = serde_json::from_str(base).unwrap_or_default();
    upstream::override_with(&mut merged, overrides);
    let options = Options { preset, ..read_object(at, merged, errors)? };
    check::options(at, &options, errors);
    Some(Upstream::Chat(Box::new(options)))
}

/// Takes the preset's name out of an object of options. Returns its path, the name and the other options.
fn based_on(
    at: &str,
    mut overrides: Map<String, Value>,
    errors: &mut Errors,
) -> (String, String, Map<String, Value>) {
    let name_at = join(at, "preset");
    let name = match overrides.remove("preset") {
        Some(Value::String(name)) => name,
        None => GENERIC.to_owned(),
        Some(_) => {
            errors.add(&name_at, "expected a preset's name");
            GENERIC.to_owned()
        }
    };
    (name_at, name, overrides)
}

/// Reads an object. serde stops at the first error, so each wrong value is removed and the others are read again.
pub(super) fn read_object<T: DeserializeOwned>(
    at: &str,
    object: Map<String, Value>,
    errors: &mut Errors,
) -> Option<T> {
    let mut object = Value::Object(object);
    loop {
        let text = RawJson::new(&object);
        let error = match serde_json::from_str(text.get()) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let path = json::path_of(&error, text.get());
        let missing = explain::missing(&error);
        // A key whose value was wrong has been removed.
        let is_known = missing.as_ref().is_some_and(|key| errors.has(&join(at, key)));
        if !is_known {
            errors.add(&as_written(join(at, &path), errors), explain::message(&error));
        }
        let can_go_on = match missing {
            Some(key) if path.is_empty() => stand_in(&mut object, &key),
            _ => remove(&mut object, &path),
        };
        if !can_go_on {
            return None;
        }
    }
}

/// Valid values of the keys that an object must have.
const REQUIRED: [(&str, &str); 6] = [
    ("match", r#""x""#),
    ("engine", r#""searxng""#),
    ("input", "0"),
    ("output", "0"),
    ("cluster", r#""x""#),
    ("path", r#""/{owner}-{id}""#),
];

/// Puts a valid value in place of a required one, so that the others are checked too. Returns whether there is one.
fn stand_in(object: &mut Value, key: &str) -> bool {
    let value = REQUIRED.iter().find(|(known, _)| *known == key);
    let value = value.and_then(|(_, value)| serde_json::from_str(value).ok());
    object
        .as_object_mut()
        .zip(value)
        .is_some_and(|(object, value)| object.insert(key.to_owned(), value).is_none())
}

/// The path of a list's element before the wrong elements in front of it were removed.
fn as_written(path: String, errors: &Errors) -> String {
    let element = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
    let written = element.and_then(|(list, left)| check::elements(list, errors).nth(left.parse().ok()?));
    written.unwrap_or(path)
}

/// Removes the innermost key or element that a path names. Returns whether there was one.
fn remove(value: &mut Value, path: &str) -> bool {
    match value {
        Value::Object(object) => {
            // A name may contain dots itself.
            let named = |key: &&String| path.strip_prefix(key.as_str()).is_some_and(position::ends_name);
            let Some(key) = object.keys().find(named).cloned() else { return false };
            let below = path.get(key.len()..).unwrap_or_default().trim_start_matches('.');
            object.get_mut(&key).is_some_and(|inner| remove(inner, below)) || object.remove(&key).is_some()
        }
        Value::Array(list) => {
            let element = path.strip_prefix('[').and_then(|path| path.split_once(']'));
            let index = element.and_then(|(index, _)| index.parse().ok()).filter(|index| *index < list.len());
            index.map(|index: usize| list.remove(index)).is_some()
        }
        _ => false,
    }
}
