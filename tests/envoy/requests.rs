//! Requests: sizes, connections, headers, routes.

use crate::config;
use serde_json::{Value, json};
use support::own_upstream::{OwnUpstream, completion, nobody};
use support::{
    Envoy, Headers, Upstream, bootstrap, cluster, clusters, post, post_with, routes, virtual_host,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn sixty_megabytes_pass_under_envoys_default_buffer_limits() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let text = "x".repeat(60 << 20);
        let answer = post(&envoy.responses_url(), &json!({"model": "m", "input": text})).await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
        let body = upstream.seen()[0].json();
        assert_eq!(body["messages"][0]["content"].as_str().unwrap().len(), text.len());
        envoy.finish();
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let limits = json!({"limits": {"request_bytes": 100_000}});
        let envoy = Envoy::start(upstream.address, &config(headers, limits), headers).await;
        let sized = |length: usize| {
            let empty = json!({"model": "m", "input": ""}).to_string();
            json!({"model": "m", "input": "x".repeat(length - empty.len())}).to_string()
        };
        let chunked = |body: String| {
            let pieces: Vec<_> =
                body.as_bytes().chunks(10_000).map(|p| Ok::<_, std::io::Error>(p.to_vec())).collect();
            reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
        };
        for (length, status) in [(100_000, 200), (100_001, 413)] {
            let whole = post_with(&envoy.responses_url(), &[], sized(length)).await;
            let pieces = post_with(&envoy.responses_url(), &[], chunked(sized(length))).await;
            for answer in [whole, pieces] {
                assert_eq!(answer.status, status, "{length} bytes");
                if status == 413 {
                    assert_eq!(answer.json()["error"]["code"], "request_too_large");
                }
            }
        }
        assert!(upstream.seen().iter().all(|seen| seen.path == "/v1/chat/completions"));
        envoy.finish();
    }
}

#[tokio::test]
async fn requests_on_one_connection_never_mix() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let request = |text: &str| {
            let body = json!({"model": "m", "input": text, "metadata": {"pad": "y".repeat(500)}}).to_string();
            format!(
                "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let mut connection = tokio::net::TcpStream::connect(envoy.address()).await.unwrap();
        // Two requests at once, then a third: each gets its reply, in order.
        connection.write_all((request("first") + &request("second")).as_bytes()).await.unwrap();
        read_answers(&mut connection, 2).await;
        connection.write_all(request("third").as_bytes()).await.unwrap();
        read_answers(&mut connection, 1).await;
        let said: Vec<Value> =
            upstream.seen().iter().map(|seen| seen.json()["messages"][0]["content"].clone()).collect();
        assert_eq!(said, ["first", "second", "third"]);
        envoy.finish();
    }
}

/// Reads until this many responses are complete.
async fn read_answers(connection: &mut tokio::net::TcpStream, count: usize) {
    let mut text = String::new();
    while text.matches("\"completed_at\"").count() < count {
        let mut bytes = [0; 4096];
        let read = tokio::time::timeout(std::time::Duration::from_secs(10), connection.read(&mut bytes));
        let read = read.await.expect("an answer in time").unwrap();
        assert!(read > 0, "Envoy closed the connection: {text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    assert_eq!(text.matches("HTTP/1.1 200").count(), count, "{text}");
}

#[tokio::test]
async fn only_headers_for_the_upstream_are_sent() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let sent = [
            ("authorization", "Bearer key"),
            ("x-transponder-upstream", "evil"),
            ("x-transponder-model", "evil"),
            ("x-codex-turn-metadata", "{\"cwd\":\"/home/me\"}"),
            ("session-id", "s"),
            ("thread-id", "t"),
            ("originator", "codex_exec"),
            ("accept-encoding", "gzip"),
        ];
        let body = json!({"model": "m", "input": "hi", "client_metadata": {"cwd": "/home/me"}}).to_string();
        assert_eq!(post_with(&envoy.responses_url(), &sent, body).await.status, 200);
        let seen = &upstream.seen()[0];
        assert_eq!(seen.headers["authorization"], "Bearer key");
        for (name, value) in &sent[1..] {
            let header = seen.headers.get(*name);
            assert!(header.is_none_or(|header| header != value), "{name} went up: {header:?}");
        }
        assert!(!String::from_utf8_lossy(&seen.body).contains("/home/me"));
        let exact = seen.headers.get("content-length").map(|length| length.to_str().unwrap().to_owned());
        assert_eq!(exact, (headers != Headers::Flow).then(|| seen.body.len().to_string()));
        envoy.finish();
    }
}

#[tokio::test]
async fn other_paths_pass_through() {
    for headers in Headers::all() {
        let upstream =
            OwnUpstream::start(|| support::own_upstream::response(418, "text/plain", "short and stout"))
                .await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let answer =
            post_with(&format!("{}/embeddings?x=1", envoy.base_url()), &[], "{ \"as\": \"it is\" }").await;
        assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        let seen = &upstream.seen()[0];
        assert_eq!(
            (seen.path.as_str(), &seen.body[..]),
            ("/v1/embeddings?x=1", &b"{ \"as\": \"it is\" }"[..])
        );
        envoy.finish();
    }
}

#[tokio::test]
async fn held_headers_choose_the_cluster_by_the_model() {
    for headers in Headers::held() {
        let (first, second) = (
            OwnUpstream::start(|| completion("first")).await,
            OwnUpstream::start(|| completion("second")).await,
        );
        let rules = json!({"models": [{"match": "big*", "model": "real-big", "route": "second", "upstream": {"path": "/other/chat"}}]});
        let mut plan = bootstrap(first.address, &config(headers, rules), headers);
        clusters(&mut plan).push(cluster("second", second.address));
        let by_header = json!({
            "match": {"prefix": "/", "headers": [{"name": "x-transponder-upstream", "string_match": {"exact": "second"}}]},
            "route": {"cluster": "second", "timeout": "0s"},
        });
        routes(&mut plan).insert(0, by_header);
        let envoy = Envoy::launch(&plan).await;
        for (model, path) in [("small", "/v1/chat/completions"), ("big-1", "/other/chat")] {
            let answer = post(&envoy.responses_url(), &json!({"model": model, "input": "hi"})).await;
            let text = answer.json()["output"][0]["content"][0]["text"].clone();
            let (expected, upstream) = if model == "small" { ("first", &first) } else { ("second", &second) };
            assert_eq!(text, expected, "{model}");
            assert_eq!(upstream.seen()[0].path, path);
        }
        let body = second.seen()[0].json();
        assert_eq!(body["model"], "real-big");
        assert_eq!(second.seen()[0].headers["x-transponder-model"], "real-big");
        envoy.finish();
    }
}

/// Envoy shows no body to a filter that holds the headers, unless a setting allows it.
#[tokio::test]
async fn held_headers_without_the_envoy_setting_are_delayed_but_never_hang() {
    let upstream = Upstream::start().await;
    upstream.script(json!({"replies": [{"text": "Hi"}]})).await;
    let envoy = Envoy::start(upstream.address(), &config(Headers::Held, json!({})), Headers::Flow).await;
    let answer = post(&envoy.responses_url(), &json!({"model": "m", "input": "hi"})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(envoy.stat("wasmcustom.transponder_watchdog_resumes_total").await, 1);
    assert!(envoy.logged().contains("allow_on_headers_stop_iteration"));
    envoy.finish();
}

/// A body of three megabytes, sent so slowly that Envoy decides on a retry before it has all of it.
fn slow_request() -> reqwest::Body {
    let body = json!({"model": "m", "input": "x".repeat(3 << 20)}).to_string().into_bytes();
    let pieces: Vec<Vec<u8>> = body.chunks(100_000).map(<[u8]>::to_vec).collect();
    let pieces = futures_util::StreamExt::then(futures_util::stream::iter(pieces), async |piece| {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        Ok::<_, std::io::Error>(piece)
    });
    reqwest::Body::wrap_stream(pieces)
}

/// Adds retries, with a pause, for failures in which nothing can have reached the upstream.
fn with_retries(mut plan: Value) -> Value {
    virtual_host(&mut plan)["retry_policy"] = json!({
        "retry_on": "connect-failure,refused-stream", "num_retries": 2,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.1s"},
    });
    plan
}

#[tokio::test]
async fn a_long_request_to_an_upstream_that_is_down_is_503_and_not_507() {
    for headers in Headers::all() {
        let plan = with_retries(bootstrap(nobody().await, &config(headers, json!({})), headers));
        let envoy = Envoy::launch(&plan).await;
        for _ in 0..3 {
            let answer = post_with(&envoy.responses_url(), &[], slow_request()).await;
            assert_eq!(answer.status, 503, "{headers:?}: {}", answer.text());
            assert_eq!(answer.json()["error"]["type"], "server_error");
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn a_long_request_is_retried() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| completion("ok")).await;
        let mut plan = with_retries(bootstrap(upstream.address, &config(headers, json!({})), headers));
        let load = &mut plan["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0];
        let dead =
            cluster("dead", nobody().await)["load_assignment"]["endpoints"][0]["lb_endpoints"][0].clone();
        load["lb_endpoints"].as_array_mut().unwrap().push(dead);
        let envoy = Envoy::launch(&plan).await;
        for _ in 0..4 {
            let answer = post_with(&envoy.responses_url(), &[], slow_request()).await;
            assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
        }
        assert!(envoy.stat("cluster.upstream.upstream_rq_retry").await > 0);
        envoy.finish();
    }
}
