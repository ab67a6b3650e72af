//! The table of the metrics, and the values of their labels.

use super::{Kind, Label, Metric, OTHER, Values};

const PRESET: Label = Label { name: "preset", values: Values::Presets };

const OUTCOME: Label = Label {
    name: "outcome",
    values: Values::Of(&["completed", "incomplete", "upstream_error", "failed", "cut"]),
};

const CODE: Label = Label { name: "code", values: Values::Refusals };

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

const DROPPED: Label = Label {
    name: "kind",
    values: Values::Of(&["annotation", "echo", "field", "item", "part", "tool", "tool_call", OTHER]),
};

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

/// What the VMs have taken of the host's memory.
pub static VM_MEMORY: Metric = Metric {
    name: "transponder_vm_memory_bytes",
    kind: Kind::Gauge,
    labels: &[],
    meaning: "The memory of the filter's VMs, of which each worker has one: as much as they ever needed at once, \
              since a VM gives nothing back. One that trapped stays counted.",
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
    &VM_MEMORY,
    &REQUEST_BYTES,
    &REPLY_BYTES,
    &EVENT_BYTES,
    &PASSED,
    &WATCHDOG_RESUMES,
];
