//! How a stream begins, breaks and ends, for each way in which an upstream, a client or Envoy can
//! end it.

use crate::config;
use crate::raw_upstream::{Asked, CHUNKED, Connection, DONE, RawUpstream, STOP, UNTIL_CLOSED, chunk, delta};
use serde_json::{Value, json};
use std::time::Duration;
use support::grammar::Transcript;
use support::{Answer, Envoy, Headers, bootstrap, clusters, http_filters, post, post_with, set_http_options};
use tokio::time::sleep;

fn request(model: &str, stream: bool) -> Value {
    json!({"model": model, "input": "hi", "stream": stream})
}

/// The filter between a client and this upstream, which may send trailers; `x-route` chooses among the routes.
fn plan(upstream: &RawUpstream, headers: Headers) -> Value {
    let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
    let options = json!({"explicit_http_config": {"http_protocol_options": {"enable_trailers": true}}});
    set_http_options(&mut clusters(&mut plan)[0], options);
    let by = |name: &str, action: Value| {
        json!({
            "match": {"prefix": "/", "headers": [{"name": "x-route", "string_match": {"exact": name}}]},
            "route": action,
        })
    };
    let routes = [
        by("timeout", json!({"cluster": "upstream", "timeout": "0.5s"})),
        by("idle", json!({"cluster": "upstream", "timeout": "0s", "idle_timeout": "0.5s"})),
        by(
            "retry",
            json!({"cluster": "upstream", "timeout": "0s",
                   "retry_policy": {"retry_on": "5xx,reset", "num_retries": 2, "retry_back_off": {"base_interval": "0.01s"}}}),
        ),
    ];
    support::routes(&mut plan).splice(0..0, routes);
    plan
}

/// The behaviour of the upstream, by the model of the request.
async fn behave(mut connection: Connection, asked: Asked) {
    let whole = || [delta("Hello"), STOP.to_owned(), DONE.to_owned()];
    match asked.model() {
        "trailers" | "trailers-unannounced" => {
            connection.write(CHUNKED).await;
            let frames = whole();
            let frames = if asked.model() == "trailers" { &frames[..] } else { &frames[..2] };
            for frame in frames {
                connection.write(chunk(frame)).await;
            }
            connection.write("0\r\nx-checksum: 1\r\n\r\n").await;
        }
        "document-trailers" => {
            let body = r#"{"choices":[{"index":0,"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
            connection.write(CHUNKED.replace("text/event-stream", "application/json")).await;
            connection.write(chunk(body)).await;
            connection.write("0\r\nx-checksum: 1\r\n\r\n").await;
        }
        "document-reset" | "document-stalls" => {
            connection.write(CHUNKED.replace("text/event-stream", "application/json")).await;
            connection.write(chunk("{\"choices\":[")).await;
            match asked.model() {
                "document-stalls" => connection.closed().await,
                _ => {
                    sleep(Duration::from_millis(50)).await;
                    connection.reset();
                }
            }
        }
        "document-short" => {
            // Less than announced.
            let head = UNTIL_CLOSED.replace("connection: close", "content-length: 5000");
            connection.write(head.replace("text/event-stream", "application/json")).await;
            connection.write("{\"choices\":[").await;
        }
        "late-zero" => {
            connection.write(CHUNKED).await;
            connection.write(chunk(&whole().concat())).await;
            sleep(Duration::from_millis(100)).await;
            connection.write("0\r\n\r\n").await;
        }
        "silence" => {
            connection.write(CHUNKED).await;
            connection.write("0\r\n\r\n").await;
        }
        "half-event" => {
            connection.write(UNTIL_CLOSED).await;
            connection.write(format!("{}data: {{\"cho", delta("Hello"))).await;
        }
        "reset-before" => connection.reset(),
        "reset-after-headers" => {
            connection.write(CHUNKED).await;
            sleep(Duration::from_millis(50)).await;
            connection.reset();
        }
        "reset-in-event" => {
            connection.write(CHUNKED).await;
            connection.write(chunk(&delta("Hello"))).await;
            connection.write(chunk("data: {\"choices\":[")).await;
            sleep(Duration::from_millis(50)).await;
            connection.reset();
        }
        "short" => {
            // Less than announced.
            connection.write(UNTIL_CLOSED.replace("connection: close", "content-length: 5000")).await;
            connection.write(delta("Hello")).await;
        }
        "early-hints" => {
            connection.write("HTTP/1.1 100 Continue\r\n\r\n").await;
            connection.write("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await;
            connection.write(UNTIL_CLOSED).await;
            connection.write(whole().concat()).await;
        }
        "no-content" => connection.write("HTTP/1.1 204 No Content\r\n\r\n").await,
        "unfinished-error" => {
            connection.write("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
        }
        "never" => connection.closed().await,
        "stalls" => {
            connection.write(CHUNKED).await;
            connection.write(chunk(&delta("Hello"))).await;
            connection.closed().await;
        }
        "third-time" if asked.before < 2 => {
            connection
                .write(
                    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy",
                )
                .await;
        }
        _ => {
            connection.write(UNTIL_CLOSED).await;
            connection.write(whole().concat()).await;
        }
    }
}

async fn start(headers: Headers) -> (RawUpstream, Envoy) {
    let upstream = RawUpstream::start(behave).await;
    let envoy = Envoy::launch(&plan(&upstream, headers)).await;
    (upstream, envoy)
}

/// The number of truncated replies.
async fn cut(envoy: &Envoy) -> u64 {
    envoy.stat("wasmcustom.outcome=.=cut;.;preset=.=generic;.;transponder_exchanges_total").await
}

fn text_of(response: &Value) -> &Value {
    &response["output"][0]["content"][0]["text"]
}

/// The client's part of a truncated stream: complete events, none of which ends it.
fn assert_broken(answer: &Answer) {
    assert!(answer.broken.is_some(), "the transfer is seen to be broken");
    let names = answer.event_names();
    assert!(names.iter().all(|name| !name.starts_with("response.completed")), "{names:?}");
}

#[tokio::test]
async fn a_stream_ends_well_however_the_upstream_ends_it() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        for model in ["trailers", "late-zero", "early-hints"] {
            let answer = post(&envoy.responses_url(), &request(model, true)).await;
            assert_eq!((answer.status, &answer.broken), (200, &None), "{model}");
            let transcript = Transcript::of(&answer.bytes());
            assert_eq!(transcript.response()["status"], "completed", "{model}");
            assert_eq!(text_of(transcript.response()), "Hello", "{model}");
            let document = post(&envoy.responses_url(), &request(model, false)).await;
            assert_eq!(text_of(&document.json()), "Hello", "{model}");
        }
        let answer = post(&envoy.responses_url(), &request("document-trailers", false)).await;
        assert_eq!(text_of(&answer.json()), "Hello");
        let answer = post(&envoy.responses_url(), &request("document-trailers", true)).await;
        assert_eq!(text_of(Transcript::of(&answer.bytes()).response()), "Hello");
        assert_eq!(cut(&envoy).await, 0);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_stream_that_ends_too_early_fails_and_says_so() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        for model in ["half-event", "silence"] {
            let answer = post(&envoy.responses_url(), &request(model, true)).await;
            assert_eq!((answer.status, &answer.broken), (200, &None), "{model}");
            let transcript = Transcript::of(&answer.bytes());
            assert_eq!(transcript.response()["status"], "failed", "{model}");
        }
        let answer = post(&envoy.responses_url(), &request("no-content", true)).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (502, Some("upstream_empty_reply"))
        );
        let answer = post(&envoy.responses_url(), &request("unfinished-error", true)).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["type"].as_str()),
            (401, Some("authentication_error"))
        );
        envoy.finish();
    }
}

/// A body without its own end, and then trailers. Nothing can be written at trailers, so the client sees a stream
/// without its last event, which no client takes for a complete one, and a counter shows it to the operator.
#[tokio::test]
async fn an_end_that_only_trailers_show_is_counted() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        let answer = post(&envoy.responses_url(), &request("trailers-unannounced", true)).await;
        assert_eq!(answer.event_names().last().map(String::as_str), Some("response.output_text.delta"));
        assert_eq!(cut(&envoy).await, 1);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_reset_by_the_upstream_ends_its_own_stream_and_no_other() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        let answer = post(&envoy.responses_url(), &request("reset-before", true)).await;
        assert_eq!((answer.status, answer.header("content-type")), (503, Some("application/json")));
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("reset"));
        for model in ["reset-after-headers", "reset-in-event", "short"] {
            assert_broken(&post(&envoy.responses_url(), &request(model, true)).await);
        }
        assert_eq!(cut(&envoy).await, 3);
        let answer = post(&envoy.responses_url(), &request("whole", true)).await;
        Transcript::of(&answer.bytes());
        envoy.finish();
    }
}

#[tokio::test]
async fn envoys_timeouts_are_errors_of_the_api_or_a_broken_transfer() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        for (route, model) in [("timeout", "never"), ("idle", "never")] {
            let body = request(model, true).to_string();
            let answer = post_with(&envoy.responses_url(), &[("x-route", route)], body).await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (504, Some("application/json")),
                "{route}"
            );
            assert!(answer.json()["error"]["message"].is_string());
        }
        for route in ["timeout", "idle"] {
            let body = request("stalls", true).to_string();
            assert_broken(&post_with(&envoy.responses_url(), &[("x-route", route)], body).await);
        }
        envoy.finish();
    }
}

/// Such a reply of Envoy passes no filter. If headers are held, `local_reply_config` gives it its form.
#[tokio::test]
async fn a_document_that_ends_too_early_is_an_error_of_the_api_while_its_headers_are_held() {
    for headers in Headers::all() {
        let (_upstream, envoy) = start(headers).await;
        for (route, model, status, code, words) in [
            ("none", "document-reset", 502, json!("upstream_reply_cut"), "ended its reply early"),
            ("none", "document-short", 502, json!("upstream_reply_cut"), "ended its reply early"),
            ("timeout", "document-stalls", 504, Value::Null, "timeout"),
            ("idle", "document-stalls", 504, Value::Null, "timeout"),
        ] {
            let body = request(model, false).to_string();
            let answer = post_with(&envoy.responses_url(), &[("x-route", route)], body).await;
            if headers == Headers::Flow {
                assert!(answer.broken.is_some(), "{model}: {answer:?}");
                continue;
            }
            assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")));
            let error = answer.json()["error"].take();
            assert!(error["message"].as_str().unwrap().contains(words), "{error}");
            let fields = [&error["type"], &error["param"], &error["code"]];
            assert_eq!(fields, [&json!("server_error"), &Value::Null, &code]);
        }
        assert_eq!(cut(&envoy).await, 4);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_retried_request_is_sent_again_complete() {
    for headers in Headers::all() {
        let (upstream, envoy) = start(headers).await;
        let text = "word ".repeat(40_000);
        let body = json!({"model": "third-time", "input": text, "stream": true}).to_string();
        let answer = post_with(&envoy.responses_url(), &[("x-route", "retry")], body).await;
        assert_eq!(text_of(Transcript::of(&answer.bytes()).response()), "Hello");
        let seen = upstream.seen();
        assert_eq!(seen.len(), 3);
        for asked in &seen {
            assert_eq!(asked.body, seen[0].body);
            assert_eq!(asked.body["messages"][0]["content"], text);
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_upstream() {
    for headers in Headers::all() {
        let (gone, mut notice) = tokio::sync::mpsc::unbounded_channel();
        let upstream = RawUpstream::start(move |mut connection: Connection, _| {
            let gone = gone.clone();
            async move {
                connection.write(CHUNKED).await;
                connection.write(chunk(&delta("Hello"))).await;
                connection.closed().await;
                gone.send(()).unwrap();
            }
        })
        .await;
        let envoy = Envoy::launch(&plan(&upstream, headers)).await;
        let client = reqwest::Client::new().post(envoy.responses_url()).body(request("m", true).to_string());
        let mut response = client.send().await.unwrap();
        response.chunk().await.unwrap().unwrap();
        drop(response);
        let noticed = tokio::time::timeout(Duration::from_secs(10), notice.recv()).await;
        assert_eq!(noticed.expect("the upstream is let go"), Some(()));
        assert_eq!(cut(&envoy).await, 1);
        envoy.finish();
    }
}

#[tokio::test]
async fn a_head_request_is_refused() {
    for headers in Headers::all() {
        let (upstream, envoy) = start(headers).await;
        let answer = reqwest::Client::new().head(envoy.responses_url()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 405);
        assert!(answer.bytes().await.unwrap().is_empty());
        assert!(upstream.seen().is_empty());
        envoy.finish();
    }
}

/// Another filter replies instead of the upstream. Its reply passes through the callbacks of this one.
#[tokio::test]
async fn another_filters_answer_gets_the_apis_shape() {
    for headers in Headers::all() {
        let upstream = RawUpstream::start(behave).await;
        let mut plan = plan(&upstream, headers);
        let buffer = json!({"name": "buffer", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
            "max_request_bytes": 1000,
        }});
        http_filters(&mut plan).insert(1, buffer);
        let envoy = Envoy::launch(&plan).await;
        let long = json!({"model": "m", "input": "x".repeat(5000)});
        let answer = post(&envoy.responses_url(), &long).await;
        assert_eq!((answer.status, answer.header("content-type")), (413, Some("application/json")));
        assert!(answer.json()["error"]["message"].is_string());
        envoy.finish();
    }
}
