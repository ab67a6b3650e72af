//! Replies: streams and documents, ends and errors.

use crate::config;
use futures_util::StreamExt;
use serde_json::{Value, json};
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, completion, document, json as json_reply, response};
use support::{Envoy, Headers, Upstream, post};

fn request(stream: bool) -> Value {
    json!({"model": "m", "input": "hi", "stream": stream, "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}]})
}

#[tokio::test]
async fn text_reasoning_and_calls_arrive_as_stream_and_as_document() {
    for headers in Headers::all() {
        let upstream = Upstream::start().await;
        let envoy = Envoy::start(upstream.address(), &config(headers, json!({})), headers).await;
        for streaming in [true, false] {
            let calls = json!([{"id": "a", "name": "f", "arguments": {"x": 1}}, {"id": "b", "name": "f", "arguments": {}}]);
            let reply = json!({"reasoning": "Hm.", "text": "Hello", "tool_calls": calls});
            upstream.script(json!({"replies": [reply]})).await;
            let answer = post(&envoy.responses_url(), &request(streaming)).await;
            assert_eq!(answer.status, 200);
            let response = if streaming {
                assert_eq!(answer.header("content-type"), Some("text/event-stream"));
                Transcript::of(&answer.bytes()).response().clone()
            } else {
                assert_eq!(answer.header("content-type"), Some("application/json"));
                answer.json()
            };
            let kinds: Vec<&str> = response["output"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["type"].as_str().unwrap())
                .collect();
            assert_eq!(kinds, ["reasoning", "message", "function_call", "function_call"]);
            assert_eq!(response["output"][2]["arguments"], "{\"x\":1}");
        }
        upstream.bodies().await;
        envoy.finish();
    }
}

#[tokio::test]
async fn a_document_becomes_a_stream_and_a_stream_a_document() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("Hello")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let answer = post(&envoy.responses_url(), &request(true)).await;
        assert_eq!(Transcript::of(&answer.bytes()).response()["output"][0]["content"][0]["text"], "Hello");
        envoy.finish();

        let sse = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        let upstream = OwnUpstream::start(move || response(200, "text/event-stream", sse)).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let answer = post(&envoy.responses_url(), &request(false)).await;
        assert_eq!(answer.json()["output"][0]["content"][0]["text"], "Hello");
        envoy.finish();
    }
}

/// The upstream sends each delta only after the client has received the one before.
#[tokio::test]
async fn deltas_arrive_one_for_one() {
    for headers in Headers::all() {
        let (upstream, sender) = OwnUpstream::start_patient().await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let send = |delta: Value| {
            let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
            sender.send(format!("data: {chunk}\n\n")).unwrap();
        };
        send(json!({"role": "assistant"}));
        let client = reqwest::Client::new().post(envoy.responses_url()).body(request(true).to_string());
        let mut body = client.send().await.unwrap().bytes_stream();
        let mut got = Vec::new();
        for number in 0..20 {
            let word = format!("word{number}");
            send(json!({"content": word}));
            while !String::from_utf8_lossy(&got).contains(&format!("\"delta\":\"{word}\"")) {
                let next = tokio::time::timeout(std::time::Duration::from_secs(10), body.next()).await;
                got.extend(next.expect("the delta in time").unwrap().unwrap());
            }
        }
        send(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}));
        for piece in ["{\"x\":", " 12", "}"] {
            send(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}));
            let delta = format!("\"delta\":{}", json!(piece));
            while !String::from_utf8_lossy(&got).contains(&delta) {
                let next = tokio::time::timeout(std::time::Duration::from_secs(10), body.next()).await;
                got.extend(next.expect("the delta in time").unwrap().unwrap());
            }
        }
        sender
            .send("data: {\"choices\":[{\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n".to_owned())
            .unwrap();
        while let Some(next) = body.next().await {
            got.extend(next.unwrap());
            if got.ends_with(b"data: [DONE]\n\n") {
                break;
            }
        }
        let transcript = Transcript::of(&got);
        assert_eq!(transcript.of_type("response.output_text.delta").count(), 20);
        drop(sender);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_waiting_upstream_keeps_the_client_awake() {
    for headers in Headers::all() {
        let (upstream, sender) = OwnUpstream::start_patient().await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        tokio::spawn(async move {
            // Many comments at once count as one, so that the client does not get an event for each.
            for comments in [1, 50, 1] {
                sender.send(": PROCESSING\n\n".repeat(comments)).unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            }
            let end = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            sender.send(end.to_owned()).unwrap();
        });
        let transcript = Transcript::of(&post(&envoy.responses_url(), &request(true)).await.bytes());
        // The first comment begins the response, one in each second after that keeps it alive.
        assert_eq!(transcript.of_type("response.in_progress").count(), 3);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_is_a_failure() {
    for headers in Headers::all() {
        let sse = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\"}}]}}]}\n\n";
        let upstream = OwnUpstream::start(move || response(200, "text/event-stream", sse)).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let transcript = Transcript::of(&post(&envoy.responses_url(), &request(true)).await.bytes());
        assert_eq!(transcript.response()["status"], "failed");
        assert_eq!(transcript.of_type("response.output_item.done").count(), 0);
        assert_eq!(
            envoy.stat("wasmcustom.outcome=.=failed;.;preset=.=generic;.;transponder_exchanges_total").await,
            1
        );
        envoy.finish();
    }
}

#[tokio::test]
async fn an_upstream_that_vanishes_breaks_the_stream_and_nothing_else() {
    for headers in Headers::all() {
        let upstream = Upstream::start().await;
        let broken = json!({"text": "Hello there, this is long.", "chunking": {"text": 3}, "abort_after": 3});
        upstream.script(json!({"replies": [broken, {"text": "Hi"}]})).await;
        let envoy = Envoy::start(upstream.address(), &config(headers, json!({})), headers).await;
        let answer = post(&envoy.responses_url(), &request(true)).await;
        assert!(answer.broken.is_some() || !answer.text().contains("response.completed"));
        let next = post(&envoy.responses_url(), &request(true)).await;
        assert_eq!(Transcript::of(&next.bytes()).response()["status"], "completed");
        envoy.finish();
    }
}

#[tokio::test]
async fn errors_keep_their_status_and_get_the_apis_shape() {
    let table: &[(u16, &str, &str, Option<&str>)] = &[
        (400, "application/json", r#"{"error":{"message":"Wrong.","code":400}}"#, None),
        (
            404,
            "application/json",
            r#"{"error":{"message":"The model `m` does not exist."}}"#,
            Some("model_not_found"),
        ),
        (422, "application/json", r#"{"detail":[{"msg":"Field required"}]}"#, None),
        (429, "text/plain", "slow down", Some("rate_limit_exceeded")),
        (500, "application/json", r#"{"error":"It broke."}"#, None),
        (502, "text/html", "<html><h1>Bad Gateway</h1></html>", None),
        (503, "application/json", "", None),
    ];
    for headers in Headers::all() {
        for (status, content_type, body, code) in table {
            let (status, content_type, body) = (*status, *content_type, *body);
            let upstream = OwnUpstream::start(move || response(status, content_type, body)).await;
            let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
            for streaming in [true, false] {
                let answer = post(&envoy.responses_url(), &request(streaming)).await;
                assert_eq!(answer.status, status);
                let error = &answer.json()["error"];
                assert!(
                    !error["message"].as_str().unwrap().is_empty() && error["type"].is_string(),
                    "{error}"
                );
                assert_eq!(error["code"].as_str(), *code, "{status}");
                assert_eq!(answer.header("retry-after").is_some(), status == 429);
            }
            envoy.finish();
        }
    }
}

/// Envoy keeps what a filter writes while it holds a reply in a buffer of 1 MiB.
#[tokio::test]
async fn a_long_document_passes_whole() {
    for headers in Headers::all() {
        for chunked in [true, false] {
            let text = "x".repeat(3 << 20);
            let body = document(&text);
            let upstream = OwnUpstream::start(move || {
                if chunked {
                    let pieces: Vec<_> = body
                        .as_bytes()
                        .chunks(50_000)
                        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
                        .collect();
                    json_reply(200, axum::body::Body::from_stream(futures_util::stream::iter(pieces)))
                } else {
                    json_reply(200, body.clone())
                }
            })
            .await;
            let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
            // The reply repeats the instructions.
            let asked = json!({"model": "m", "input": "hi", "instructions": "y".repeat(900_000)});
            let answer = post(&envoy.responses_url(), &asked).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.json()["output"][0]["content"][0]["text"].as_str().unwrap().len(), 3 << 20);
            envoy.finish();
        }
        let upstream = OwnUpstream::start(|| completion(&"x".repeat(200_000))).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let asked = json!({"model": "m", "input": "hi", "instructions": "y".repeat(1_000_000)});
        let answer = post(&envoy.responses_url(), &asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["instructions"].as_str().unwrap().len(), 1_000_000);
        envoy.finish();
    }
}

#[tokio::test]
async fn an_error_in_a_good_status_is_an_error_where_the_headers_are_held() {
    let body = r#"{"error":{"message":"Provider returned error","code":502}}"#;
    let upstream = OwnUpstream::start(move || json_reply(200, body)).await;
    for headers in Headers::all() {
        let status = if headers == Headers::Flow { 200 } else { 502 };
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let answer = post(&envoy.responses_url(), &request(false)).await;
        assert_eq!(answer.status, status);
        let said = answer.json();
        assert_eq!(said["error"]["message"], "Provider returned error");
        assert_eq!(said["status"] == "failed", headers == Headers::Flow);
        envoy.finish();
    }
}

#[tokio::test]
async fn without_an_upstream_envoys_own_answer_gets_the_apis_shape() {
    for headers in Headers::all() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let envoy = Envoy::start(nobody, &config(headers, json!({})), headers).await;
        let answer = post(&envoy.responses_url(), &request(true)).await;
        assert_eq!(answer.status, 503);
        assert!(answer.json()["error"]["message"].is_string());
        envoy.finish();
    }
}
