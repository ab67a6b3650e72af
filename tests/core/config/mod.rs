//! Good and bad configurations, with the exact words of the refusal.

mod routing;

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
}

#[test]
fn everything_can_be_said() {
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

/// A word changes what it says, and nothing else of the preset.
#[test]
fn how_reasoning_goes_back_can_be_said_in_a_word() {
    let parsed = |replay: &str| {
        let text = format!(r#"{{"upstream": {{"preset": "deepseek", "reasoning_replay": {replay}}}}}"#);
        format!("{:?}", Config::parse(text.as_bytes()).unwrap())
    };
    assert_eq!(parsed(r#""off""#), parsed("null"));
    assert_eq!(parsed(r#""reasoning""#), parsed(r#"{"field": "reasoning"}"#));
    assert_ne!(parsed(r#""reasoning""#), parsed(r#""off""#));
}

#[test]
fn every_preset_is_good() {
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

#[test]
fn bad_configurations_are_refused_with_the_place_and_the_remedy() {
    let presets = upstream::preset_names().collect::<Vec<_>>().join(", ");
    let unknown =
        |at: &str| format!("{at}: unknown preset `nope`, expected one of: {presets}, native, refuse");
    let table = [
        ("{", "configuration: EOF while parsing an object at line 1 column 1".to_owned()),
        ("[]", "configuration: expected a JSON object".to_owned()),
        ("{} x", "configuration: trailing characters at line 1 column 4".to_owned()),
        (
            r#"{"path": 1}"#,
            "path: unknown field `path`, expected one of `paths`, `upstream`, `models`, `hold_request_headers`, `history`, `limits` at line 1 column 7".to_owned(),
        ),
        (r#"{"paths": "x"}"#, "paths: invalid type: string \"x\", expected a sequence at line 1 column 13".to_owned()),
        (r#"{"paths": []}"#, "paths: expected at least one path, e.g. `/v1/responses`".to_owned()),
        (r#"{"paths": ["/a", "b"]}"#, "paths[1]: `b` does not begin with `/`".to_owned()),
        (r#"{"paths": ["/a?b"]}"#, "paths[0]: `/a?b` has a query; leave it out, any query matches".to_owned()),
        (r#"{"paths": ["/a/"]}"#, "paths[0]: `/a/` ends with `/`; leave that out".to_owned()),
        (r#"{"upstream": "nope"}"#, unknown("upstream")),
        (r#"{"upstream": {"preset": "nope"}}"#, unknown("upstream.preset")),
        (r#"{"upstream": {"preset": 1}}"#, "upstream.preset: expected a preset's name".to_owned()),
        (r#"{"upstream": 1}"#, "upstream: expected a preset's name or an object of options".to_owned()),
        (r#"{"upstream": {"path": 1}}"#, "upstream.path: invalid type: integer `1`, expected a string".to_owned()),
        (r#"{"upstream": {"path": "x"}}"#, "upstream.path: `x` does not begin with `/`".to_owned()),
        (
            r#"{"upstream": {"path": "/x y"}}"#,
            "upstream.path: expected visible ASCII characters only, as it becomes a header's value".to_owned(),
        ),
        (
            r#"{"upstream": {"pass_fields": ["top_k", "input"]}}"#,
            "upstream.pass_fields[1]: `input` is not for passing on: it is translated".to_owned(),
        ),
        (
            "\n{\"limits\": {\n    \"event_bytes\": \"x\"\n  }\n}",
            "limits.event_bytes: invalid type: string \"x\", expected usize at line 3 column 22".to_owned(),
        ),
        (
            r#"{"models": [{"match": "a", "upstream": {"preset": "vllm", "content": "x", "system": "keep"}}]}"#,
            "models[0].upstream.content: unknown variant `x`, expected `string` or `parts`".to_owned(),
        ),
        (
            r#"{"upstream": {"sampling": ["temperature", 5]}}"#,
            "upstream.sampling[1]: invalid type: integer `5`, expected one of `temperature`, `top_p`, `logprobs`".to_owned(),
        ),
        (r#"{"upstream": {"tool_call_id_chars": 0}}"#, "upstream.tool_call_id_chars: expected at least 8".to_owned()),
        (r#"{"models": [{"match": "a", "upstream": "nope"}]}"#, unknown("models[0].upstream")),
        (
            r#"{"models": [{"match": "a", "upstream": "native"}]}"#,
            "models[0].upstream: `native` needs `\"hold_request_headers\": true`: which requests are not to be translated \
             follows from their model, and by then headers that do not wait are gone".to_owned(),
        ),
        (
            r#"{"hold_request_headers": true, "upstream": {"preset": "native", "path": "x"}}"#,
            "upstream.path: `x` does not begin with `/`".to_owned(),
        ),
        (
            r#"{"hold_request_headers": true, "upstream": {"preset": "native", "system": "keep"}}"#,
            "upstream.system: unknown field `system`, expected `path`".to_owned(),
        ),
        (r#"{"upstream": {"preset": "refuse", "path": "/x"}}"#, "upstream: `refuse` has no options".to_owned()),
        (
            r#"{"upstream": {"add_fields": {"top_k": 5, "model": "x"}}}"#,
            "upstream.add_fields.model: `model` is not for adding: it is translated".to_owned(),
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"low": {"max_tokens": 5}}}}}"#,
            "upstream.reasoning.efforts.low.max_tokens: `max_tokens` is not for adding: it is translated".to_owned(),
        ),
        (
            r#"{"upstream": {"reasoning": {"efforts": {"low": 5}}}}"#,
            "upstream.reasoning.efforts.low: invalid type: integer `5`, expected a value of `reasoning_effort`, or an object of fields".to_owned(),
        ),
        (
            r#"{"upstream": {"preset": "vllm", "think_tags": "yes"}}"#,
            "upstream.think_tags: unknown variant `yes`, expected one of `off`, `on`, `implied`".to_owned(),
        ),
        (r#"{"models": [{"match": ""}]}"#, "models[0].match: expected a text that is not empty".to_owned()),
        (r#"{"models": [{"model": "x"}]}"#, "models[0]: missing field `match` at line 1 column 26".to_owned()),
        (
            r#"{"models": [{"match": "a"}, {"match": "b", "route": "x\ny"}]}"#,
            "models[1].route: expected visible ASCII characters only, as it becomes a header's value".to_owned(),
        ),
        (
            r#"{"history": "lax"}"#,
            "history: unknown variant `lax`, expected `strict` or `repair` at line 1 column 17".to_owned(),
        ),
        (r#"{"limits": {"reply_bytes": 0}}"#, "limits.reply_bytes: expected more than 0".to_owned()),
        (
            r#"{"limits": {"bytes": 0}}"#,
            "limits.bytes: unknown field `bytes`, expected one of `request_bytes`, `reply_bytes`, `event_bytes`, `held_reply_bytes` at line 1 column 19".to_owned(),
        ),
        (
            r#"{"hold_request_headers": "yes"}"#,
            "hold_request_headers: invalid type: string \"yes\", expected a boolean at line 1 column 30".to_owned(),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(Config::parse(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn an_unknown_option_names_the_option() {
    let error = Config::parse(br#"{"upstream": {"preset": "vllm", "pth": "/x"}}"#).unwrap_err();
    assert_eq!(error.path, "upstream.pth");
    assert!(error.message.starts_with("unknown field `pth`, expected "), "{}", error.message);
}
