//! Model rules: another upstream, an upstream with its own Responses API, or none.

use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::{BodyVerdict, Edit, Exchange, Headers, HeadersVerdict};
use transponder::metrics::{Metric, Telemetry};

#[derive(Debug)]
struct Deaf;

impl Telemetry for Deaf {
    fn record(&self, _: &'static Metric, _: &[&str], _: i64) {}
    fn note(&self, _: &'static str, _: &str) {}
}

fn config() -> Config {
    let config = json!({
        "upstream": "refuse",
        "models": [
            {"match": "gpt-*", "upstream": "native", "route": "openai"},
            {"match": "or/*", "model": "openai/gpt", "upstream": {"preset": "native", "path": "/api/v1/responses"}},
            {"match": "qwen*", "model": "Qwen/Qwen3", "upstream": "groq", "route": "groq"},
        ],
        "hold_request_headers": true,
    });
    Config::parse(config.to_string().as_bytes()).unwrap()
}

fn headers(path: &str, length: usize) -> Headers {
    let length = length.to_string();
    let headers: [(&str, &str); 9] = [
        (":method", "POST"),
        (":path", path),
        ("accept", "text/event-stream"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-length", &length),
        ("accept-encoding", "gzip"),
        ("originator", "codex_exec"),
        ("x-codex-window-id", "w"),
        ("x-transponder-upstream", "forged"),
    ];
    Headers::from(headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec())
}

/// The time of every callback.
const NOW: Duration = Duration::ZERO;

/// The headers after all edits, the body and the exchange.
fn sent(path: &str, body: &str) -> (Vec<(String, String)>, BodyVerdict, Exchange) {
    let mut exchange = Exchange::new(Arc::new(config()), Rc::new(Deaf), 1);
    let headers = headers(path, body.len());
    let mut now: Vec<(String, String)> =
        headers.names().map(|name| (name.to_owned(), headers.text(name).to_owned())).collect();
    let HeadersVerdict::Hold(edits) = exchange.on_request_headers(&headers, false, NOW) else { panic!() };
    edit(&mut now, &edits);
    let verdict = exchange.on_request_body(body.as_bytes(), true, NOW);
    if let BodyVerdict::Release(edits, _) = &verdict {
        edit(&mut now, edits);
    }
    now.sort();
    (now, verdict, exchange)
}

fn edit(headers: &mut Vec<(String, String)>, edits: &[Edit]) {
    for edit in edits {
        let (name, value) = match edit {
            Edit::Set(name, value) => (name.to_string(), Some(value.clone())),
            Edit::Remove(name) => (name.clone(), None),
        };
        headers.retain(|(known, _)| *known != name);
        headers.extend(value.map(|value| (name, value)));
    }
}

fn of<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

const RESPONSES: &str = "/v1/responses?x=1";

#[test]
fn a_native_model_passes_through_in_both_directions() {
    let body =
        r#"{ "model":"gpt-6" ,"input":"hi","previous_response_id":"resp_1","tools":[{"type":"web_search"}]}"#;
    let (now, verdict, mut exchange) = sent(RESPONSES, body);
    let BodyVerdict::Release(_, up) = verdict else { panic!("{verdict:?}") };
    assert_eq!(String::from_utf8(up).unwrap(), body);
    for (name, value) in [
        (":path", RESPONSES),
        ("accept", "text/event-stream"),
        ("content-type", "application/json; charset=utf-8"),
        ("accept-encoding", "gzip"),
        ("originator", "codex_exec"),
        ("x-codex-window-id", "w"),
        ("x-transponder-upstream", "openai"),
        ("x-transponder-model", "gpt-6"),
    ] {
        assert_eq!(of(&now, name), Some(value), "{name}");
    }
    assert_eq!(of(&now, "content-length"), Some(&*body.len().to_string()));

    assert!(exchange.passes_through(), "not even looked at");
    let reply = Headers::from(vec![(":status".to_owned(), b"200".to_vec())]);
    assert_eq!(exchange.on_response_headers(&reply, false, NOW), HeadersVerdict::Continue(Vec::new()));
    assert_eq!(exchange.on_response_body(b"data: x", true, NOW), BodyVerdict::Pass);
}

#[test]
fn its_model_and_path_may_be_others() {
    let body = r#"{"input":"hi","model":"or/x"}"#;
    let (now, verdict, _) = sent(RESPONSES, body);
    let BodyVerdict::Release(_, up) = verdict else { panic!("{verdict:?}") };
    assert_eq!(String::from_utf8(up).unwrap(), r#"{"input":"hi","model":"openai/gpt"}"#);
    assert_eq!(of(&now, ":path"), Some("/api/v1/responses"));
    assert_eq!(of(&now, "x-transponder-upstream"), None, "forged ones are removed");
    let (now, ..) = sent("/v1/responses/compact", body);
    assert_eq!(of(&now, ":path"), Some("/api/v1/responses/compact"));
}

#[test]
fn a_body_that_is_whole_before_its_end_goes_with_the_end() {
    let mut exchange = Exchange::new(Arc::new(config()), Rc::new(Deaf), 1);
    let body = r#"{"model":"gpt-6","input":"hi"}"#;
    exchange.on_request_headers(&headers(RESPONSES, body.len()), false, NOW);
    let BodyVerdict::Release(_, now) = exchange.on_request_body(body.as_bytes(), false, NOW) else {
        panic!()
    };
    assert!(now.is_empty());
    assert_eq!(exchange.on_request_body(b"", true, NOW), BodyVerdict::Replace(body.as_bytes().to_vec()));
}

#[test]
fn other_models_are_translated_or_refused() {
    let (now, verdict, _) = sent(RESPONSES, r#"{"model":"qwen3","input":"hi"}"#);
    let BodyVerdict::Release(_, up) = verdict else { panic!("{verdict:?}") };
    let up: Value = serde_json::from_slice(&up).unwrap();
    assert_eq!(
        (&up["model"], of(&now, ":path")),
        (&json!("Qwen/Qwen3"), Some("/openai/v1/chat/completions"))
    );
    assert_eq!(of(&now, "x-transponder-upstream"), Some("groq"));
    assert_eq!(of(&now, "originator"), None);

    let (_, verdict, _) = sent(RESPONSES, r#"{"model":"llama","input":"hi"}"#);
    let BodyVerdict::Respond(reply) = verdict else { panic!("{verdict:?}") };
    let error: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &error["error"]["code"]), (404, &json!("model_not_found")));
    assert!(error["error"]["message"].as_str().unwrap().contains("'llama'"));
}

/// Headers that are sent before the model is known have the path of Chat Completions, even if the top-level upstream has none.
#[test]
fn a_translated_body_never_goes_to_the_path_of_responses() {
    let translated = json!({"match": "qwen*", "upstream": {"path": "/chat"}});
    let native = json!({"match": "gpt-*", "upstream": "native"});
    for (config, held) in [
        (json!({"upstream": "refuse", "models": [translated]}), false),
        (json!({"upstream": "refuse", "models": [native, translated], "hold_request_headers": true}), true),
        (json!({"upstream": "native", "models": [translated], "hold_request_headers": true}), true),
    ] {
        let parsed = Config::parse(config.to_string().as_bytes()).unwrap();
        let mut exchange = Exchange::new(Arc::new(parsed), Rc::new(Deaf), 1);
        let body = r#"{"model":"qwen3","input":"hi"}"#;
        let edits = match exchange.on_request_headers(&headers(RESPONSES, body.len()), false, NOW) {
            HeadersVerdict::Hold(edits) if held => edits,
            HeadersVerdict::Continue(edits) if !held => edits,
            other => panic!("{config}: {other:?}"),
        };
        // If Envoy cannot hold headers, no body arrives until they are sent unchanged.
        assert_eq!(exchange.on_watchdog(), held);
        let path = edits.iter().find_map(|edit| match edit {
            Edit::Set(name, path) if name == ":path" => Some(path.as_str()),
            _ => None,
        });
        assert_eq!(path, Some("/chat"), "{config}");
        assert!(
            matches!(exchange.on_request_body(body.as_bytes(), true, NOW), BodyVerdict::Replace(_)),
            "{config}"
        );
    }
}

#[test]
fn options_without_effect_cause_warnings() {
    let warnings = |held: bool| {
        let config = json!({
            "models": [{"match": "a", "upstream": "groq", "route": "r"}, {"match": "b", "upstream": "vllm"}],
            "hold_request_headers": held,
        });
        Config::parse(config.to_string().as_bytes()).unwrap().warnings()
    };
    assert!(warnings(true).is_empty());
    let warnings = warnings(false);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("models[0].upstream: its path `/openai/v1/chat/completions` is not used")
    );
    assert!(warnings[1].starts_with("models[0].route: `r` is not used"));
}

#[test]
fn a_rule_that_an_earlier_one_hides_causes_a_warning() {
    for (patterns, hidden) in [
        (&["*", "a"][..], Some("models[1]: it never applies, because models[0] matches the same models")),
        (&["b", "a", "a"], Some("models[2]: it never applies, because models[1] matches the same models")),
        (&["a*c", "ab*c"], Some("models[1]: it never applies, because models[0] matches the same models")),
        (&["a*", "*"], None),
        (&["a", "a*"], None),
        (&["a*c", "a*"], None),
    ] {
        let rules: Vec<_> = patterns.iter().map(|pattern| json!({"match": pattern})).collect();
        let config = json!({"models": rules, "hold_request_headers": true});
        let warnings = Config::parse(config.to_string().as_bytes()).unwrap().warnings();
        assert_eq!(warnings, Vec::from_iter(hidden), "{patterns:?}");
    }
}

#[test]
fn an_owner_that_nothing_has_causes_a_warning() {
    for (config, warning) in [
        (r#"{"owner_header": "x-user"}"#, Some("owner_header: `x-user` is not used without `store`")),
        (r#"{"owner_header": "x-user", "store": "memory"}"#, None),
        (r#"{"owner_header": "x-user", "search": {"engine": "searxng"}}"#, None),
        (r#"{"owner_header": "authorization"}"#, None),
    ] {
        assert_eq!(Config::parse(config.as_bytes()).unwrap().warnings(), Vec::from_iter(warning), "{config}");
    }
}

/// The native module holds the headers, so what depends on the model needs no setting.
#[test]
fn an_adapter_that_holds_the_headers_needs_no_setting() {
    let native = br#"{"models": [{"match": "gpt*", "upstream": "native", "route": "openai"}]}"#;
    assert!(Config::parse(native).is_err());
    for text in [&native[..], b"", br#"{"hold_request_headers": false}"#] {
        let config = Config::parse_held(text).unwrap();
        assert!(config.hold_request_headers);
        assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    }
}
