//! The search engine behind Codex's web search. [`crate::search`] speaks with it.

use crate::upstream::string_enum;
use serde::Deserialize;

/// Where searches go.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The engine, which decides how it is asked.
    pub engine: EngineName,
    /// The `:path` at which it is asked. If absent, the engine's own: `/search`, or Brave's `/res/v1/web/search`. For pages, Tavily has
    /// `/extract` in place of the last segment.
    pub path: Option<String>,
    /// The value of the request header `x-transponder-upstream`. Needs `hold_request_headers`; otherwise Envoy's routes choose the
    /// engine's cluster by the path.
    pub route: Option<String>,
}

string_enum! {
    /// A search engine.
    EngineName {
        /// SearXNG, with `json` among its `search.formats`.
        Searxng = "searxng",
        /// Brave Search. Needs `hold_request_headers`, because it takes the query in the path.
        Brave = "brave",
        /// Tavily. With `hold_request_headers`, it also reads pages.
        Tavily = "tavily",
    }
}
