//! Requests that are answered without the upstream.

use crate::config;
use serde_json::{Value, json};
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, completion};
use support::{Envoy, Headers, post_with};

#[tokio::test]
async fn unsupported_requests_are_refused_in_the_apis_shape() {
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], u16);
    let table: &[Case] = &[
        ("GET", "", &[], 405),
        ("PUT", "", &[], 405),
        (
            "GET",
            "",
            &[
                ("upgrade", "websocket"),
                ("connection", "upgrade"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "x"),
            ],
            426,
        ),
        ("GET", "/resp_1", &[], 404),
        ("POST", "/resp_1/cancel", &[], 404),
        ("POST", "/input_tokens", &[], 501),
        ("POST", "", &[("content-encoding", "gzip")], 415),
        ("POST", "", &[], 400),
    ];
    let upstream = OwnUpstream::start(|| completion("never")).await;
    for headers in Headers::all() {
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        for (method, rest, more, status) in table {
            let url = format!("{}{rest}", envoy.responses_url());
            let mut request = reqwest::Client::new().request(method.parse().unwrap(), &url);
            for (name, value) in *more {
                request = request.header(*name, *value);
            }
            if *method == "POST" {
                request = request.body("not json");
            }
            let answer = request.timeout(std::time::Duration::from_secs(10)).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), *status, "{method} {rest}");
            let said: Value = answer.json().await.unwrap();
            assert!(said["error"]["message"].is_string() && said["error"]["code"].is_string(), "{said}");
        }
        envoy.finish();
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn the_conversation_is_compacted_below_the_path() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("All of it.")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let body = json!({"model": "m", "input": "hi"}).to_string();
        let answer = post_with(&format!("{}/compact", envoy.responses_url()), &[], body).await.json();
        assert_eq!(answer["object"], "response.compaction");
        assert_eq!(answer["output"][0]["type"], "compaction");
        envoy.finish();
    }
}

#[tokio::test]
async fn no_secret_is_logged() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("SECRET-REPLY")).await;
        let mut envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        for secret in ["SECRET-KEY", "SECRET-PROMPT", "SECRET-REPLY", "SECRET-FIELD"] {
            envoy.plant_secret(secret);
        }
        let key = [("authorization", "Bearer SECRET-KEY")];
        for body in [
            json!({"model": "m", "input": "SECRET-PROMPT"}).to_string(),
            json!({"model": "m", "input": [{"type": "message", "role": "SECRET-FIELD", "content": "SECRET-PROMPT"}]}).to_string(),
            "{\"SECRET-PROMPT".to_owned(),
        ] {
            post_with(&envoy.responses_url(), &key, body).await;
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_at_the_start_with_its_path() {
    for headers in Headers::all() {
        let config = r#"{"upstream": {"no_such_option": true}}"#;
        let wrong = support::bootstrap("127.0.0.1:1".parse().unwrap(), config, headers);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("envoy.json");
        std::fs::write(&file, wrong.to_string()).unwrap();
        let mut checked = tokio::process::Command::from(support::envoy_command(headers == Headers::Native));
        checked.args(["--mode", "validate", "-c"]).arg(&file);
        checked.env(support::MODULES, support::native_module().parent().unwrap());
        let checked = checked.output();
        let checked =
            tokio::time::timeout(std::time::Duration::from_secs(30), checked).await.unwrap().unwrap();
        assert!(!checked.status.success());
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(said.contains("no_such_option"), "{said}");
    }
}

#[tokio::test]
async fn a_request_for_no_output_is_answered_at_once() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("never")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        for stream in [false, true] {
            let options = json!({"prewarm": true});
            let body =
                json!({"model": "m", "input": "hi", "stream": stream, "prompt_cache_options": options});
            let answer = post_with(&envoy.responses_url(), &[], body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let response = if stream {
                assert_eq!(answer.header("content-type"), Some("text/event-stream"));
                Transcript::of(answer.text().as_bytes()).response().clone()
            } else {
                answer.json()
            };
            assert_eq!((&response["status"], &response["output"]), (&json!("completed"), &json!([])));
        }
        envoy.finish();
        assert!(upstream.seen().is_empty(), "{headers:?}");
    }
}
