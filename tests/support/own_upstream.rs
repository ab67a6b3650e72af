//! An upstream inside the test. It records requests, and the test decides how and when it replies.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: axum::http::HeaderMap,
    pub body: Bytes,
}

impl Seen {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub struct OwnUpstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl OwnUpstream {
    /// Sends what `answer` returns to every request.
    pub async fn start(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        Self::start_asked(move |_| answer()).await
    }

    /// Sends the reply that `answer` returns for a request.
    pub async fn start_asked(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let handle = move |request: Request| {
            let (keep, answer) = (Arc::clone(&keep), answer.clone());
            async move {
                let (head, body) = request.into_parts();
                // The client may break off: then nothing was asked.
                let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
                    return json(400, "{}");
                };
                let seen = Seen { path: head.uri.to_string(), headers: head.headers, body };
                keep.lock().unwrap().push(seen.clone());
                answer(&seen)
            }
        };
        let app = Router::new().fallback(handle).layer(DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    /// Sends a stream to the first request, whose chunks come through the channel, and a document to each other one.
    pub async fn start_patient() -> (Self, mpsc::UnboundedSender<String>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let upstream = Self::start(move || match receiver.lock().unwrap().take() {
            Some(receiver) => stream(receiver),
            None => completion("ok"),
        })
        .await;
        (upstream, sender)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An address where no server listens.
pub async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

pub fn json(status: u16, body: impl Into<Body>) -> Response {
    response(status, "application/json", body)
}

pub fn response(status: u16, content_type: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", content_type).body(body.into()).unwrap()
}

pub fn completion(text: &str) -> Response {
    json(200, document(text))
}

/// The body of a completion.
pub fn document(text: &str) -> String {
    let body = serde_json::json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    });
    body.to_string()
}

/// A stream whose chunks are sent through the channel, each as one write.
fn stream(chunks: mpsc::UnboundedReceiver<String>) -> Response {
    let stream = futures_util::stream::unfold(chunks, async |mut chunks| {
        let chunk = chunks.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), chunks))
    });
    response(200, "text/event-stream", Body::from_stream(stream))
}
