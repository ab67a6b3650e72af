//! HTTP/2 on either side, compression, and an Envoy that gets a new configuration or drains.

use crate::config;
use crate::gzip::{compressed, decompressor};
use crate::raw_upstream::{DONE, STOP, delta};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use http_body::Frame;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, document, response};
use support::{Answer, Envoy, Headers, bootstrap, clusters, http_filters, post, post_with, set_http_options};
use tokio::sync::mpsc;

fn request(stream: bool) -> Value {
    json!({"model": "m", "input": "hi", "stream": stream})
}

fn text_of(response: &Value) -> &Value {
    &response["output"][0]["content"][0]["text"]
}

fn whole(answer: &Answer) -> Value {
    assert_eq!((answer.status, &answer.broken), (200, &None), "{}", answer.text());
    Transcript::of(&answer.bytes()).response().clone()
}

pub fn events() -> String {
    [&delta("Hello"), STOP, DONE].concat()
}

/// A stream that ends with trailers, as HTTP/2 always passes them on.
pub fn with_trailers() -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [Frame::data(Bytes::from(events())), Frame::trailers(trailers)];
    let frames = futures_util::stream::iter(frames.map(Ok::<_, Infallible>));
    response(200, "text/event-stream", Body::new(http_body_util::StreamBody::new(frames)))
}

#[tokio::test]
async fn http2_passes_on_both_sides() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(with_trailers).await;
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        let options = json!({"explicit_http_config": {"http2_protocol_options": {}}});
        set_http_options(&mut clusters(&mut plan)[0], options);
        let envoy = Envoy::launch(&plan).await;
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let asked = || client.post(envoy.responses_url()).body(request(true).to_string()).send();
        // Several on one connection.
        let answers = futures_util::future::join_all((0..5).map(|_| asked())).await;
        for answer in answers {
            let answer = answer.unwrap();
            assert_eq!(answer.version(), reqwest::Version::HTTP_2);
            assert_eq!(text_of(Transcript::of(&answer.bytes().await.unwrap()).response()), "Hello");
        }
        assert_eq!(text_of(&post(&envoy.responses_url(), &request(false)).await.json()), "Hello");
        let sent = upstream.seen()[0].json();
        assert_eq!(sent["messages"][0]["content"], "hi");
        envoy.finish();
    }
}

/// A decompressor ends each reply with trailers, and a filter that holds the chunk before them never sees them.
#[tokio::test]
async fn a_decompressor_before_the_filter_does_not_hide_the_end() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(|asked| {
            let body = asked.json();
            if body["model"] == "unknown" {
                return compressed(404, "application/json", r#"{"error": {"message": "No such thing"}}"#);
            }
            if body["stream"] == true {
                compressed(200, "text/event-stream", &events())
            } else {
                compressed(200, "application/json", &document("Hello"))
            }
        })
        .await;
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        http_filters(&mut plan).insert(1, decompressor());
        let envoy = Envoy::launch(&plan).await;
        assert_eq!(text_of(&whole(&post(&envoy.responses_url(), &request(true)).await)), "Hello");
        assert_eq!(text_of(&post(&envoy.responses_url(), &request(false)).await.json()), "Hello");
        for stream in [true, false] {
            let asked = json!({"model": "unknown", "input": "hi", "stream": stream});
            let answer = post(&envoy.responses_url(), &asked).await;
            assert_eq!((answer.status, &answer.broken), (404, &None), "{}", answer.text());
            assert_eq!(answer.json()["error"]["message"], "No such thing");
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn an_unrequested_compressed_reply_is_an_error() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start(|| compressed(200, "text/event-stream", &events())).await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let asked = [("accept-encoding", "gzip")];
        let answer = post_with(&envoy.responses_url(), &asked, request(true).to_string()).await;
        assert_eq!(answer.status, 502);
        assert_eq!(answer.json()["error"]["code"], "upstream_encoding_unsupported");
        assert!(!upstream.seen()[0].headers.contains_key("accept-encoding"));
        envoy.finish();
    }
}

/// A running stream, and the channel that ends it.
async fn under_way(envoy: &Envoy) -> reqwest::Response {
    let asked = reqwest::Client::new().post(envoy.responses_url()).body(request(true).to_string());
    let mut answer = asked.send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    answer
}

async fn rest_of(mut answer: reqwest::Response) -> String {
    let mut rest = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        rest.extend_from_slice(&chunk);
    }
    String::from_utf8(rest).unwrap()
}

/// The first stream has begun.
async fn patient_upstream() -> (OwnUpstream, mpsc::UnboundedSender<String>) {
    let (upstream, sender) = OwnUpstream::start_patient().await;
    sender.send(delta("Hello")).unwrap();
    (upstream, sender)
}

#[tokio::test]
async fn a_new_configuration_under_load_loses_no_request() {
    for headers in Headers::all() {
        let (upstream, sender) = patient_upstream().await;
        let model = |name: &str| config(headers, json!({"models": [{"match": "*", "model": name}]}));
        let mut plan = bootstrap(upstream.address, &model("before"), headers);
        let listener = plan["static_resources"]["listeners"][0].take();
        plan["static_resources"].as_object_mut().unwrap().remove("listeners");
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("listeners.json");
        let resources = |listener: &Value| {
            let mut listener = listener.clone();
            // Tests bind port 0; a listener that is changed keeps the port that it got.
            listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
            json!({"resources": [listener]}).to_string()
        };
        std::fs::write(&file, resources(&listener)).unwrap();
        plan["node"] = json!({"id": "test", "cluster": "test"});
        plan["dynamic_resources"] = json!({"lds_config": {"path_config_source": {"path": file}}});
        let envoy = Envoy::launch_plain(&plan).await;
        let patient = under_way(&envoy).await;

        let over = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (over, url) = (Arc::clone(&over), envoy.responses_url());
                tokio::spawn(async move {
                    let mut count = 0;
                    while !over.load(Ordering::SeqCst) {
                        let answer = post(&url, &request(true)).await;
                        assert_eq!(text_of(&whole(&answer)), "ok");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        let mut changed = listener.clone();
        let filter = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config";
        let configuration = format!("{filter}/{}", headers.configuration());
        *changed.pointer_mut(&configuration).unwrap() = json!(model("after"));
        let next = files.path().join("next.json");
        std::fs::write(&next, resources(&changed)).unwrap();
        std::fs::rename(&next, &file).unwrap();
        let last_model = || {
            let body = upstream.seen().last().unwrap().json();
            body["model"].as_str().unwrap().to_owned()
        };
        let begin = std::time::Instant::now();
        while last_model() != "after" {
            assert!(begin.elapsed() < Duration::from_secs(60), "the new configuration is not in use");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        over.store(true, Ordering::SeqCst);
        for client in clients {
            assert!(client.await.unwrap() > 0);
        }
        // The stream of the old configuration continues and completes.
        sender.send([STOP, DONE].concat()).unwrap();
        drop(sender);
        assert!(rest_of(patient).await.contains("event: response.completed"));
        envoy.finish();
    }
}

#[tokio::test]
async fn an_envoy_that_drains_lets_streams_end() {
    for headers in Headers::all() {
        let (upstream, sender) = patient_upstream().await;
        let envoy = Envoy::start(upstream.address, &config(headers, json!({})), headers).await;
        let patient = under_way(&envoy).await;
        envoy.drain().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        sender.send([STOP, DONE].concat()).unwrap();
        drop(sender);
        assert!(rest_of(patient).await.contains("event: response.completed"));
        envoy.finish();
    }
}
