//! What an operator can see of the filter: the table of the metrics, and the trait by which numbers and
//! the access log's fields leave an exchange. What is counted when stands in [`crate::exchange`].
//!
//! Envoy's metrics have no labels. Ours carry them in the name as Istio's do, and a rule of Envoy's
//! `stats_config.stats_tags` for each label takes them out again:
//!
//! ```text
//! wasmcustom.outcome=.=completed;.;preset=.=vllm;.;transponder_exchanges_total
//! transponder_exchanges_total{outcome="completed",preset="vllm"}
//! ```
//!
//! Every value of a label is known when the filter is configured. So no client can make more of them,
//! and every series is there from the start: the first lost tool call is a step from 0 to 1, which an
//! alert can see.

use std::fmt;

/// Where numbers and the access log's fields go.
pub trait Telemetry: fmt::Debug {
    /// Adds to a counter or a gauge, or puts a value into a histogram. The labels' values stand in the
    /// order of [`Metric::labels`].
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64);

    /// Leaves a field for the access log.
    fn note(&self, field: &'static str, value: &str);
}

/// Something that is measured.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// How its values add up.
    pub kind: Kind,
    /// What it is told apart by.
    pub labels: &'static [Label],
    /// What it means, for `docs/operations.md`.
    pub meaning: &'static str,
}

/// How the values of a metric add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// It is spread over buckets.
    Histogram,
}

/// A label: its name, and all values that it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// The values of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// These; what is none of them becomes [`OTHER`].
    Of(&'static [&'static str]),
    /// The presets that the plugin configuration names.
    Presets,
}

/// The value of a label for what has no name here.
pub const OTHER: &str = "other";

const PRESET: Label = Label { name: "preset", values: Values::Presets };

const OUTCOME: Label = Label {
    name: "outcome",
    values: Values::Of(&["completed", "incomplete", "upstream_error", "failed", "cut"]),
};

/// The codes of the filter's own refusals; `docs/troubleshooting.md` explains them.
const CODE: Label = Label {
    name: "code",
    values: Values::Of(&[
        "decimal_above_max_value",
        "decimal_below_min_value",
        "endpoint_not_supported",
        "integer_above_max_value",
        "integer_below_min_value",
        "invalid_json",
        "invalid_type",
        "invalid_value",
        "json_too_deep",
        "json_too_many_values",
        "method_not_allowed",
        "missing_body",
        "missing_required_parameter",
        "previous_response_not_found",
        "request_too_large",
        "too_many_tools",
        "unsupported_content_encoding",
        "unsupported_parameter",
        "unsupported_trailers",
        "unsupported_value",
        "websocket_not_supported",
        OTHER,
    ]),
};

const CLASS: Label = Label {
    name: "class",
    values: Values::Of(&[
        "auth",
        "broken",
        "context_length",
        "model_not_found",
        "quota",
        "rate_limit",
        "rejected",
        "timeout",
        "unavailable",
    ]),
};

const ITEM: Label = Label {
    name: "item",
    values: Values::Of(&[
        "function_call",
        "custom_tool_call",
        "tool_search_call",
        "shell_call",
        "local_shell_call",
        "apply_patch_call",
        OTHER,
    ]),
};

const DROPPED: Label =
    Label { name: "kind", values: Values::Of(&["field", "item", "part", "tool", "tool_call", OTHER]) };

const REPAIRED: Label =
    Label { name: "kind", values: Values::Of(&["arguments", "call_output", "tool_call", OTHER]) };

const TOKENS_OF: Label =
    Label { name: "kind", values: Values::Of(&["input", "cached", "output", "reasoning"]) };

/// Exchanges by how they ended.
pub static EXCHANGES: Metric = Metric {
    name: "transponder_exchanges_total",
    kind: Kind::Counter,
    labels: &[OUTCOME, PRESET],
    meaning: "Requests that went up, by how they ended: `completed`; `incomplete` (cut by the token limit \
              or a content filter); `upstream_error` (the upstream, or Envoy in its stead, answered with an \
              error); `failed` (a reply that began well and ended in an error); `cut` (client or upstream \
              were gone before the end).",
};

/// Requests that were answered before anything went up.
pub static REFUSALS: Metric = Metric {
    name: "transponder_refusals_total",
    kind: Kind::Counter,
    labels: &[CODE],
    meaning: "Requests that were answered with an error before anything went up, by the error's `code`.",
};

/// Requests that are none of ours.
pub static PASSED: Metric = Metric {
    name: "transponder_passed_total",
    kind: Kind::Counter,
    labels: &[],
    meaning: "Requests that are none of the filter's and passed untouched.",
};

/// Errors of the upstream.
pub static UPSTREAM_ERRORS: Metric = Metric {
    name: "transponder_upstream_errors_total",
    kind: Kind::Counter,
    labels: &[CLASS, PRESET],
    meaning: "Exchanges that ended as `upstream_error` or `failed`, by what the error comes down to. \
              `broken`: the reply broke off or cannot be read; `rejected`: any other 4xx.",
};

/// Calls that were handed over.
pub static TOOL_CALLS: Metric = Metric {
    name: "transponder_tool_calls_total",
    kind: Kind::Counter,
    labels: &[ITEM, PRESET],
    meaning: "Tool calls that clients got whole, by the type of their item.",
};

/// Calls that were not.
pub static TOOL_CALLS_LOST: Metric = Metric {
    name: "transponder_tool_calls_lost_total",
    kind: Kind::Counter,
    labels: &[OUTCOME, PRESET],
    meaning: "Tool calls that a model began and the client did not get whole, by how the exchange ended. \
              The client was told: as `incomplete`, by an error that names the call, or by a broken \
              connection (`cut`).",
};

/// What was left out.
pub static THINGS_DROPPED: Metric = Metric {
    name: "transponder_dropped_total",
    kind: Kind::Counter,
    labels: &[DROPPED],
    meaning: "What the upstream cannot be told and was left out. The header `x-transponder-dropped` and the \
              access log name it. `tool_call`: calls beyond the one that the client asked for.",
};

/// What was mended.
pub static THINGS_REPAIRED: Metric = Metric {
    name: "transponder_repaired_total",
    kind: Kind::Counter,
    labels: &[REPAIRED],
    meaning: "What was broken and could be mended: arguments that were no JSON, calls without output and \
              outputs without call (`\"history\": \"repair\"`).",
};

/// Tokens as the upstream counts them.
pub static TOKENS: Metric = Metric {
    name: "transponder_tokens_total",
    kind: Kind::Counter,
    labels: &[TOKENS_OF, PRESET],
    meaning: "Tokens, as the upstream reports them. `input` includes `cached`, `output` includes `reasoning`.",
};

/// Held headers that had to be let go.
pub static WATCHDOG_RESUMES: Metric = Metric {
    name: "transponder_watchdog_resumes_total",
    kind: Kind::Counter,
    labels: &[],
    meaning: "Requests whose held headers had to be let go because no body came: Envoy lacks \
              `allow_on_headers_stop_iteration`.",
};

/// Exchanges that wait for their end.
pub static OPEN: Metric = Metric {
    name: "transponder_open_exchanges",
    kind: Kind::Gauge,
    labels: &[PRESET],
    meaning: "Exchanges that went up and have not ended.",
};

/// How long the upstream takes to answer at all.
pub static FIRST_BYTE: Metric = Metric {
    name: "transponder_first_byte_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "From the request's going up to the upstream's response headers.",
};

/// How long the model takes to say something.
pub static FIRST_DELTA: Metric = Metric {
    name: "transponder_first_delta_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "From the request's going up to the first text, reasoning or tool call of a stream.",
};

/// How long a stream lasts.
pub static STREAM: Metric = Metric {
    name: "transponder_stream_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "From the request's going up to the end of a stream.",
};

/// The size of a request, which is held whole.
pub static REQUEST_BYTES: Metric = Metric {
    name: "transponder_request_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "The body of a request, which is held whole (`limits.request_bytes`).",
};

/// How much of a reply is held.
pub static REPLY_BYTES: Metric = Metric {
    name: "transponder_reply_held_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "How much of a reply's text was held at its end (`limits.reply_bytes`).",
};

/// The largest event of a reply.
pub static EVENT_BYTES: Metric = Metric {
    name: "transponder_largest_event_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "The largest event of a stream (`limits.event_bytes`).",
};

/// All metrics, in the order of the documentation.
pub static METRICS: &[&Metric] = &[
    &EXCHANGES,
    &REFUSALS,
    &UPSTREAM_ERRORS,
    &TOOL_CALLS,
    &TOOL_CALLS_LOST,
    &THINGS_DROPPED,
    &THINGS_REPAIRED,
    &TOKENS,
    &FIRST_BYTE,
    &FIRST_DELTA,
    &STREAM,
    &OPEN,
    &REQUEST_BYTES,
    &REPLY_BYTES,
    &EVENT_BYTES,
    &PASSED,
    &WATCHDOG_RESUMES,
];

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

impl Metric {
    /// The name that carries the labels. A value that its label does not have becomes [`OTHER`].
    pub fn series(&self, values: &[&str]) -> String {
        let labels = self.labels.iter().zip(values);
        let carried = labels.map(|(label, value)| format!("{}=.={};.;", label.name, label.known(value)));
        carried.collect::<String>() + self.name
    }

    /// All combinations of its labels' values.
    pub fn combinations<'a>(&self, presets: &[&'a str]) -> Vec<Vec<&'a str>> {
        self.labels.iter().fold(vec![Vec::new()], |begun, label| {
            let all = label.all(presets);
            let with = |value: &&'a str| begun.iter().map(|row| [row.as_slice(), &[*value]].concat());
            all.iter().flat_map(with).collect()
        })
    }
}

impl Label {
    /// The rule by which Envoy takes the label out of a name.
    pub fn tag_regex(&self) -> String {
        format!(r"({}=\.=(.*?);\.;)", self.name)
    }

    fn known<'a>(&self, value: &'a str) -> &'a str {
        match self.values {
            Values::Of(values) if !values.contains(&value) => OTHER,
            _ => value,
        }
    }

    fn all<'a>(&self, presets: &[&'a str]) -> Vec<&'a str> {
        match self.values {
            Values::Of(values) => values.to_vec(),
            Values::Presets => presets.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_name_as_istio_writes_them() {
        assert_eq!(
            EXCHANGES.series(&["cut", "vllm"]),
            "outcome=.=cut;.;preset=.=vllm;.;transponder_exchanges_total"
        );
        assert_eq!(PASSED.series(&[]), "transponder_passed_total");
        assert_eq!(CODE.tag_regex(), r"(code=\.=(.*?);\.;)");
    }

    #[test]
    fn nobody_can_make_new_values_of_a_label() {
        assert_eq!(REFUSALS.series(&["invalid_json"]), "code=.=invalid_json;.;transponder_refusals_total");
        assert_eq!(REFUSALS.series(&["a;.;b"]), "code=.=other;.;transponder_refusals_total");
    }

    #[test]
    fn every_series_can_be_listed() {
        assert_eq!(PASSED.combinations(&["vllm"]), [Vec::<&str>::new()]);
        let tool_calls = TOOL_CALLS.combinations(&["vllm", "tgi"]);
        assert_eq!(tool_calls.len(), 4 * 2);
        assert!(tool_calls.contains(&vec!["custom_tool_call", "tgi"]));
    }
}
