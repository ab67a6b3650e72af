//! The fields of the access log.

/// A field that the filter sets for the access log, as the filter state `wasm.<name>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name of the filter state. It is a single path segment, although it contains a dot.
    pub name: &'static str,
    /// The attribute name in `envoy/envoy.yaml`: OpenTelemetry's, where one is defined.
    pub shown_as: &'static str,
    /// The description, published in `docs/operations.md`.
    pub meaning: &'static str,
}

const fn field(name: &'static str, shown_as: &'static str, meaning: &'static str) -> Field {
    Field { name, shown_as, meaning }
}

/// The fields of the access log. Filter state is text, so counts are written as digits.
pub static ACCESS_LOG: &[Field] = &[
    field(
        "transponder.request_model",
        "gen_ai.request.model",
        "The model that the client requested, as far as the body could be read. Also set if the request was refused.",
    ),
    field(
        "transponder.response_model",
        "gen_ai.response.model",
        "The model that the filter requested from the upstream.",
    ),
    field("transponder.input_tokens", "gen_ai.usage.input_tokens", "Input tokens, including cached ones."),
    field(
        "transponder.cached_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "Input tokens that the upstream had cached.",
    ),
    field("transponder.output_tokens", "gen_ai.usage.output_tokens", "Output tokens, including reasoning."),
    field(
        "transponder.reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "Output tokens spent on reasoning.",
    ),
    field("transponder.error", "error.type", "The `code` of the error, or its `type` if it has no code."),
    field(
        "transponder.outcome",
        "transponder.outcome",
        "The `outcome` label of the metrics, `refused`, `answered` (by the filter itself: a request that asks for no output, for the list of models, or for a stored response), or `searched` or `search_failed` (a web search).",
    ),
    field("transponder.search", "transponder.search", "The search engine that answered a web search."),
    field("transponder.team", "transponder.team", "The team, if `team_header` is configured."),
    field(
        "transponder.cost_micros",
        "transponder.cost_micros",
        "What the tokens cost, in millionths of the currency, if the rule has a `price`.",
    ),
    field("transponder.preset", "transponder.preset", "The preset in use."),
    field(
        "transponder.tool_calls",
        "transponder.tool_calls",
        "The number of tool calls that the client received.",
    ),
    field(
        "transponder.tool_calls_in_text",
        "transponder.tool_calls_in_text",
        "The number of tool calls that the client received as text, if there are any.",
    ),
    field(
        "transponder.dropped",
        "transponder.dropped",
        "What was dropped, in the format of `x-transponder-dropped`.",
    ),
];
