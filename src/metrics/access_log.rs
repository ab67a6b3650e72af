//! The fields of the access log.

/// A field that the filter leaves for the access log, as the filter state `wasm.<name>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; one path segment, although it looks like two.
    pub name: &'static str,
    /// The attribute under which `envoy/envoy.yaml` logs it: OpenTelemetry's, if it has one for it.
    pub shown_as: &'static str,
    /// What it means, for `docs/operations.md`.
    pub meaning: &'static str,
}

const fn field(name: &'static str, shown_as: &'static str, meaning: &'static str) -> Field {
    Field { name, shown_as, meaning }
}

/// The fields of the access log. Counts are written as digits: a filter state is text.
pub static ACCESS_LOG: &[Field] = &[
    field("transponder.request_model", "gen_ai.request.model", "The model that the client asked for."),
    field("transponder.response_model", "gen_ai.response.model", "The model that was asked of the upstream."),
    field("transponder.input_tokens", "gen_ai.usage.input_tokens", "Tokens read, cached ones included."),
    field(
        "transponder.cached_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "Those of them that the upstream had cached.",
    ),
    field("transponder.output_tokens", "gen_ai.usage.output_tokens", "Tokens written, reasoning included."),
    field(
        "transponder.reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "Those of them that were reasoning.",
    ),
    field("transponder.error", "error.type", "The `code` of the error, or its `type` if it has none."),
    field(
        "transponder.outcome",
        "transponder.outcome",
        "As the label `outcome` of the metrics, or `refused`.",
    ),
    field("transponder.preset", "transponder.preset", "The preset in use."),
    field("transponder.tool_calls", "transponder.tool_calls", "How many tool calls the client got."),
    field("transponder.dropped", "transponder.dropped", "What was left out, as in `x-transponder-dropped`."),
];
