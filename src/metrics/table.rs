//! All metrics, and the values of their labels.

use super::{Kind, Label, Metric, Values};
use crate::items;
use crate::report::{Dropped, Repaired};

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

const ITEM: Label = Label { name: "item", values: Values::OrOther(&items::CALL_ITEMS) };

const DROPPED: Label = Label { name: "kind", values: Values::OrOther(Dropped::NAMES) };

const REPAIRED: Label = Label { name: "kind", values: Values::OrOther(Repaired::NAMES) };

const TOKENS_OF: Label =
    Label { name: "kind", values: Values::Of(&["input", "cached", "output", "reasoning"]) };

const OPERATION: Label = Label { name: "kind", values: Values::Of(&["read", "write", "delete"]) };

const RESULT: Label =
    Label { name: "outcome", values: Values::Of(&["done", "missing", "failed", "too_large"]) };

const MODEL: Label = Label { name: "model", values: Values::Models };

const TEAM: Label = Label { name: "team", values: Values::Teams };

/// Exchanges by outcome.
pub static EXCHANGES: Metric = Metric {
    name: "transponder_exchanges_total",
    kind: Kind::Counter,
    labels: &[OUTCOME, PRESET],
    meaning: "Requests sent upstream, by outcome: `completed`; `incomplete` (truncated by the token limit or \
              a content filter); `upstream_error` (the upstream, or Envoy on its behalf, answered with an \
              error); `failed` (the reply began and then ended in an error); `cut` (the client or the \
              upstream disconnected before the end).",
};

/// Requests rejected by the filter.
pub static REFUSALS: Metric = Metric {
    name: "transponder_refusals_total",
    kind: Kind::Counter,
    labels: &[CODE],
    meaning: "Requests that the filter rejected and did not send upstream, by error `code`.",
};

/// Requests passed through.
pub static PASSED: Metric = Metric {
    name: "transponder_passed_total",
    kind: Kind::Counter,
    labels: &[],
    meaning: "Requests passed through unmodified because method or path did not match.",
};

/// Failed exchanges by class of error.
pub static UPSTREAM_ERRORS: Metric = Metric {
    name: "transponder_upstream_errors_total",
    kind: Kind::Counter,
    labels: &[CLASS, PRESET],
    meaning: "Exchanges that ended as `upstream_error` or `failed`, by class of error. `broken`: the reply \
              ended early or could not be read; `rejected`: any other 4xx.",
};

/// Tool calls that clients received.
pub static TOOL_CALLS: Metric = Metric {
    name: "transponder_tool_calls_total",
    kind: Kind::Counter,
    labels: &[ITEM, PRESET],
    meaning: "Tool calls that clients received complete, by item type.",
};

/// Tool calls that clients did not receive.
pub static TOOL_CALLS_LOST: Metric = Metric {
    name: "transponder_tool_calls_lost_total",
    kind: Kind::Counter,
    labels: &[OUTCOME, PRESET],
    meaning: "Tool calls that a model started and the client did not receive complete, by the outcome of the \
              exchange. The client always learns of it: from the status `incomplete`, from an error that \
              names the call, or from the closed connection (`cut`).",
};

/// Tool calls that stayed in the text.
pub static TOOL_CALLS_IN_TEXT: Metric = Metric {
    name: "transponder_tool_calls_in_text_total",
    kind: Kind::Counter,
    labels: &[PRESET],
    meaning: "Calls of declared tools that clients received as text, in the model's own markup. Set \
              `\"text_tool_calls\": true`, or start the upstream with the tool parser of the model.",
};

/// Parts of requests and replies that were dropped.
pub static THINGS_DROPPED: Metric = Metric {
    name: "transponder_dropped_total",
    kind: Kind::Counter,
    labels: &[DROPPED],
    meaning: "Parts of requests and replies that could not be translated and were dropped. The header \
              `x-transponder-dropped` and the access log list them. `tool_call`: calls after the first, when \
              the client allows only one.",
};

/// Parts of requests and replies that were repaired.
pub static THINGS_REPAIRED: Metric = Metric {
    name: "transponder_repaired_total",
    kind: Kind::Counter,
    labels: &[REPAIRED],
    meaning: "Parts of requests and replies that were repaired: arguments that were not valid JSON, calls \
              without outputs and outputs without calls (`\"history\": \"repair\"`).",
};

/// Tokens.
pub static TOKENS: Metric = Metric {
    name: "transponder_tokens_total",
    kind: Kind::Counter,
    labels: &[TOKENS_OF, PRESET],
    meaning: "Tokens as reported by the upstream. `input` includes `cached`; `output` includes `reasoning`.",
};

/// Tokens by team.
pub static TEAM_TOKENS: Metric = Metric {
    name: "transponder_team_tokens_total",
    kind: Kind::Counter,
    labels: &[TOKENS_OF, TEAM],
    meaning: "The same tokens by team, if `team_header` is configured.",
};

/// Cost of tokens.
pub static COST: Metric = Metric {
    name: "transponder_cost_micros_total",
    kind: Kind::Counter,
    labels: &[MODEL, TEAM],
    meaning: "What the tokens cost, in millionths of the currency of the `price`s. `model`: the `match` of the rule \
              with the price.",
};

/// Held requests released by the watchdog.
pub static WATCHDOG_RESUMES: Metric = Metric {
    name: "transponder_watchdog_resumes_total",
    kind: Kind::Counter,
    labels: &[],
    meaning: "Requests whose held headers were released because no body arrived: \
              `allow_on_headers_stop_iteration` is not set in Envoy's plugin configuration.",
};

/// Panics that the native module caught.
pub static PANICS: Metric = Metric {
    name: "transponder_panics_total",
    kind: Kind::Counter,
    labels: &[],
    meaning: "Bugs of the filter that ended one exchange each, in the native module only. (In WebAssembly a bug ends \
              the VM: see `envoy_wasm_transponder_vm_reload`.)",
};

/// Exchanges in progress.
pub static OPEN: Metric = Metric {
    name: "transponder_open_exchanges",
    kind: Kind::Gauge,
    labels: &[PRESET],
    meaning: "Exchanges sent upstream that have not ended yet.",
};

/// Memory of the WebAssembly VMs.
pub static VM_MEMORY: Metric = Metric {
    name: "transponder_vm_memory_bytes",
    kind: Kind::Gauge,
    labels: &[],
    meaning: "Memory of the filter's VMs, one for each worker thread. A VM never shrinks, so this is the peak. \
              The memory of a VM that trapped is still counted. The native module has no VM: 0.",
};

/// Time to the upstream's response headers.
pub static FIRST_BYTE: Metric = Metric {
    name: "transponder_first_byte_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "Time from sending the request upstream to receiving response headers.",
};

/// Time to the first delta.
pub static FIRST_DELTA: Metric = Metric {
    name: "transponder_first_delta_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "Time from sending the request upstream to the first text, reasoning or tool call of a stream.",
};

/// Duration of a stream.
pub static STREAM: Metric = Metric {
    name: "transponder_stream_milliseconds",
    kind: Kind::Histogram,
    labels: &[PRESET],
    meaning: "Time from sending the request upstream to the end of a stream.",
};

/// Size of a request body.
pub static REQUEST_BYTES: Metric = Metric {
    name: "transponder_request_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "Size of a request body, which is buffered completely (`limits.request_bytes`).",
};

/// Size of the reply text kept in memory.
pub static REPLY_BYTES: Metric = Metric {
    name: "transponder_reply_held_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "Size of the reply text kept in memory at the end of a reply (`limits.reply_bytes`).",
};

/// Size of a stream's largest event.
pub static EVENT_BYTES: Metric = Metric {
    name: "transponder_largest_event_bytes",
    kind: Kind::Histogram,
    labels: &[],
    meaning: "Size of the largest event of a stream (`limits.event_bytes`).",
};

/// What the store did.
pub static STORE: Metric = Metric {
    name: "transponder_store_operations_total",
    kind: Kind::Counter,
    labels: &[OPERATION, RESULT],
    meaning: "Records of responses that were read, written or deleted. `missing`: there is no such record for this owner, \
              or not any more. `failed`: the store could not do it. `too_large`: the record exceeds what the store takes, \
              so the response is not stored.",
};

/// All metrics, in the order of `docs/operations.md`.
pub static METRICS: &[&Metric] = &[
    &EXCHANGES,
    &REFUSALS,
    &UPSTREAM_ERRORS,
    &TOOL_CALLS,
    &TOOL_CALLS_LOST,
    &TOOL_CALLS_IN_TEXT,
    &THINGS_DROPPED,
    &THINGS_REPAIRED,
    &TOKENS,
    &TEAM_TOKENS,
    &COST,
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
    &STORE,
    &PANICS,
];
