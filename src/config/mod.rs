//! The plugin configuration: JSON in, [`Config`] out, or every error with its position.
//!
//! Mistakes are found when Envoy loads the configuration, not in traffic: unknown keys are errors, and everything that
//! is later sent as a header value is validated here.
//!
//! ```
//! use transponder::config::Config;
//!
//! let config = Config::parse(br#"{"upstream": "vllm"}"#).unwrap();
//! assert_eq!(config.route("any-model").upstream.name(), "vllm");
//!
//! let errors = Config::parse(br#"{"upstream": "vlm"}"#).unwrap_err();
//! assert_eq!(errors.to_string(), "upstream: unknown preset `vlm`, did you mean `vllm`?");
//! ```

mod catalog;
mod check;
mod error;
mod explain;
mod position;
mod price;
mod raw;
#[cfg(test)]
mod schema;
mod search;
mod store;
mod warnings;

use crate::upstream::{Options, string_enum};
pub use catalog::{Catalog, Described, Modality};
use error::Errors;
pub use error::{ConfigError, ConfigErrors};
pub use position::Position;
pub use price::Price;
use raw::RawConfig;
pub use search::{EngineName, Search};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
pub use store::{Http, Memory, Protocol, Store};

/// The parsed plugin configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The paths whose POST requests are translated, without the query. All other requests pass untouched.
    pub paths: Vec<String>,
    /// The upstream for models without a rule, or whose rule names no upstream.
    pub upstream: Upstream,
    /// Rules for some models. The first one that matches applies.
    pub models: Vec<Rule>,
    /// Whether the request's headers wait for its body, so that the path and the routing headers can depend on the model.
    /// Needs Envoy's `allow_on_headers_stop_iteration`.
    pub hold_request_headers: bool,
    /// What happens to tool calls without an output and outputs without a call.
    pub history: History,
    /// How many bytes one exchange may hold in memory.
    pub limits: Limits,
    /// The request headers that may have the id of the conversation. The first that is there counts.
    pub session_headers: Vec<String>,
    /// Where responses are kept.
    pub store: Store,
    /// The request header that says whose responses are whose.
    pub owner_header: String,
    /// The search engine for Codex's web search.
    pub search: Option<Arc<Search>>,
    /// The request header with the team, for metrics and the access log.
    pub team_header: Option<String>,
    /// The teams. Every other value of the header is counted as `other`.
    pub teams: Vec<String>,
}

/// How the requests for a model are handled.
#[derive(Debug, Clone, PartialEq)]
pub enum Upstream {
    /// They are translated for an upstream that speaks Chat Completions.
    Chat(Box<Options>),
    /// They are sent untranslated to an upstream that speaks the Responses API. Only the model's name and, if given, the path
    /// change.
    Native(Option<String>),
    /// They get the error that the model does not exist.
    Refuse,
}

/// The settings for the models that match a pattern.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The model's name; `*` matches any run of characters.
    pub pattern: String,
    /// The model to request from the upstream instead.
    pub model: Option<String>,
    /// The upstream, if not [`Config::upstream`].
    pub upstream: Option<Upstream>,
    /// The value of the request header `x-transponder-upstream`, by which Envoy's routes can choose the cluster.
    pub route: Option<String>,
    /// What clients learn about the model, by `GET /models`.
    pub catalog: Option<Catalog>,
    /// What its tokens cost.
    pub price: Option<Price>,
}

string_enum! {
    /// What happens to tool calls without an output and outputs without a call.
    #[derive(Default)]
    History {
        /// The request is rejected with a 400, as OpenAI does.
        #[default]
        Strict = "strict",
        /// A call without an output gets one that says so; an output without a call becomes a user message.
        Repair = "repair",
    }
}

/// How many bytes one exchange may hold in memory. Envoy's own buffer limit does not apply to what the filter buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest request body. Long agent sessions with images reach tens of megabytes.
    pub request_bytes: usize,
    /// The largest reply, streamed or not. Its text is kept in memory, because the last event repeats it.
    pub reply_bytes: usize,
    /// The largest single event of a stream.
    pub event_bytes: usize,
    /// With `hold_request_headers`, how much of a reply that is not streamed is buffered before its headers are sent, so that
    /// an error which the upstream sent with status 200 gets an error status. A longer reply is sent as it arrives.
    pub held_reply_bytes: usize,
}

/// How and where a request for a model is sent.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The model to request: the rule's, or the client's.
    pub model: &'a str,
    /// How the request is handled.
    pub upstream: &'a Upstream,
    /// The value of the request header `x-transponder-upstream`, if the rule sets one.
    pub route: Option<&'a str>,
    /// The rule's `match` and its price, if it has one.
    pub price: Option<(&'a str, Price)>,
}

impl Config {
    /// Parses and validates a configuration. An empty text is the same as `{}`.
    ///
    /// # Errors
    /// All errors of the configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigErrors> {
        Self::read(bytes, false)
    }

    /// The same for an adapter that can always hold the headers, and any part of a body, whatever the configuration says.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_held(bytes: &[u8]) -> Result<Self, ConfigErrors> {
        let config = Self::read(bytes, true)?;
        Ok(Self { store: config.store.holding_any(), ..config })
    }

    fn read(bytes: &[u8], held: bool) -> Result<Self, ConfigErrors> {
        let mut errors = Errors::default();
        let text = std::str::from_utf8(bytes).unwrap_or_else(|error| {
            errors.add("", error.to_string());
            ""
        });
        match raw::read(text, held, &mut errors) {
            Some(config) if errors.is_empty() => Ok(config),
            _ => Err(errors.in_text(text)),
        }
    }

    /// The names of the upstreams in use, sorted and without duplicates.
    pub fn presets(&self) -> Vec<&'static str> {
        let mut all = BTreeSet::new();
        all.extend(self.upstreams().map(Upstream::name));
        all.into_iter().collect()
    }

    /// The `match` of each rule with a price.
    pub fn priced(&self) -> Vec<&str> {
        let priced = self.models.iter().filter(|rule| rule.price.is_some());
        priced.map(|rule| rule.pattern.as_str()).collect()
    }

    /// Whether the requests for some models are sent untranslated.
    pub fn has_native(&self) -> bool {
        self.upstreams().any(|upstream| matches!(upstream, Upstream::Native(_)))
    }

    /// The settings that are valid but have no effect, to be logged when the configuration is loaded.
    pub fn warnings(&self) -> Vec<String> {
        warnings::of(self)
    }

    /// The `:path` of a translated request until its model is known: the top-level upstream's. If that one translates nothing
    /// (`native`, `refuse`), it is the path of the first rule that does.
    pub fn path_before_body(&self) -> Option<&str> {
        self.options_before_body().map(|options| options.path.as_str())
    }

    /// The same for a request whose tokens are to be counted. `None` if that upstream cannot count.
    pub fn input_tokens_path_before_body(&self) -> Option<&str> {
        self.options_before_body()?.input_tokens_path.as_deref()
    }

    /// The header in which the same upstream wants the conversation.
    pub fn session_header_before_body(&self) -> Option<&str> {
        self.options_before_body()?.session_header.as_deref()
    }

    fn options_before_body(&self) -> Option<&Options> {
        self.translating().next()
    }

    /// Whether some upstream can count the tokens of a request.
    pub fn counts_tokens(&self) -> bool {
        if !self.hold_request_headers {
            return self.input_tokens_path_before_body().is_some();
        }
        self.has_native() || self.translating().any(|options| options.input_tokens_path.is_some())
    }

    /// The models that have a description.
    pub fn described(&self) -> impl Iterator<Item = Described<'_>> {
        self.models.iter().filter_map(|rule| Some(Described::of(rule, rule.catalog.as_ref()?, self)))
    }

    /// Whether translated requests go to this path, written with its query.
    pub fn translates_to(&self, path: &str) -> bool {
        self.translating()
            .any(|options| options.path == path || options.input_tokens_path.as_deref() == Some(path))
    }

    /// The options of the upstreams that requests are translated for.
    fn translating(&self) -> impl Iterator<Item = &Options> {
        self.upstreams().filter_map(Upstream::options)
    }

    /// The top-level upstream, then those of the rules.
    fn upstreams(&self) -> impl Iterator<Item = &Upstream> {
        let of_rules = self.models.iter().filter_map(|rule| rule.upstream.as_ref());
        [&self.upstream].into_iter().chain(of_rules)
    }

    /// The route of a model: that of the first rule that matches it, else the top-level upstream.
    pub fn route<'a>(&'a self, model: &'a str) -> Route<'a> {
        let rule = self.models.iter().find(|rule| matches(&rule.pattern, model));
        Route {
            model: rule.and_then(|rule| rule.model.as_deref()).unwrap_or(model),
            upstream: rule.map_or(&self.upstream, |rule| rule.upstream_in(self)),
            route: rule.and_then(|rule| rule.route.as_deref()),
            price: rule.and_then(|rule| Some((rule.pattern.as_str(), rule.price?))),
        }
    }
}

impl Rule {
    /// The upstream for its models.
    fn upstream_in<'a>(&'a self, config: &'a Config) -> &'a Upstream {
        self.upstream.as_ref().unwrap_or(&config.upstream)
    }
}

impl Upstream {
    /// The preset's name, `native` or `refuse`, as metrics and the access log show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chat(options) => options.preset,
            Self::Native(_) => NATIVE,
            Self::Refuse => REFUSE,
        }
    }

    /// The options by which requests are translated, if they are.
    fn options(&self) -> Option<&Options> {
        match self {
            Self::Chat(options) => Some(options),
            Self::Native(_) | Self::Refuse => None,
        }
    }

    /// The path of its requests, or `None` if they keep the client's.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Chat(options) => Some(&options.path),
            Self::Native(path) => path.as_deref(),
            Self::Refuse => None,
        }
    }
}

/// The preset of an upstream without `preset`.
const GENERIC: &str = "generic";
/// The name of an upstream that implements the Responses API itself.
const NATIVE: &str = "native";
/// The name of the upstream that rejects every request.
const REFUSE: &str = "refuse";

impl Default for Upstream {
    fn default() -> Self {
        Self::Chat(Box::default())
    }
}

impl Default for Config {
    fn default() -> Self {
        let written = RawConfig::default();
        Self {
            paths: written.paths,
            upstream: Upstream::default(),
            models: Vec::new(),
            hold_request_headers: written.hold_request_headers,
            history: written.history,
            limits: written.limits,
            session_headers: written.session_headers,
            store: Store::default(),
            owner_header: written.owner_header,
            search: None,
            team_header: None,
            teams: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 64 << 20,
            reply_bytes: 64 << 20,
            event_bytes: 8 << 20,
            held_reply_bytes: 16 << 10,
        }
    }
}

/// Whether a text matches a pattern in which `*` matches any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    // Matching each part as early as possible leaves the most text to the parts after it.
    for part in middle.split('*') {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
