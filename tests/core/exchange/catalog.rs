//! `GET /models`, answered from the descriptions in the configuration.

use super::*;

const CONFIG: &str = r#"{
    "paths": ["/v1/responses", "/llm/v2/responses"],
    "upstream": "deepseek",
    "models": [
        {"match": "coder", "model": "org/coder-480b", "upstream": "vllm", "catalog": {
            "display_name": "The coder", "context_window": 131072, "efforts": ["low", "high"], "apply_patch": true,
            "instructions": "You write code."}},
        {"match": "thinker", "catalog": {"instructions": "Think.", "context_window": 100, "auto_compact_token_limit": 60}},
        {"match": "plain", "catalog": {"input_modalities": ["text"], "context_window": 8192}},
        {"match": "hidden*"}
    ]
}"#;

fn listed(config: &str, path: &str) -> Option<Value> {
    let mut driven = Driven::new(config);
    let asked = headers(&[(":method", "GET"), (":path", path)]);
    match driven.exchange.on_request_headers(&asked, true, NOW) {
        HeadersVerdict::Continue(edits) => {
            assert!(edits.is_empty() && driven.counted() == ["passed"], "{edits:?}");
            None
        }
        verdict => {
            let reply = local(verdict);
            assert_eq!((reply.status, &reply.headers[0].1[..]), (200, "application/json"));
            assert_eq!(*driven.told.fields.borrow(), [("transponder.outcome", "answered".to_owned())]);
            assert_eq!(
                driven.exchange.on_response_headers(&response("200", &[]), false, NOW),
                HeadersVerdict::Continue(vec![])
            );
            Some(serde_json::from_slice(&reply.body).unwrap())
        }
    }
}

#[test]
fn every_client_gets_all_described_models() {
    let model = |id: &str, window: Option<u64>| {
        let mut model = json!({"id": id, "object": "model", "created": 0, "owned_by": "transponder"});
        if let Some(window) = window {
            model["context_window"] = json!(window);
        }
        model
    };
    let expected = json!({"object": "list", "data": [
        model("coder", Some(131_072)), model("thinker", Some(100)), model("plain", Some(8192))]});
    for path in ["/v1/models", "/llm/v2/models", "/v1/models?limit=5&my_client_version=1"] {
        assert_eq!(listed(CONFIG, path), Some(expected.clone()), "{path}");
    }
}

#[test]
fn codex_gets_its_own_form_of_models_with_instructions() {
    let list = listed(CONFIG, "/v1/models?client_version=0.171.0").unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 3);
    let levels = |efforts: &[&str]| -> Value {
        efforts.iter().map(|effort| json!({"effort": effort, "description": effort})).collect()
    };
    let coder = json!({
        "slug": "coder", "display_name": "The coder", "supported_reasoning_levels": levels(&["low", "high"]),
        "shell_type": "unified_exec", "visibility": "list", "supported_in_api": true, "priority": 0,
        "base_instructions": "You write code.", "support_verbosity": false,
        "truncation_policy": {"mode": "tokens", "limit": 10000}, "experimental_supported_tools": [],
        "supports_reasoning_summaries": true, "supports_parallel_tool_calls": true,
        "input_modalities": ["text", "image"], "apply_patch_tool_type": "freeform",
        "context_window": 131_072, "auto_compact_token_limit": 104_856
    });
    // Efforts and modalities are those of its upstream's preset.
    let thinker = json!({
        "slug": "thinker", "display_name": "thinker", "supported_reasoning_levels": levels(&["none", "high", "xhigh", "max"]),
        "shell_type": "unified_exec", "visibility": "list", "supported_in_api": true, "priority": 1,
        "base_instructions": "Think.", "support_verbosity": false,
        "truncation_policy": {"mode": "tokens", "limit": 10000}, "experimental_supported_tools": [],
        "supports_reasoning_summaries": true, "supports_parallel_tool_calls": true,
        "input_modalities": ["text"], "context_window": 100, "auto_compact_token_limit": 60
    });
    assert_eq!(list["models"], json!([coder, thinker]));
}

#[test]
fn codex_gets_an_empty_list_in_its_form_if_no_model_has_instructions() {
    let config = r#"{"models": [{"match": "m", "catalog": {}}]}"#;
    let list = listed(config, "/v1/models?client_version=1").unwrap();
    assert_eq!((list["models"].clone(), list["data"][0]["id"].clone()), (json!([]), json!("m")));
}

#[test]
fn whether_the_verbosity_reaches_the_upstream_is_known() {
    for (upstream, expected) in [("\"openai\"", true), ("\"native\"", true), ("\"vllm\"", false)] {
        let config = format!(
            r#"{{"hold_request_headers": true, "upstream": {upstream}, "models": [{{"match": "m", "catalog": {{"instructions": "x"}}}}]}}"#
        );
        let list = listed(&config, "/v1/models?client_version=1").unwrap();
        assert_eq!(list["models"][0]["support_verbosity"], expected, "{upstream}");
    }
}

#[test]
fn other_requests_pass_as_without_descriptions() {
    let undescribed = r#"{"models": [{"match": "coder"}]}"#;
    for (config, path) in [
        (undescribed, "/v1/models"),
        (undescribed, "/v1/models?client_version=1"),
        (CONFIG, "/v1/models/coder"),
        (CONFIG, "/models"),
        (CONFIG, "/v2/models"),
        (CONFIG, "/v1/modelsX"),
    ] {
        assert_eq!(listed(config, path), None, "{path}");
    }
}
