//! The plugin configuration: parse, validate, one clear error with the JSON path.
//!
//! What an operator wrote wrong is refused when Envoy loads it, not met in traffic:
//! unknown keys are errors, and whatever later becomes a header value is checked here.

mod check;
mod raw;
#[cfg(test)]
mod schema;

use crate::upstream::{Options, string_enum};
use raw::RawConfig;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The parsed plugin configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// POSTs to these paths are translated (the query is ignored); all else passes untouched.
    pub paths: Vec<String>,
    /// The upstream of every model that no rule sends elsewhere.
    pub upstream: Upstream,
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

/// What becomes of the requests for a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Upstream {
    /// They are translated for a host that speaks Chat Completions.
    Chat(Box<Options>),
    /// They go to a host that speaks Responses itself, as they are but for the model's name and the path,
    /// if there is one.
    Native(Option<String>),
    /// They are refused: there is no such model.
    Refuse,
}

/// What is different for the models that match.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The models that the rule is about; `*` stands for any run of characters.
    pub pattern: String,
    /// The model to ask of the upstream instead.
    pub model: Option<String>,
    /// The upstream, if not [`Config::upstream`].
    pub upstream: Option<Upstream>,
    /// The value of `x-transponder-upstream`, on which Envoy's routes may choose the cluster.
    pub route: Option<String>,
}

string_enum! {
    /// What to do with tool calls and outputs that do not pair up.
    #[derive(Default)]
    History {
        /// The request is rejected with a 400, as OpenAI does.
        #[default]
        Strict = "strict",
        /// A call without an output gets one that says so; an output without a call becomes a user message.
        Repair = "repair",
    }
}

/// How much may be held in memory. Taking chunks out of Envoy's hands removes Envoy's own bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest request body. Long agent sessions with images reach tens of megabytes.
    pub request_bytes: usize,
    /// The largest reply that has to be held whole.
    pub reply_bytes: usize,
    /// The largest single event of a stream.
    pub event_bytes: usize,
    /// With `hold_request_headers`: how much of a reply that is no stream its headers wait for, so that an error
    /// in a good status becomes one with a status of its own. A longer reply goes out as it comes.
    pub held_reply_bytes: usize,
}

/// Where a model's requests go.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The model to ask for: the rule's, or the one that the client named.
    pub model: &'a str,
    /// What becomes of the request.
    pub upstream: &'a Upstream,
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
        raw::parse(bytes)?.resolve()
    }

    /// The names of the upstreams that are in use, each once.
    pub fn presets(&self) -> Vec<&'static str> {
        // `collect` would bring a sort into the module, for a handful of names.
        let mut all = BTreeSet::new();
        all.extend(self.upstreams().map(Upstream::name));
        all.into_iter().collect()
    }

    /// Whether some requests pass untouched, which only their model says.
    pub fn has_native(&self) -> bool {
        self.upstreams().any(|upstream| matches!(upstream, Upstream::Native(_)))
    }

    /// What is allowed and will hardly do what was meant: for the log, when the configuration is loaded.
    pub fn warnings(&self) -> Vec<String> {
        if self.hold_request_headers {
            return Vec::new();
        }
        let rules = self.models.iter().enumerate();
        let warnings = rules.flat_map(|(index, rule)| {
            let path = rule.upstream.as_ref().and_then(Upstream::path);
            let other = path.filter(|path| Some(*path) != self.upstream.path()).map(|path| {
                format!("models[{index}].upstream: its path `{path}` is not used, requests go to the top-level upstream's")
            });
            let route = rule.route.as_ref();
            [other, route.map(|route| format!("models[{index}].route: `{route}` is not used"))]
        });
        let held = "; what depends on the model needs `\"hold_request_headers\": true`";
        warnings.flatten().map(|warning| warning + held).collect()
    }

    fn upstreams(&self) -> impl Iterator<Item = &Upstream> {
        let rules = self.models.iter().filter_map(|rule| rule.upstream.as_ref());
        rules.chain([&self.upstream])
    }

    /// Where the requests for a model go: by the first rule that matches, or as asked.
    pub fn route<'a>(&'a self, model: &'a str) -> Route<'a> {
        let rule = self.models.iter().find(|rule| matches(&rule.pattern, model));
        Route {
            model: rule.and_then(|rule| rule.model.as_deref()).unwrap_or(model),
            upstream: rule.and_then(|rule| rule.upstream.as_ref()).unwrap_or(&self.upstream),
            route: rule.and_then(|rule| rule.route.as_deref()),
        }
    }
}

impl Upstream {
    /// The preset's name, `native` or `refuse`: metrics and the access log show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chat(options) => options.preset,
            Self::Native(_) => NATIVE,
            Self::Refuse => REFUSE,
        }
    }

    /// The path to which its requests go, if it has one of its own.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Chat(options) => Some(&options.path),
            Self::Native(path) => path.as_deref(),
            Self::Refuse => None,
        }
    }
}

/// The name of the upstream that speaks Responses itself.
const NATIVE: &str = "native";
/// The name of the upstream that is none.
const REFUSE: &str = "refuse";

impl Default for Upstream {
    fn default() -> Self {
        Self::Chat(Box::default())
    }
}

impl Default for Config {
    /// What `{}` means.
    fn default() -> Self {
        let written = RawConfig::default();
        Self {
            paths: written.paths,
            upstream: Upstream::default(),
            models: Vec::new(),
            hold_request_headers: written.hold_request_headers,
            history: written.history,
            limits: written.limits,
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
