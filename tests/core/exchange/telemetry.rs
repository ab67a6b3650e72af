//! Telemetry of an exchange: counters, times, access log fields.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::{Exchange, Headers};
use transponder::metrics::{ACCESS_LOG, Kind, METRICS, Metric, OTHER, Telemetry, Values};

/// Records everything that is reported to it.
#[derive(Debug, Default)]
struct Told {
    metrics: RefCell<Vec<(Kind, String, i64)>>,
    fields: RefCell<Vec<(&'static str, String)>>,
}

impl Telemetry for Told {
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64) {
        let labels: String = labels.iter().map(|label| format!(" {label}")).collect();
        let name = metric.name.strip_prefix("transponder_").unwrap();
        self.metrics.borrow_mut().push((metric.kind, format!("{name}{labels}"), value));
    }

    fn note(&self, field: &'static str, value: &str) {
        self.fields.borrow_mut().push((field, value.to_owned()));
    }
}

impl Told {
    fn of_kind(&self, kind: Kind) -> Vec<(String, i64)> {
        let all = self.metrics.borrow();
        let some = all.iter().filter(|(other, ..)| *other == kind);
        some.map(|(_, name, value)| (name.clone(), *value)).collect()
    }

    fn counted(&self) -> Vec<String> {
        let counters = self.of_kind(Kind::Counter).into_iter();
        counters.map(|(name, value)| format!("{} {value}", name.replace("_total", ""))).collect()
    }

    fn field(&self, name: &str) -> Option<String> {
        let fields = self.fields.borrow();
        let mut values = fields.iter().filter(|(field, _)| *field == name);
        let value = values.next().map(|(_, value)| value.clone());
        assert!(values.next().is_none(), "{name} is noted twice");
        value
    }
}

/// An exchange in which each step comes a second after the one before.
struct Story {
    exchange: Exchange,
    told: Rc<Told>,
    now: Duration,
}

impl Story {
    fn begin(config: &str, headers: &[(&str, &str)], request: &str) -> Self {
        let told = Rc::new(Told::default());
        let config = Arc::new(Config::parse(config.as_bytes()).unwrap());
        let now = Duration::from_secs(1_700_000_000);
        let exchange = Exchange::new(config, Rc::clone(&told) as _, 1);
        let mut story = Self { exchange, told, now };
        let path =
            headers.iter().find(|(name, _)| *name == ":path").map_or("/v1/responses", |(_, path)| *path);
        let posted = [&[(":method", "POST"), (":path", path)], headers].concat();
        story.exchange.on_request_headers(&map(&posted), false, now);
        let now = story.next_second();
        story.exchange.on_request_body(request.as_bytes(), true, now);
        story
    }

    fn next_second(&mut self) -> Duration {
        self.now += Duration::from_secs(1);
        self.now
    }

    fn answered(mut self, status: &str, body: &[&str]) -> Self {
        let now = self.next_second();
        self.exchange.on_response_headers(&map(&[(":status", status)]), false, now);
        for (at, chunk) in body.iter().enumerate() {
            let now = self.next_second();
            self.exchange.on_response_body(chunk.as_bytes(), at + 1 == body.len(), now);
        }
        self
    }

    fn closed(mut self) -> Rc<Told> {
        let now = self.next_second();
        self.exchange.on_close(now);
        self.exchange.on_close(now);
        self.told
    }
}

fn map(pairs: &[(&str, &str)]) -> Headers {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    pairs.iter().map(pair).collect::<Vec<_>>().into()
}

const STREAM: &str = r#"{"model":"m","input":"hello","stream":true}"#;
const TOOL: &str = r#"{"model":"m","input":"hello","stream":true,"tools":[{"type":"function","name":"f"}]}"#;
const TOOLS: &str = r#"{"model":"m","input":"hello","stream":true,"tools":[
    {"type":"function","name":"f","parameters":{"type":"object"}},
    {"type":"custom","name":"patch"}, {"type":"web_search"}, {"type":"file_search"}]}"#;
const HI: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const CALL: &str = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}

"#;
const CUSTOM: &str = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"patch","arguments":"{\"input\":\"x\"}"}}]}}]}

"#;
const CUT_CALL: &str = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}

"#;
const END: &str = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":37,"prompt_tokens_details":{"cached_tokens":20},"completion_tokens_details":{"reasoning_tokens":3}}}

data: [DONE]

"#;
const IN_TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"[TOOL_CALLS]f{}\"}}]}\n\n";
const LENGTH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";

const SEARCH: &str = r#"{"search": {"engine": "searxng"}, "hold_request_headers": true}"#;
const ASKED_SEARCH: &str = r#"{"commands": {"search_query": [{"q": "x"}]}}"#;

const PRICED: &str = r#"{
    "models": [{"match": "m*", "price": {"input": 2, "cached": 0.5, "output": 8}}],
    "team_header": "x-team", "teams": ["red", "blue"]
}"#;

#[test]
fn tokens_and_their_cost_are_counted_by_team() {
    for (sent, team) in [("red", "red"), ("green", OTHER), ("", OTHER)] {
        let story = Story::begin(PRICED, &[("x-team", sent)], STREAM);
        let told = story.answered("200", &[HI, END]).closed();
        let ours: Vec<_> = told.counted().into_iter().filter(|line| line.contains(team)).collect();
        // 10 fresh tokens, 20 cached ones, 7 of output.
        let expected = [
            format!("team_tokens input {team} 30"),
            format!("team_tokens cached {team} 20"),
            format!("team_tokens output {team} 7"),
            format!("team_tokens reasoning {team} 3"),
            format!("cost_micros m* {team} 86"),
        ];
        assert_eq!(ours, expected);
        assert_eq!(told.field("transponder.team").as_deref(), Some(team));
        assert_eq!(told.field("transponder.cost_micros").as_deref(), Some("86"));
    }
    let told = Story::begin("{}", &[("x-team", "red")], STREAM).answered("200", &[HI, END]).closed();
    assert!(!told.counted().iter().any(|line| line.contains("team") || line.contains("cost")));
    assert_eq!((told.field("transponder.team"), told.field("transponder.cost_micros")), (None, None));
}

/// Envoy's counters wrap, and its rate limit filter refuses a cost above a billion.
#[test]
fn absurd_counts_do_not_wrap_a_counter() {
    for absurd in [1_000_000_001, u64::from(u32::MAX) + 1, i64::MAX as u64, u64::MAX] {
        let usage = format!(
            r#"{{"prompt_tokens":{absurd},"completion_tokens":{absurd},"prompt_tokens_details":{{"cached_tokens":{absurd}}},"completion_tokens_details":{{"reasoning_tokens":{absurd}}}}}"#
        );
        let end = format!(
            "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}],\"usage\":{usage}}}\n\ndata: [DONE]\n\n"
        );
        let priced = PRICED.replace("\"output\": 8", "\"output\": 1000000000");
        let told = Story::begin(&priced, &[("x-team", "red")], STREAM).answered("200", &[HI, &end]).closed();
        for (name, value) in told.of_kind(Kind::Counter) {
            // A million such replies still fit.
            let most = if name.starts_with("cost") { 1 << 50 } else { 1_000_000_000 };
            assert!(value <= most, "{name} {value}");
        }
        assert_eq!(told.field("transponder.output_tokens").as_deref(), Some("1000000000"));
        assert_eq!(told.field("transponder.cost_micros"), Some((1u64 << 50).to_string()));
    }
}

#[test]
fn a_good_stream_is_counted_with_its_tokens_calls_and_times() {
    let story = Story::begin(r#"{"upstream": "vllm"}"#, &[], TOOLS);
    let told = story.answered("200", &[": wait\n\n", CALL, CUSTOM, END]).closed();
    assert_eq!(
        told.counted(),
        [
            "dropped tool 1",
            "dropped tool 1",
            "exchanges completed vllm 1",
            "tool_calls function_call vllm 1",
            "tool_calls custom_tool_call vllm 1",
            "tokens input vllm 30",
            "tokens cached vllm 20",
            "tokens output vllm 7",
            "tokens reasoning vllm 3",
        ]
    );
    assert_eq!(
        told.of_kind(Kind::Gauge),
        [("open_exchanges vllm".into(), 1), ("open_exchanges vllm".into(), -1)]
    );
    let times: Vec<_> = told.of_kind(Kind::Histogram);
    for expected in [
        ("request_bytes", TOOLS.len()),
        ("first_byte_milliseconds vllm", 1000),
        // The first call counts, not the comment before it.
        ("first_delta_milliseconds vllm", 3000),
        ("stream_milliseconds vllm", 5000),
        ("largest_event_bytes", END.find("\n").unwrap() - "data: ".len()),
    ] {
        let expected = (expected.0.to_owned(), i64::try_from(expected.1).unwrap());
        assert!(times.contains(&expected), "{expected:?} in {times:?}");
    }
    for (field, value) in [
        ("outcome", "completed"),
        ("preset", "vllm"),
        ("request_model", "m"),
        ("response_model", "m"),
        ("input_tokens", "30"),
        ("cached_tokens", "20"),
        ("output_tokens", "7"),
        ("reasoning_tokens", "3"),
        ("tool_calls", "2"),
        ("dropped", "tool:web_search,tool:file_search"),
    ] {
        assert_eq!(told.field(&format!("transponder.{field}")).as_deref(), Some(value), "{field}");
    }
    assert_eq!(told.field("transponder.error"), None);
}

#[test]
fn every_end_is_counted_once_and_says_what_became_of_the_calls() {
    type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);
    let table: &[Case<'_>] = &[
        ("text", "200", &[HI, END], &["exchanges completed generic 1"]),
        (
            "cut by length",
            "200",
            &[CUT_CALL, LENGTH],
            &["exchanges incomplete generic 1", "tool_calls_lost incomplete generic 1"],
        ),
        (
            "cut by length in the text",
            "200",
            &["data: {\"choices\":[{\"delta\":{\"content\":\"<tool_call>\"}}]}\n\n", LENGTH],
            &["exchanges incomplete generic 1", "tool_calls_lost incomplete generic 1"],
        ),
        (
            "left in the text",
            "200",
            &[IN_TEXT, END],
            &["exchanges completed generic 1", "tool_calls_in_text generic 1"],
        ),
        (
            "ends early",
            "200",
            &[CUT_CALL, ""],
            &[
                "exchanges failed generic 1",
                "tool_calls_lost failed generic 1",
                "upstream_errors broken generic 1",
            ],
        ),
        (
            "an error in the stream",
            "200",
            &["data: {\"error\":{\"message\":\"maximum context length\"}}\n\n"],
            &["exchanges failed generic 1", "upstream_errors context_length generic 1"],
        ),
        ("401", "401", &["{}"], &["exchanges upstream_error generic 1", "upstream_errors auth generic 1"]),
        (
            "404",
            "404",
            &["model x does not exist"],
            &["exchanges upstream_error generic 1", "upstream_errors model_not_found generic 1"],
        ),
        (
            "422",
            "422",
            &["{}"],
            &["exchanges upstream_error generic 1", "upstream_errors rejected generic 1"],
        ),
        (
            "429",
            "429",
            &["{}"],
            &["exchanges upstream_error generic 1", "upstream_errors rate_limit generic 1"],
        ),
        (
            "quota",
            "429",
            &[r#"{"error":{"code":"insufficient_quota"}}"#],
            &["exchanges upstream_error generic 1", "upstream_errors quota generic 1"],
        ),
        (
            "Envoy cannot retry a long request",
            "507",
            &["exceeded request buffer limit while retrying upstream"],
            &["exchanges upstream_error generic 1", "upstream_errors unavailable generic 1"],
        ),
        (
            "503",
            "503",
            &["no healthy upstream"],
            &["exchanges upstream_error generic 1", "upstream_errors unavailable generic 1"],
        ),
        ("504", "504", &["{}"], &["exchanges upstream_error generic 1", "upstream_errors timeout generic 1"]),
        (
            "a redirect",
            "307",
            &[],
            &["exchanges upstream_error generic 1", "upstream_errors broken generic 1"],
        ),
    ];
    for (what, status, body, expected) in table {
        let told = Story::begin("{}", &[], TOOL).answered(status, body).closed();
        let counted: Vec<_> = told.counted().into_iter().filter(|line| !line.starts_with("tokens")).collect();
        assert_eq!(counted, *expected, "{what}");
        let open: i64 = told.of_kind(Kind::Gauge).iter().map(|(_, by)| by).sum();
        assert_eq!(open, 0, "{what}");
        let failed = !expected[0].contains("completed") && !expected[0].contains("incomplete");
        assert_eq!(told.field("transponder.error").is_some(), failed, "{what}");
    }
}

#[test]
fn whoever_leaves_early_is_counted_as_cut() {
    let told = Story::begin("{}", &[], STREAM).closed();
    assert_eq!(told.counted(), ["exchanges cut generic 1"]);

    let mut story = Story::begin("{}", &[], STREAM);
    let now = story.next_second();
    story.exchange.on_response_headers(&map(&[(":status", "200")]), false, now);
    let now = story.next_second();
    story.exchange.on_response_body(CUT_CALL.as_bytes(), false, now);
    let told = story.closed();
    assert_eq!(told.counted(), ["exchanges cut generic 1", "tool_calls_lost cut generic 1"]);
    assert_eq!(told.field("transponder.outcome").as_deref(), Some("cut"));
    assert_eq!(told.of_kind(Kind::Gauge).iter().map(|(_, by)| by).sum::<i64>(), 0);
}

#[test]
fn a_refusal_is_counted_by_its_code_alone() {
    let told = Story::begin("{}", &[], r#"{"model":"m"}"#).closed();
    assert_eq!(told.counted(), ["refusals missing_required_parameter 1"]);
    assert_eq!(told.of_kind(Kind::Gauge), []);
    assert_eq!(told.field("transponder.outcome").as_deref(), Some("refused"));
    assert_eq!(told.field("transponder.error").as_deref(), Some("missing_required_parameter"));
}

#[test]
fn the_model_of_a_refused_request_is_noted() {
    let config =
        r#"{"upstream": "refuse", "models": [{"match": "known", "upstream": "vllm"}], "store": "memory"}"#;
    for (request, code, model) in [
        (r#"{"model":"gpt-6","input":"x"}"#, "model_not_found", Some("gpt-6")),
        (r#"{"model":"known"}"#, "missing_required_parameter", Some("known")),
        (
            r#"{"model":"known","input":"x","previous_response_id":"resp_1"}"#,
            "previous_response_not_found",
            Some("known"),
        ),
        (r#"{"model":"a \"b","input":5}"#, "invalid_type", Some("a??b")),
        (r#"{"input":"x"}"#, "missing_required_parameter", None),
        (r#"{"model":5,"input":"x"}"#, "invalid_type", None),
        (r#"{"model":"known","input"#, "invalid_json", None),
    ] {
        let told = Story::begin(config, &[], request).closed();
        assert_eq!(told.field("transponder.error").as_deref(), Some(code), "{request}");
        assert_eq!(told.field("transponder.request_model").as_deref(), model, "{request}");
        assert_eq!(told.field("transponder.response_model"), None, "{request}");
    }
}

#[test]
fn the_models_of_a_request_to_a_native_upstream_are_noted() {
    let config = r#"{"hold_request_headers": true, "models": [{"match": "gpt*", "model": "gpt-6", "upstream": "native"}]}"#;
    let told = Story::begin(config, &[], r#"{"model":"gpt-latest","input":"x"}"#).closed();
    assert_eq!(told.field("transponder.request_model").as_deref(), Some("gpt-latest"));
    assert_eq!(told.field("transponder.response_model").as_deref(), Some("gpt-6"));
}

#[test]
fn a_rule_of_the_configuration_shows_in_what_is_noted() {
    let config = r#"{"upstream": "vllm", "models": [{"match": "gpt*", "model": "qwen", "upstream": {"preset": "tgi"}}]}"#;
    assert_eq!(Config::parse(config.as_bytes()).unwrap().presets(), ["tgi", "vllm"]);
    let story = Story::begin(config, &[], r#"{"model":"gpt-5","input":"x"}"#);
    let told = story
        .answered("200", &[r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}"#])
        .closed();
    assert_eq!(told.counted(), ["exchanges completed tgi 1"]);
    assert_eq!(told.field("transponder.request_model").as_deref(), Some("gpt-5"));
    assert_eq!(told.field("transponder.response_model").as_deref(), Some("qwen"));
    // Times of a stream have no meaning for a document.
    let names: Vec<_> = told.of_kind(Kind::Histogram).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["request_bytes", "first_byte_milliseconds tgi", "reply_held_bytes"]);
}

#[test]
fn no_client_writes_into_the_access_log() {
    let model = "m\\n{\\\"outcome\\\": \\\"completed\\\"}\\u0000\\u001b[0mü";
    let request = format!(r#"{{"model":"{model}","input":"x","tools":[{{"type":"a\nb\"c"}}]}}"#);
    let told = Story::begin("{}", &[], &request).closed();
    for (field, value) in told.fields.borrow().iter() {
        let harmless = |char: char| char.is_ascii_graphic() && !"\"\\'".contains(char);
        assert!(value.chars().all(harmless), "{field}: {value}");
    }
    assert_eq!(told.field("transponder.dropped").as_deref(), Some("tool:a?b?c"));
    let long = format!(r#"{{"model":"{}","input":"x"}}"#, "m".repeat(100_000));
    let told = Story::begin("{}", &[], &long).closed();
    assert_eq!(told.field("transponder.request_model").unwrap().len(), 128);
}

#[test]
fn every_field_is_in_the_table() {
    let story = Story::begin(r#"{"upstream": "vllm"}"#, &[], TOOLS);
    let mut noted = Vec::new();
    for told in [
        story.answered("200", &[IN_TEXT, CALL, END]).closed(),
        Story::begin(PRICED, &[("x-team", "red")], STREAM).answered("200", &[HI, END]).closed(),
        Story::begin("{}", &[], STREAM).answered("401", &["{}"]).closed(),
        Story::begin(SEARCH, &[(":path", "/v1/alpha/search")], ASKED_SEARCH)
            .answered("200", &["{}"])
            .closed(),
    ] {
        noted.extend(told.fields.borrow().iter().map(|(field, _)| *field));
    }
    noted.sort_unstable();
    noted.dedup();
    let mut known: Vec<_> = ACCESS_LOG.iter().map(|field| field.name).collect();
    known.sort_unstable();
    assert_eq!(noted, known);
}

#[test]
fn envoys_configurations_make_labels_and_show_every_field() {
    for config in [include_str!("../../../envoy/envoy.yaml"), include_str!("../../../envoy/corporate.yaml")] {
        for label in METRICS.iter().flat_map(|metric| metric.labels) {
            let rule = format!("- {{ tag_name: {}, regex: '{}' }}", label.name, label.tag_regex());
            assert!(config.contains(&rule), "{rule}");
        }
        for field in ACCESS_LOG {
            let line = format!("{}: \"%FILTER_STATE(wasm.{}:PLAIN)%\"", field.shown_as, field.name);
            assert!(config.contains(&line), "{line}");
        }
    }
}

/// A table of `docs/operations.md`, and its expected content.
fn assert_documented(head: &str, rows: Vec<String>) {
    let page = include_str!("../../../docs/operations.md");
    let table = format!("{head}\n{}\n", rows.join("\n"));
    assert!(page.contains(&table), "docs/operations.md should hold:\n{table}");
}

#[test]
fn the_documentation_has_every_metric() {
    let kind = |kind: Kind| match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let label = |label: &transponder::metrics::Label| match label.values {
        Values::Of(values) => format!("`{}`: {}", label.name, values.join(", ")),
        Values::OrOther(values) => format!("`{}`: {}, {OTHER}", label.name, values.join(", ")),
        Values::Presets | Values::Models | Values::Teams => format!("`{}`", label.name),
        Values::Refusals => format!("`{}`: as in [errors.md](errors.md)", label.name),
    };
    let rows = METRICS.iter().map(|metric| {
        let labels: Vec<_> = metric.labels.iter().map(label).collect();
        format!("| `{}` | {} | {} | {} |", metric.name, kind(metric.kind), labels.join("; "), metric.meaning)
    });
    assert_documented("| Metric | Kind | Labels | Meaning |\n|---|---|---|---|", rows.collect());
}

#[test]
fn the_documentation_has_every_field_of_the_access_log() {
    let rows = ACCESS_LOG
        .iter()
        .map(|field| format!("| `{}` | `wasm.{}` | {} |", field.shown_as, field.name, field.meaning));
    assert_documented("| Attribute | Filter state | Meaning |\n|---|---|---|", rows.collect());
}
