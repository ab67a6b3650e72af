//! Features of Envoy that interact with the filter: compressors, `Expect`, and redirects that Envoy follows.

use crate::config;
use crate::raw_upstream::{DONE, STOP, delta};
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use std::time::Duration;
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, completion, json as json_reply};
use support::{Envoy, Headers, bootstrap, http_filters, manager, post, post_with, routes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The limit for one part of a reply.
const PATIENCE: Duration = Duration::from_secs(30);

fn request(stream: bool) -> Value {
    json!({"model": "m", "input": "hi", "stream": stream})
}

/// A compressor for replies, including event streams.
fn compressor(library: &str) -> Value {
    let config = format!("type.googleapis.com/envoy.extensions.compression.{library}.compressor.v3");
    let kind = if library == "zstd" { "Zstd" } else { "Gzip" };
    json!({"name": "compressor", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor",
        "response_direction_config": {"common_config": {"content_type": ["application/json", "text/event-stream"]}},
        "compressor_library": {"name": library, "typed_config": {"@type": format!("{config}.{kind}")}},
    }})
}

#[tokio::test]
async fn compressors_leave_streams_alone() {
    for headers in Headers::all() {
        for library in ["zstd", "gzip"] {
            let (upstream, sender) = OwnUpstream::start_patient().await;
            let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
            http_filters(&mut plan).insert(0, compressor(library));
            // The recording can only check replies that are not compressed.
            let envoy = Envoy::launch_plain(&plan).await;
            let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
            let ask = |stream| {
                client
                    .post(envoy.responses_url())
                    .header("accept-encoding", library)
                    .body(request(stream).to_string())
            };

            sender.send(delta("Hello")).unwrap();
            let mut answer = ask(true).send().await.unwrap();
            assert_eq!(answer.headers()["cache-control"], "no-cache, no-transform");
            assert_eq!(answer.headers().get("content-encoding"), None, "{headers:?} {library}");
            // The upstream only continues after the client has received the beginning.
            let mut all = answer.chunk().await.unwrap().unwrap().to_vec();
            sender.send([STOP, DONE].concat()).unwrap();
            drop(sender);
            while let Some(chunk) = answer.chunk().await.unwrap() {
                all.extend_from_slice(&chunk);
            }
            assert_eq!(Transcript::of(&all).response()["status"], "completed");

            let document = ask(false).send().await.unwrap();
            assert_eq!(document.headers().get("cache-control"), None);
            assert_eq!(document.headers()["content-encoding"], library, "{headers:?}");
            envoy.finish();
        }
    }
}

async fn read_until(connection: &mut TcpStream, said: &mut String, words: &str) {
    while !said.contains(words) {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, connection.read(&mut bytes));
        let count = read.await.unwrap_or_else(|_| panic!("no `{words}` in {said:?}")).unwrap();
        assert!(count > 0, "no `{words}` in {said:?}");
        said.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

/// A client that waits for a 100 before it sends the body. Envoy sends the 100 itself, or passes on that of the
/// upstream (`proxy_100_continue`). The headers of such a request are not held.
#[tokio::test]
async fn a_client_that_waits_for_a_100_gets_it() {
    for headers in Headers::all() {
        for from_upstream in [false, true] {
            let upstream = OwnUpstream::start(|| completion("Hello")).await;
            let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
            manager(&mut plan)["proxy_100_continue"] = json!(from_upstream);
            let envoy = Envoy::launch(&plan).await;
            let mut connection = TcpStream::connect(envoy.address()).await.unwrap();
            let body = request(false).to_string();
            let head = format!(
                "POST /v1/responses HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            connection.write_all(head.as_bytes()).await.unwrap();
            let mut said = String::new();
            read_until(&mut connection, &mut said, "HTTP/1.1 100 Continue\r\n\r\n").await;
            connection.write_all(body.as_bytes()).await.unwrap();
            read_until(&mut connection, &mut said, "HTTP/1.1 200 OK\r\n").await;
            read_until(&mut connection, &mut said, "\"completed\"").await;
            let seen = &upstream.seen()[0];
            assert_eq!(seen.headers.contains_key("expect"), from_upstream, "{headers:?}");
            let told = envoy.logged().contains("headers are not held: the client waits");
            assert_eq!(told, from_upstream && headers != Headers::Flow);
            assert_eq!(
                envoy.stat("wasmcustom.transponder_watchdog_resumes_total").await,
                0,
                "nothing was delayed"
            );
            envoy.finish();
        }
    }
}

fn redirect(status: u16, location: &str) -> Response {
    let mut reply = json_reply(status, "");
    reply.headers_mut().insert("location", HeaderValue::from_str(location).unwrap());
    reply
}

/// Envoy runs the filters again, on the translated request.
#[tokio::test]
async fn a_redirect_that_envoy_follows_is_an_error_in_the_apis_shape() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(|asked| match asked.path.as_str() {
            "/v1/chat/completions" => redirect(307, "http://api/elsewhere"),
            "/v1/models" => redirect(302, "http://api/models"),
            _ => completion("raw"),
        })
        .await;
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        let route = &mut routes(&mut plan)[0]["route"];
        route["internal_redirect_policy"] = json!({"redirect_response_codes": [302, 307]});
        let envoy = Envoy::launch(&plan).await;
        for stream in [false, true] {
            let answer = post(&envoy.responses_url(), &request(stream)).await;
            assert_eq!(answer.status, 502, "{headers:?}: {}", answer.text());
            let error = &answer.json()["error"];
            assert_eq!(error["code"], "upstream_unexpected_status");
            assert!(error["message"].as_str().unwrap().contains("internal_redirect_policy"), "{error}");
        }
        assert_eq!(upstream.seen().len(), 2, "nothing is sent to where the redirects point");

        // Requests outside the Responses API are still redirected.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let models = client.get(format!("{}/models", envoy.base_url())).send().await.unwrap();
        assert!(models.text().await.unwrap().contains("raw"));
        let chat = format!("{}/chat/completions", envoy.base_url());
        let answer = post_with(&chat, &[], r#"{"model":"m","messages":[]}"#).await;
        assert!(answer.text().contains("raw"), "{}", answer.text());
        assert_eq!(envoy.stat("cluster.upstream.upstream_internal_redirect_succeeded_total").await, 4);
        let counted = envoy.stats("transponder_exchanges_total").await;
        assert_eq!(
            counted.iter().map(|(_, count)| count).sum::<u64>(),
            2,
            "once for each request: {counted:?}"
        );
        envoy.finish();
    }
}
