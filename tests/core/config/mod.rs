//! Valid and invalid configurations, with the exact error messages.

mod routing;
mod store;

use transponder::config::{Config, History};
use transponder::upstream;

#[test]
fn nothing_and_an_empty_object_are_the_default() {
    let default = format!("{:?}", Config::default());
    for text in ["", " \n", "{}"] {
        assert_eq!(format!("{:?}", Config::parse(text.as_bytes()).unwrap()), default, "{text:?}");
    }
}

#[test]
fn the_default_is_as_documented() {
    let config = Config::default();
    assert_eq!(config.paths, ["/v1/responses", "/responses"]);
    assert_eq!(config.upstream.path().unwrap(), "/v1/chat/completions");
    assert!(config.models.is_empty());
    assert!(!config.hold_request_headers);
    assert_eq!(config.history, History::Strict);
    let limits = config.limits;
    assert_eq!((limits.request_bytes, limits.reply_bytes, limits.event_bytes), (67108864, 67108864, 8388608));
    assert_eq!(limits.held_reply_bytes, 16384);
    assert_eq!(config.session_headers, ["session-id", "thread-id"]);
}

#[test]
fn every_option_can_be_set() {
    let text = r#"{
        "paths": ["/openai/responses"],
        "upstream": {"preset": "vllm", "path": "/x?api-version=1"},
        "models": [
            {"match": "a*", "model": "A", "upstream": "vllm", "route": "one"},
            {"match": "b", "upstream": {"path": "/b"}},
            {"match": "*"}
        ],
        "hold_request_headers": true,
        "history": "repair",
        "limits": {"event_bytes": 5}
    }"#;
    let config = Config::parse(text.as_bytes()).unwrap();
    assert_eq!(config.paths, ["/openai/responses"]);
    assert_eq!(config.upstream.path().unwrap(), "/x?api-version=1");
    assert!(config.hold_request_headers);
    assert_eq!(config.history, History::Repair);
    assert_eq!((config.limits.event_bytes, config.limits.reply_bytes), (5, 67108864));
    let routes = [
        ("abc", ("A", "/v1/chat/completions", Some("one"))),
        ("b", ("b", "/b", None)),
        ("bb", ("bb", "/x?api-version=1", None)),
    ];
    for (model, expected) in routes {
        let route = config.route(model);
        assert_eq!((route.model, route.upstream.path().unwrap(), route.route), expected, "{model}");
    }
}

/// The short form changes one setting of the preset and no other.
#[test]
fn reasoning_replay_has_a_short_form() {
    let parsed = |replay: &str| {
        let text = format!(r#"{{"upstream": {{"preset": "deepseek", "reasoning_replay": {replay}}}}}"#);
        format!("{:?}", Config::parse(text.as_bytes()).unwrap())
    };
    assert_eq!(parsed(r#""off""#), parsed("null"));
    assert_eq!(parsed(r#""reasoning""#), parsed(r#"{"field": "reasoning"}"#));
    assert_ne!(parsed(r#""reasoning""#), parsed(r#""off""#));
}

#[test]
fn every_preset_is_valid() {
    for name in upstream::preset_names() {
        let text = format!(r#"{{"upstream": "{name}", "models": [{{"match": "*", "upstream": "{name}"}}]}}"#);
        assert!(Config::parse(text.as_bytes()).is_ok(), "{name}");
    }
}

#[test]
fn a_star_is_any_run_of_characters() {
    let table = [
        ("gpt-5.5", "gpt-5.5", true),
        ("gpt-5.5", "gpt-5.5-mini", false),
        ("gpt-5.5*", "gpt-5.5", true),
        ("gpt-5.5*", "gpt-5.5-mini", true),
        ("*-mini", "gpt-mini", true),
        ("*-mini", "gpt-mini-2", false),
        ("*", "", true),
        ("**", "x", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("a*b*b", "ab", false),
        ("*é*", "caféx", true),
    ];
    for (pattern, model, expected) in table {
        let text = format!(r#"{{"models": [{{"match": "{pattern}", "model": "hit"}}]}}"#);
        let config = Config::parse(text.as_bytes()).unwrap();
        assert_eq!(config.route(model).model == "hit", expected, "{pattern} on {model}");
    }
}

/// The errors of a configuration, one per line.
fn refusal(text: &str) -> String {
    Config::parse(text.as_bytes()).map_or_else(|errors| errors.to_string(), |_| format!("accepted: {text}"))
}

#[test]
fn each_mistake_is_refused_with_its_path_and_the_remedy() {
    let presets = upstream::preset_names().collect::<Vec<_>>().join(", ");
    let unknown =
        |at: &str| format!("{at}: unknown preset `nope`, expected one of: {presets}, native, refuse");
    for (text, expected) in [
        (r#"{"upstream": "nope"}"#, unknown("upstream")),
        (r#"{"upstream": {"preset": "nope"}}"#, unknown("upstream.preset")),
        (r#"{"models": [{"match": "a", "upstream": "nope"}]}"#, unknown("models[0].upstream")),
    ] {
        assert_eq!(refusal(text), expected);
    }
    let table = [
        ("{", "configuration (line 1, column 1): EOF while parsing an object"),
        ("{} x", "configuration (line 1, column 4): trailing characters"),
        ("{\n\"paths\" 1}", "configuration (line 2, column 9): expected `:`"),
        ("[]", "configuration: expected a JSON object"),
        ("\"x\"", "configuration: expected a JSON object"),
        // The wrong type.
        (r#"{"paths": "x"}"#, "paths: expected a list, found \"x\""),
        (r#"{"upstream": 1}"#, "upstream: expected a preset's name or an object of options"),
        (r#"{"upstream": {"preset": 1}}"#, "upstream.preset: expected a preset's name"),
        (r#"{"upstream": {"path": 1}}"#, "upstream.path: expected a string, found `1`"),
        (
            r#"{"upstream": {"tool_call_id_chars": "9"}}"#,
            "upstream.tool_call_id_chars: expected a whole number, found \"9\"",
        ),
        (
            r#"{"upstream": {"tool_call_id_chars": 9.5}}"#,
            "upstream.tool_call_id_chars: expected a whole number, found `9.5`",
        ),
        (r#"{"limits": {"reply_bytes": -1}}"#, "limits.reply_bytes: expected a whole number, found `-1`"),
        (r#"{"limits": 5}"#, "limits: expected an object, found `5`"),
        (r#"{"limits": [1, 2, 3, 4]}"#, "limits: expected an object, found a list"),
        (r#"{"upstream": {"reasoning": [{}]}}"#, "upstream.reasoning: expected an object, found a list"),
        (
            r#"{"upstream": {"reasoning_replay": ["reasoning"]}}"#,
            "upstream.reasoning_replay: expected an object, found a list",
        ),
        (r#"{"paths": [5]}"#, "paths[0]: expected a string, found `5`"),
        (
            r#"{"hold_request_headers": "yes"}"#,
            "hold_request_headers: expected `true` or `false`, found \"yes\"",
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": true}}}"#,
            "upstream.reasoning.efforts: expected an object, found `true`",
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"low": 5}}}}"#,
            "upstream.reasoning.efforts.low: expected a value of `reasoning_effort`, or an object of fields, found `5`",
        ),
        (
            r#"{"upstream": {"sampling": ["temperature", 5]}}"#,
            "upstream.sampling[1]: expected one of `temperature`, `top_p`, `logprobs`, found `5`",
        ),
        (r#"{"models": ["gpt-5.5"]}"#, "models[0]: expected an object"),
        (r#"{"models": [{"model": "x"}]}"#, "models[0]: `match` is missing"),
        // An unknown word.
        (r#"{"upstream": "vlm"}"#, "upstream: unknown preset `vlm`, did you mean `vllm`?"),
        (
            r#"{"upstream": {"preset": "refused"}}"#,
            "upstream.preset: unknown preset `refused`, did you mean `refuse`?",
        ),
        (r#"{"upstreams": "vllm"}"#, "upstreams: unknown key `upstreams`, did you mean `upstream`?"),
        (r#"{"upstream": {"sytem": "keep"}}"#, "upstream.sytem: unknown key `sytem`, did you mean `system`?"),
        (
            r#"{"limits": {"bytes": 0}}"#,
            "limits.bytes: unknown key `bytes`, expected one of: request_bytes, reply_bytes, event_bytes, held_reply_bytes",
        ),
        (r#"{"history": "lax"}"#, "history: unknown value `lax`, expected one of: strict, repair"),
        (r#"{"history": "strikt"}"#, "history: unknown value `strikt`, did you mean `strict`?"),
        (
            r#"{"upstream": {"preset": "vllm", "think_tags": "yes"}}"#,
            "upstream.think_tags: unknown value `yes`, expected one of: off, on, implied",
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"hihg": "high"}}}}"#,
            "upstream.reasoning.efforts.hihg: unknown effort `hihg`, did you mean `high`?",
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"turbo": {"x": 1}}}}}"#,
            "upstream.reasoning.efforts.turbo: unknown effort `turbo`, expected one of: \
             none, minimal, low, medium, high, xhigh, max, ultra",
        ),
        // A key in the wrong object.
        (r#"{"path": "/x"}"#, "path: `path` belongs inside `upstream`"),
        (r#"{"preset": "vllm"}"#, "preset: `preset` belongs inside `upstream`"),
        (
            r#"{"sytem": "keep"}"#,
            "sytem: unknown key `sytem`, did you mean `system`? It belongs inside `upstream`",
        ),
        (r#"{"route": "a"}"#, "route: `route` belongs in a rule of `models`"),
        (r#"{"request_bytes": 1}"#, "request_bytes: `request_bytes` belongs inside `limits`"),
        (r#"{"upstream": {"history": "repair"}}"#, "upstream.history: `history` belongs at the top level"),
        (
            r#"{"upstream": {"efforts": {}}}"#,
            "upstream.efforts: `efforts` belongs inside `reasoning` of an upstream",
        ),
        (
            r#"{"models": [{"match": "a", "system": "keep"}]}"#,
            "models[0].system: `system` belongs inside `upstream`",
        ),
        (
            r#"{"hold_request_headers": true, "upstream": {"preset": "native", "system": "keep"}}"#,
            "upstream.system: `native` has no option but `path`",
        ),
        // A value that is not allowed.
        (r#"{"paths": []}"#, "paths: expected at least one path, e.g. `/v1/responses`"),
        (r#"{"paths": ["/a", "b"]}"#, "paths[1]: `b` does not begin with `/`"),
        (r#"{"paths": ["/a?b"]}"#, "paths[0]: `/a?b` has a query; leave it out, any query matches"),
        (r#"{"paths": ["/a/"]}"#, "paths[0]: `/a/` ends with `/`; leave that out"),
        (r#"{"upstream": {"path": "x"}}"#, "upstream.path: `x` does not begin with `/`"),
        (
            r#"{"upstream": {"path": "/x y"}}"#,
            "upstream.path: expected only visible ASCII characters, because it is sent as a header's value",
        ),
        (
            r#"{"upstream": {"pass_fields": ["top_k", "input"]}}"#,
            "upstream.pass_fields[1]: `input` cannot be passed on: the filter translates it",
        ),
        (r#"{"upstream": {"pass_fields": [""]}}"#, "upstream.pass_fields[0]: expected a non-empty string"),
        (r#"{"upstream": {"default_max_tokens": 0}}"#, "upstream.default_max_tokens: expected at least 1"),
        (r#"{"upstream": {"tool_call_id_chars": 0}}"#, "upstream.tool_call_id_chars: expected at least 8"),
        (
            r#"{"models": [{"match": "a", "upstream": "native"}]}"#,
            "models[0].upstream: `native` needs `\"hold_request_headers\": true`: only the body names the model, and \
             headers that are not held are sent, already changed, before it",
        ),
        (
            r#"{"upstream": "native"}"#,
            "upstream: `native` needs `\"hold_request_headers\": true`: headers that are not held are sent, already \
             changed, before the body shows whether a rule of `models` has another upstream. If no rule has one, \
             nothing is to be translated: remove the filter",
        ),
        (
            r#"{"hold_request_headers": true, "upstream": {"preset": "native", "path": "x"}}"#,
            "upstream.path: `x` does not begin with `/`",
        ),
        (r#"{"upstream": {"preset": "refuse", "path": "/x"}}"#, "upstream: `refuse` has no options"),
        (
            r#"{"upstream": {"add_fields": {"top_k": 5, "model": "x"}}}"#,
            "upstream.add_fields.model: `model` cannot be added: the filter writes it itself",
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"low": {"max_tokens": 5}}}}}"#,
            "upstream.reasoning.efforts.low.max_tokens: `max_tokens` cannot be added: the filter writes it itself",
        ),
        (r#"{"models": [{"match": ""}]}"#, "models[0].match: expected a non-empty string"),
        (
            r#"{"models": [{"match": "a"}, {"match": "b", "route": "x\ny"}]}"#,
            "models[1].route: expected only visible ASCII characters, because it is sent as a header's value",
        ),
        (
            r#"{"models": [{"match": "a*", "catalog": {}}]}"#,
            "models[0].catalog: needs a `match` without `*`, because it is the name in the list of models",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {}}, {"match": "b"}, {"match": "a", "catalog": {}}]}"#,
            "models[2].catalog: an earlier rule describes `a` already",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {"context_window": 0}}]}"#,
            "models[0].catalog.context_window: expected more than 0",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {"auto_compact_token_limit": 9223372036854775808}}]}"#,
            "models[0].catalog.auto_compact_token_limit: expected at most 9223372036854775807",
        ),
        (
            r#"{"upstream": {"session_header": "content-length"}}"#,
            "upstream.session_header: `content-length` is written by Envoy or by the filter",
        ),
        (
            r#"{"upstream": {"session_header": "content-type"}}"#,
            "upstream.session_header: `content-type` is written by Envoy or by the filter",
        ),
        (
            r#"{"upstream": {"session_header": "authorization"}}"#,
            "upstream.session_header: `authorization` has the client's key, which the upstream would not get",
        ),
        (
            r#"{"store": {"memory": {"bytes": 100}}}"#,
            "store.memory.bytes: expected at least 32768, or no response fits",
        ),
        (
            r#"{"upstream": {"session_header": "x-transponder-upstream"}}"#,
            "upstream.session_header: `x-transponder-upstream` is written by Envoy or by the filter",
        ),
        (r#"{"models": [{"match": "a", "catalog": true}]}"#, "models[0].catalog: expected an object"),
        (
            r#"{"models": [{"match": "a", "catalog": {"context_windw": 5}}]}"#,
            "models[0].catalog.context_windw: unknown key `context_windw`, did you mean `context_window`?",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {"efforts": ["low", "hihg"]}}]}"#,
            "models[0].catalog.efforts[1]: unknown effort `hihg`, did you mean `high`?",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {"instructions": ""}}]}"#,
            "models[0].catalog.instructions: expected a non-empty string",
        ),
        (
            r#"{"models": [{"match": "a", "price": {"input": -1, "output": 2}}]}"#,
            "models[0].price.input: expected at least 0",
        ),
        (r#"{"models": [{"match": "a", "price": {"input": 1}}]}"#, "models[0].price: `output` is missing"),
        (
            r#"{"models": [{"match": "a b", "price": {"input": 1, "output": 2}}]}"#,
            "models[0].price: expected visible ASCII characters without `;` and `=`, because it is a label of metrics",
        ),
        (r#"{"teams": ["a"]}"#, "teams: needs `team_header`, the request header with the client's team"),
        (r#"{"team_header": "x-team"}"#, "team_header: needs at least one team in `teams`"),
        (r#"{"team_header": "x-team", "teams": []}"#, "team_header: needs at least one team in `teams`"),
        (
            r#"{"team_header": "x-team", "teams": ["a", "b=c"]}"#,
            "teams[1]: expected visible ASCII characters without `;` and `=`, because it is a label of metrics",
        ),
        (
            r#"{"search": {"engine": "brave"}}"#,
            "search.engine: `brave` needs `\"hold_request_headers\": true`, because it takes the query in the path",
        ),
        (
            r#"{"hold_request_headers": true, "search": {"engine": "bing"}}"#,
            "search.engine: unknown value `bing`, expected one of: searxng, brave, tavily",
        ),
        (r#"{"search": "brave"}"#, "search: expected an object"),
        (
            r#"{"hold_request_headers": true, "search": {"engine": "brave", "path": "/a#b"}}"#,
            "search.path: `/a#b` has a `#`, which no request has in its path",
        ),
        (r#"{"paths": ["/a#b"]}"#, "paths[0]: `/a#b` has a `#`, which no request has in its path"),
        (
            r#"{"upstream": {"path": "/a#b"}}"#,
            "upstream.path: `/a#b` has a `#`, which no request has in its path",
        ),
        (r#"{"team_header": "x-team", "teams": ["a", "b", "a"]}"#, "teams[2]: `a` is there twice"),
        (
            r#"{"models": [{"match": "a", "upstream": "refuse", "catalog": {}}]}"#,
            "models[0].catalog: `a` is refused, so it cannot be in the list of models",
        ),
        (
            r#"{"upstream": "refuse", "models": [{"match": "b", "upstream": "vllm", "catalog": {}}, {"match": "a", "catalog": {}}]}"#,
            "models[1].catalog: `a` is refused, so it cannot be in the list of models",
        ),
        (
            r#"{"models": [{"match": "a", "catalog": {"input_modalities": []}}]}"#,
            "models[0].catalog.input_modalities: expected at least one",
        ),
        (
            r#"{"models": [{"match": "a", "price": {"input": 1, "output": 1e10}}]}"#,
            "models[0].price.output: expected at most 1000000000, for a million tokens",
        ),
        (
            r#"{"hold_request_headers": true, "search": {"engine": "tavily", "path": "x"}}"#,
            "search.path: `x` does not begin with `/`",
        ),
        (
            r#"{"session_headers": ["x-a", "Session-Id"]}"#,
            "session_headers[1]: `Session-Id` is not the name of a header in lower case",
        ),
        (
            r#"{"upstream": {"session_header": ""}}"#,
            "upstream.session_header: `` is not the name of a header in lower case",
        ),
        (r#"{"limits": {"reply_bytes": 0}}"#, "limits.reply_bytes: expected more than 0"),
        (
            r#"{"upstream": {"content": "parts", "content": "string"}}"#,
            "upstream.content: `content` is given twice",
        ),
        (
            r#"{"upstream": "refuse", "models": [{"match": "a", "upstream": {"path": "/a"}}, {"match": "b", "upstream": {"path": "/b"}}]}"#,
            "models[1].upstream: `path` is `/b`, but an earlier rule has `/a`. With `\"upstream\": \"refuse\"` at the top \
             level, different paths need `\"hold_request_headers\": true`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn every_mistake_is_reported_at_once_in_the_order_of_the_file() {
    let text = r#"{
    "paths": [4, "v1/responses", 5, "/a/"],
    "upstream": {
        "preset": "vlm",
        "sytem": "keep",
        "content": "x",
        "sampling": ["top_q", "top_p", "seed"], "pass_fields": [null, "model"],
        "reasoning": {"efforts": {"hihg": "high", "low": 5}}
    },
    "models": [
        {"model": "a"},
        {"match": "b", "history": "strict", "upstream": {"path": 1, "tool_call_id_chars": 1}}
    ],
    "limits": {"event_bytes": "8", "reply_bytes": 0}
}
"#;
    let expected = "\
paths[0] (line 2, column 15): expected a string, found `4`
paths[1] (line 2, column 18): `v1/responses` does not begin with `/`
paths[2] (line 2, column 34): expected a string, found `5`
paths[3] (line 2, column 37): `/a/` ends with `/`; leave that out
upstream.preset (line 4, column 9): unknown preset `vlm`, did you mean `vllm`?
upstream.sytem (line 5, column 9): unknown key `sytem`, did you mean `system`?
upstream.content (line 6, column 9): unknown value `x`, expected one of: string, parts
upstream.sampling[0] (line 7, column 22): unknown value `top_q`, did you mean `top_p`?
upstream.sampling[2] (line 7, column 40): unknown value `seed`, expected one of: temperature, top_p, logprobs
upstream.pass_fields[0] (line 7, column 65): expected a string, found null
upstream.pass_fields[1] (line 7, column 71): `model` cannot be passed on: the filter translates it
upstream.reasoning.efforts.hihg (line 8, column 35): unknown effort `hihg`, did you mean `high`?
upstream.reasoning.efforts.low (line 8, column 51): expected a value of `reasoning_effort`, or an object of fields, found `5`
models[0] (line 11, column 9): `match` is missing
models[1].history (line 12, column 24): `history` belongs at the top level
models[1].upstream.path (line 12, column 58): expected a string, found `1`
models[1].upstream.tool_call_id_chars (line 12, column 69): expected at least 8
limits.event_bytes (line 14, column 16): expected a whole number, found \"8\"
limits.reply_bytes (line 14, column 36): expected more than 0";
    assert_eq!(refusal(text), expected);
}

/// A required key that is wrong or missing does not hide the mistakes beside it.
#[test]
fn a_wrong_required_key_hides_nothing() {
    let search = |search: &str| format!(r#"{{"hold_request_headers": true, "search": {search}}}"#);
    let rule = |rule: &str| format!(r#"{{"models": [{rule}]}}"#);
    for (text, expected) in [
        (
            search(r#"{"engine": "bing", "path": "x", "route": ""}"#),
            &["search.engine", "search.path", "search.route"][..],
        ),
        (search(r#"{"path": "x", "rute": ""}"#), &["search", "search.path", "search.rute"]),
        (
            search(r#"{"engine": 5, "path": 5, "route": 5}"#),
            &["search.engine", "search.path", "search.route"],
        ),
        (
            rule(r#"{"match": "a", "price": {"input": "1", "output": -1, "cached": 1e30}}"#),
            &["models[0].price.cached", "models[0].price.input", "models[0].price.output"],
        ),
        (
            rule(r#"{"match": "a", "price": {"cached": -1}}"#),
            &["models[0].price", "models[0].price", "models[0].price.cached"],
        ),
        (
            rule(
                r#"{"match": 5, "upstream": "vlm", "route": "", "price": {"input": -1}, "catalog": {"context_window": 0}}"#,
            ),
            &[
                "models[0].catalog.context_window",
                "models[0].match",
                "models[0].price",
                "models[0].price.input",
                "models[0].route",
                "models[0].upstream",
            ],
        ),
        (
            rule(r#"{"model": "", "upstream": "vlm"}"#),
            &["models[0]", "models[0].model", "models[0].upstream"],
        ),
        (
            r#"{"store": {"http": {"cluster": 5, "timeout_ms": 0, "headers": {"host": "x"}}}}"#.to_owned(),
            &["store.http", "store.http.cluster", "store.http.headers.host", "store.http.timeout_ms"],
        ),
    ] {
        let errors = Config::parse(text.as_bytes()).unwrap_err();
        let mut paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, expected, "{text}: {errors}");
    }
}

/// Such a header says nothing about the client, or no filter sees it.
#[test]
fn headers_of_the_message_name_no_client() {
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "upgrade",
        "keep-alive",
        "trailer",
        "expect",
        "proxy-connection",
    ] {
        for (at, text) in [
            ("team_header", format!(r#"{{"team_header": "{name}", "teams": ["a"]}}"#)),
            ("owner_header", format!(r#"{{"owner_header": "{name}"}}"#)),
            ("session_headers[0]", format!(r#"{{"session_headers": ["{name}"]}}"#)),
        ] {
            assert_eq!(refusal(&text), format!("{at}: `{name}` is about the message, not about the client"));
        }
    }
}

/// Programs write JSON on one line, where a column does not help.
#[test]
fn a_single_line_has_no_places() {
    assert_eq!(refusal("{\"history\": 1}\n"), "history: expected one of `strict`, `repair`, found `1`");
}

#[test]
fn the_path_before_the_body_is_one_of_chat_completions() {
    for (config, expected) in [
        (r#"{}"#, Some("/v1/chat/completions")),
        (r#"{"upstream": "refuse"}"#, None),
        (
            r#"{"upstream": "refuse", "models": [{"match": "a"}, {"match": "b", "upstream": {"path": "/b"}}]}"#,
            Some("/b"),
        ),
        (
            r#"{"upstream": {"preset": "native", "path": "/n"}, "hold_request_headers": true, "models": [{"match": "b", "upstream": {"path": "/b"}}]}"#,
            Some("/b"),
        ),
    ] {
        let parsed = Config::parse(config.as_bytes()).unwrap();
        assert_eq!(parsed.path_before_body(), expected, "{config}");
        assert!(parsed.warnings().is_empty(), "{config}");
    }
}
