//! Hostile clients, planted secrets, deep and damaged JSON, and a trap.

use crate::config;
use crate::raw_upstream::{CHUNKED, Connection, DONE, RawUpstream, STOP, chunk, delta};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, completion, json as json_reply};
use support::{Envoy, Headers, bootstrap, http_filters, manager, post, post_with, project};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes on one connection, and reads until Envoy closes it or sends nothing for a while.
async fn exchange(envoy: &Envoy, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(envoy.address()).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_secs(1), connection.read_buf(&mut said)).await
    {
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn asking(headers: &str, body: &str) -> String {
    format!("POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n{body}")
}

/// If a body is shorter than announced, the next request is read as its rest, and vice versa.
#[tokio::test]
async fn no_length_lets_one_request_become_two() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let body = json!({"model": "m", "input": "hi"}).to_string();
        let length = body.len();
        let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
        let in_chunks = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
        let table = [
            ("both lengths", asking("content-length: 4\r\ntransfer-encoding: chunked\r\n", &in_chunks)),
            ("two lengths", asking(&format!("content-length: {length}\r\ncontent-length: 4\r\n"), &body)),
            ("an unknown coding", asking("transfer-encoding: chunked, x\r\n", &in_chunks)),
            ("too short a length", asking("content-length: 10\r\n", &body)),
            ("too long a length", asking(&format!("content-length: {}\r\n", length + 100), &body)),
            ("no end", asking("transfer-encoding: chunked\r\n", &format!("{length:x}\r\n{body}\r\n"))),
        ];
        for (what, bytes) in &table {
            let said = exchange(&envoy, bytes.as_bytes()).await;
            assert!(!said.contains("HTTP/1.1 200"), "{what}: {said}");
        }
        assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());

        // A second request right after the first one is read as such, from its own bytes only.
        let first = asking(&format!("content-length: {length}\r\n"), &body);
        let said = exchange(&envoy, (first + smuggled).as_bytes()).await;
        assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
        let paths: Vec<String> = upstream.seen().into_iter().map(|seen| seen.path).collect();
        assert_eq!(paths, ["/v1/chat/completions", "/smuggled"]);
        let sent = upstream.seen()[0].json();
        assert_eq!(sent["messages"][0]["content"], "hi");
        envoy.finish();
    }
}

/// The SDK panics on a requested header that is not UTF-8.
#[tokio::test]
async fn bytes_that_are_not_utf8_cause_no_trap() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let body = json!({"model": "m", "input": "hi"}).to_string();
        for name in [
            "content-type",
            "x-request-id",
            "originator",
            "session-id",
            "content-encoding",
            "upgrade",
            "accept",
            "x-transponder-model",
            "x-codex-\u{e9}",
        ] {
            let head = format!(
                "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n{name}: ",
                body.len()
            );
            let bytes = [head.as_bytes(), b"\xff\xfe\x80", b"\r\n\r\n", body.as_bytes()].concat();
            let said = exchange(&envoy, &bytes).await;
            assert!(said.starts_with("HTTP/1.1 "), "{name}: {said}");
        }
        for path in [&b"/v1/responses?\xff"[..], b"/\xff", b"/v1/responses/\xff\xfe"] {
            let bytes = [b"POST ", path, b" HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"].concat();
            exchange(&envoy, &bytes).await;
        }
        let answer = post(&envoy.responses_url(), &json!({"model": "m", "input": "hi"})).await;
        assert_eq!(answer.status, 200);
        envoy.finish();
    }
}

/// Sends an exchange of each kind while Envoy's wasm component logs everything (`trace`).
#[tokio::test]
async fn no_secret_is_logged_at_any_level() {
    for headers in Headers::all() {
        let upstream = RawUpstream::start(async |mut connection: Connection, asked| {
            assert!(asked.head.contains("KEY-OF-THE-UPSTREAM"));
            connection.write(CHUNKED).await;
            let call = json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function":
                {"name": "f", "arguments": "{\"x\":\"SECRET-ARGUMENT\"}"}}]}}]});
            let text =
                if asked.model() == "breaks" { "data: {\"SECRET-BREAK\": tool_call\n\n" } else { STOP };
            let frames =
                [delta("SECRET-REPLY"), format!("data: {call}\n\n"), text.to_owned(), DONE.to_owned()];
            connection.write(chunk(&frames.concat())).await;
            connection.write("0\r\n\r\n").await;
        })
        .await;
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        manager(&mut plan)["route_config"]["request_headers_to_add"] = json!([{
            "header": {"key": "authorization", "value": "Bearer KEY-OF-THE-UPSTREAM"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }]);
        let mut envoy = Envoy::launch(&plan).await;
        for secret in [
            "KEY-OF-THE-UPSTREAM",
            "KEY-OF-THE-CLIENT",
            "SECRET-PROMPT",
            "SECRET-REPLY",
            "SECRET-ARGUMENT",
            "SECRET-BREAK",
            "SECRET-FIELD",
            "SECRET-TOOL",
            "SECRET-OUTPUT",
            "SECRET-QUERY",
        ] {
            envoy.plant_secret(secret);
        }
        envoy.set_log_level(headers.component(), "trace").await;
        let item = |kind: &str| json!({"type": kind, "call_id": "SECRET-FIELD", "output": "SECRET-OUTPUT"});
        let bodies = [
            json!({"model": "m", "input": "SECRET-PROMPT", "stream": true,
                   "tools": [{"type": "function", "name": "f", "description": "SECRET-TOOL"}]}),
            json!({"model": "breaks", "input": "SECRET-PROMPT", "stream": true}),
            json!({"model": "m", "input": [item("function_call_output")]}),
            json!({"model": "m", "input": [item("SECRET-FIELD")]}),
            json!({"model": "m", "input": "SECRET-PROMPT", "tools": [{"type": "SECRET-TOOL"}]}),
            json!({"model": "m", "input": 7, "SECRET-FIELD": {"SECRET-FIELD": 1}}),
        ];
        let url = format!("{}?key=SECRET-QUERY", envoy.responses_url());
        let key = [("authorization", "Bearer KEY-OF-THE-CLIENT"), ("x-api-key", "KEY-OF-THE-CLIENT")];
        for body in bodies {
            post_with(&url, &key, body.to_string()).await;
        }
        post_with(&url, &key, "{\"SECRET-PROMPT\": SECRET-PROMPT").await;
        assert!(envoy.logged().contains(&format!("[debug][{}]", headers.component())), "the level is on");
        envoy.finish();
    }
}

/// JSON that is nested too deeply is rejected, or passes as bytes. It never overflows the stack of the module.
#[tokio::test]
async fn deep_json_does_not_overflow_the_stack() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(move || {
            let body = format!(
                "{{\"choices\":[{{\"message\":{{\"content\":\"hi\"}},\"finish_reason\":\"stop\",\"x\":{}}}]}}",
                deep(200_000)
            );
            json_reply(200, body)
        })
        .await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        for field in ["input", "tools", "metadata", "text", "tool_choice", "whatever"] {
            let body = format!("{{\"model\":\"m\",\"input\":\"hi\",\"{field}\":{}}}", deep(500_000));
            let body = if field == "input" { body.replacen("\"input\":\"hi\",", "", 1) } else { body };
            let answer = post_with(&envoy.responses_url(), &[], body).await;
            assert_eq!(answer.status, 400, "{field}");
            assert_eq!(answer.json()["error"]["code"], "json_too_deep", "{field}");
        }
        let answer = post(&envoy.responses_url(), &json!({"model": "m", "input": "hi"})).await;
        assert_eq!(answer.json()["output"][0]["content"][0]["text"], "hi");
        envoy.finish();
    }
}

/// A trap ends every stream of its worker; the next request finds a new VM. (The module is built for this test.)
#[tokio::test]
async fn a_new_vm_serves_the_next_request_after_a_trap() {
    let module = std::env::var_os("TRANSPONDER_TRAP_WASM")
        .map_or_else(|| project().join("target/transponder-trap.wasm"), PathBuf::from);
    assert!(module.exists(), "{} is missing: run `envoy/build-wasm.sh . trap`", module.display());
    let upstream = RawUpstream::start(async |mut connection: Connection, asked| {
        connection.write(CHUNKED).await;
        let words = if asked.model() == "long" { 100 } else { 1 };
        for _ in 0..words {
            connection.write(chunk(&delta("Hello"))).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        connection.write(chunk(&[STOP, DONE].concat())).await;
        connection.write("0\r\n\r\n").await;
    })
    .await;
    let mut plan = bootstrap(upstream.address, "{}", Headers::Flow);
    http_filters(&mut plan)[0]["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] =
        json!(module);
    let envoy = Envoy::launch(&plan).await;
    let asked = |model: &str| json!({"model": model, "input": "hi", "stream": true});

    // A VM that traps in its first second is not replaced before that second is over.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let healthy = reqwest::Client::new().post(envoy.responses_url()).body(asked("long").to_string());
    let mut healthy = healthy.send().await.unwrap();
    healthy.chunk().await.unwrap().unwrap();

    let trap =
        post_with(&envoy.responses_url(), &[("x-transponder-trap", "1")], asked("m").to_string()).await;
    assert_eq!(trap.status, 503);
    // The other stream of the worker ends incomplete, and its client can see that.
    let rest = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match healthy.chunk().await {
                Ok(Some(_)) => {}
                other => break other,
            }
        }
    });
    assert!(rest.await.expect("the other stream ends").is_err());
    // Without FAIL_RELOAD, the first trap disables the filter permanently.
    for _ in 0..3 {
        let answer = post(&envoy.responses_url(), &asked("m")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Transcript::of(&answer.bytes());
    }
    assert_eq!(envoy.stat("wasm.transponder.vm_reload_success").await, 1);
    envoy.finish_after_trap();
}
