//! The upstream of the soak test. The model of a request selects its behaviour.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

pub struct Upstream {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Slow streams that are open.
    open: AtomicUsize,
    released: watch::Sender<bool>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { open: AtomicUsize::new(0), released: watch::Sender::new(false) });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    /// The number of open slow streams.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Lets the slow streams end.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }
}

fn chunk(delta: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta}]}))
}

fn text(word: &str) -> String {
    chunk(&json!({"content": word}))
}

fn call(index: usize, arguments: &str) -> String {
    let function = json!({"name": "get_weather", "arguments": arguments});
    chunk(&json!({"tool_calls": [{"index": index, "id": format!("call_{index}"), "function": function}]}))
}

const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).expect("a whole Chat Completions body");
    let words = || (0..20).map(|number| text(&format!("word {number} ")));
    match asked["model"].as_str().unwrap() {
        "slow" => slow(shared),
        "text" => events(words().chain([STOP.to_owned()]).collect()),
        "reasoning" => events(vec![chunk(&json!({"reasoning": "Hm."})), text("Hello"), STOP.to_owned()]),
        "call" => events(vec![call(0, "{\"city\":"), call_more("\"Paris\"}"), STOP.to_owned()]),
        "calls" => events(vec![text("Look:"), call(0, "{}"), call(1, "{\"x\":1}"), STOP.to_owned()]),
        "document" => {
            let message = json!({"content": "Hello", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]});
            response(
                200,
                "application/json",
                json!({"choices": [{"index": 0, "message": message}]}).to_string(),
            )
        }
        "busy" => response(503, "text/plain", "busy".to_owned()),
        "limited" => {
            response(429, "application/json", json!({"error": {"message": "slow down"}}).to_string())
        }
        "broken" => response(500, "text/html", "<html>Internal Server Error</html>".to_owned()),
        "garbage" => {
            events(vec![text("Hello"), "data: {\"tool_calls\": \u{1}]}\n\n".to_owned(), STOP.to_owned()])
        }
        "truncated" => events(vec![text("Hello"), call(0, "{\"city\":\"Pa")]),
        "reset" => {
            let frames = [Ok(text("Hello")), Err(std::io::Error::other("the test's own"))];
            // The connection breaks after the first frame has been sent.
            let frames = stream::iter(frames).then(async |frame| {
                tokio::time::sleep(Duration::from_millis(5)).await;
                frame
            });
            streamed(Body::from_stream(frames))
        }
        other => panic!("no behaviour is called {other}"),
    }
}

fn call_more(arguments: &str) -> String {
    chunk(&json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}))
}

/// One word per second until the stream is released.
fn slow(shared: Arc<Shared>) -> Response {
    let released = shared.released.subscribe();
    shared.open.fetch_add(1, Ordering::SeqCst);
    let frames = stream::unfold(false, move |ended| {
        let (shared, mut released) = (Arc::clone(&shared), released.clone());
        async move {
            if ended {
                shared.open.fetch_sub(1, Ordering::SeqCst);
                return None;
            }
            let over = released.wait_for(|released| *released);
            match tokio::time::timeout(Duration::from_secs(1), over).await {
                Ok(_) => Some((STOP.to_owned(), true)),
                Err(_) => Some((text("word "), false)),
            }
        }
    });
    streamed(Body::from_stream(frames.map(Ok::<_, std::io::Error>)))
}

fn events(frames: Vec<String>) -> Response {
    streamed(Body::from_stream(stream::iter(frames.into_iter().map(Ok::<_, std::io::Error>))))
}

fn streamed(body: Body) -> Response {
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

fn response(status: u16, content_type: &str, body: String) -> Response {
    Response::builder().status(status).header("content-type", content_type).body(body.into()).unwrap()
}
