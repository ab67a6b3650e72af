//! A search engine that answers in any way, and ends its answer in any way: Codex always gets a document with status 200.

use crate::config;
use crate::raw_upstream::{Asked, CHUNKED, Connection, RawUpstream, UNTIL_CLOSED, chunk};
use serde_json::{Value, json};
use std::time::Duration;
use support::{Answer, Envoy, Headers, bootstrap, clusters, fleet, manager, post_with, set_http_options};
use tokio::time::sleep;

/// How the engine answers, by the query, and a part of what Codex is told.
const ANSWERS: &[(&str, &str)] = &[
    ("whole", "[1] T"),
    ("partial", "[1] T"),
    ("large", "[1] T"),
    ("trailers", "[1] T"),
    ("late-end", "[1] T"),
    ("until-closed", "[1] T"),
    ("trailers-too-early", "cannot be read"),
    ("html-without-end", "cannot be read"),
    ("closed-too-early", "cannot be read"),
    ("reset", "did not arrive completely"),
    ("reset-at-once", "did not arrive completely"),
    ("short", "did not arrive completely"),
    ("stalls", "did not arrive completely"),
    ("reset-before", "is not available (status 503)"),
    ("never", "did not answer in time (status 504)"),
    ("no-content", "cannot be read"),
    ("redirect", "refused the search (status 302)"),
    ("error", "quota is used up"),
];

const DOCUMENT: &str = r#"{"results": [{"title": "T", "url": "https://a.org", "content": "c"}]}"#;

/// The beginning of the document.
const PART: &str = r#"{"results": [{"title": "T""#;

async fn behave(mut connection: Connection, asked: Asked) {
    let json = |head: &str| head.replace("text/event-stream", "application/json");
    match asked.body["query"].as_str().unwrap_or_default() {
        "partial" => {
            connection.write(json(UNTIL_CLOSED).replace("200 OK", "206 Partial Content")).await;
            connection.write(DOCUMENT).await;
        }
        "large" => {
            connection.write(json(CHUNKED)).await;
            connection.write(chunk(&format!("{{\"pad\": \"{}\",", "x".repeat(300_000)))).await;
            connection.write(chunk(&DOCUMENT[1..])).await;
            connection.write("0\r\n\r\n").await;
        }
        "trailers" | "trailers-too-early" => {
            let early = asked.body["query"] == "trailers-too-early";
            connection.write(json(CHUNKED)).await;
            connection.write(chunk(if early { PART } else { DOCUMENT })).await;
            connection.write("0\r\nx-checksum: 1\r\n\r\n").await;
        }
        "late-end" => {
            connection.write(json(CHUNKED)).await;
            connection.write(chunk(DOCUMENT)).await;
            sleep(Duration::from_millis(100)).await;
            connection.write("0\r\n\r\n").await;
        }
        "html-without-end" => {
            connection.write(CHUNKED.replace("text/event-stream", "text/html")).await;
            connection.write(chunk("<html>")).await;
            connection.closed().await;
        }
        "until-closed" => {
            connection.write(json(UNTIL_CLOSED)).await;
            connection.write(DOCUMENT).await;
        }
        "closed-too-early" => {
            connection.write(json(UNTIL_CLOSED)).await;
            connection.write(PART).await;
        }
        "reset" | "reset-at-once" => {
            connection.write(json(CHUNKED)).await;
            if asked.body["query"] == "reset" {
                connection.write(chunk(PART)).await;
            }
            sleep(Duration::from_millis(50)).await;
            connection.reset();
        }
        "short" => {
            connection.write(json(UNTIL_CLOSED).replace("connection: close", "content-length: 5000")).await;
            connection.write(PART).await;
        }
        "stalls" => {
            connection.write(json(CHUNKED)).await;
            connection.write(chunk(PART)).await;
            connection.closed().await;
        }
        "reset-before" => connection.reset(),
        "never" => connection.closed().await,
        "no-content" => connection.write("HTTP/1.1 204 No Content\r\n\r\n").await,
        "redirect" => {
            connection.write("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n").await;
        }
        "error" => {
            connection
                .write("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\nconnection: close\r\n\r\nslow")
                .await;
        }
        _ => {
            connection.write(json(UNTIL_CLOSED).replace("connection: close", "content-length: 69")).await;
            connection.write(DOCUMENT).await;
        }
    }
}

/// The local replies of the example, in front of this engine, with small buffers.
fn plan(engine: &RawUpstream, headers: Headers, example: &str) -> Value {
    let search = json!({"search": {"engine": "tavily"}});
    let mut plan = bootstrap(engine.address, &config(headers, search), headers);
    plan["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = json!(4096);
    let options = json!({"explicit_http_config": {"http_protocol_options": {"enable_trailers": true}}});
    set_http_options(&mut clusters(&mut plan)[0], options);
    let by = |name: &str, action: Value| {
        json!({
            "match": {"prefix": "/", "headers": [{"name": "x-route", "string_match": {"exact": name}}]},
            "route": action,
        })
    };
    let manager = manager(&mut plan);
    manager["route_config"]["virtual_hosts"][0]["routes"] = json!([
        by("timeout", json!({"cluster": "upstream", "timeout": "0.5s"})),
        by("idle", json!({"cluster": "upstream", "timeout": "0s", "idle_timeout": "0.5s"})),
    ]);
    manager["local_reply_config"] = support::manager(&mut fleet(example, &[]))["local_reply_config"].take();
    plan
}

async fn search(envoy: &Envoy, query: &str, route: &str) -> Answer {
    let body = json!({"commands": {"search_query": [{"q": query}]}, "input": []}).to_string();
    post_with(&format!("{}/alpha/search", envoy.base_url()), &[("x-route", route)], body).await
}

#[tokio::test]
async fn every_end_of_an_engine_is_a_complete_answer() {
    for headers in Headers::held() {
        for example in ["search", "search-tavily"] {
            let engine = RawUpstream::start(behave).await;
            let envoy = Envoy::launch_plain(&plan(&engine, headers, example)).await;
            for route in ["timeout", "idle"] {
                for (query, told) in ANSWERS {
                    let answer = search(&envoy, query, route).await;
                    let case = format!("{headers:?} {route} {query}: {answer:?}");
                    assert!(answer.broken.is_none() && answer.status == 200, "{case}");
                    assert_eq!(answer.header("content-type"), Some("application/json"), "{case}");
                    let document = answer.json();
                    assert!(document["output"].as_str().unwrap().contains(told), "{case}");
                    let results = document["results"].as_array().unwrap().len();
                    assert_eq!(results, usize::from(told.starts_with('[')), "{case}");
                }
            }
            envoy.finish();
        }
    }
}
