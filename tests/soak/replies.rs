//! The reply that the client must get for each behaviour of the upstream.

use futures_util::StreamExt;
use serde_json::{Value, json};
use support::grammar::{Transcript, document};

/// The model, which selects the behaviour of the upstream, and the expected outcome.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub model: &'static str,
    pub comes_to: Outcome,
}

#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// A complete response with this number of calls.
    Completed(usize),
    /// A failed response.
    Failed,
    /// An error with its status.
    Error(u16),
    /// A transfer that ends visibly incomplete.
    Broken,
}

pub const KINDS: [Kind; 12] = {
    const fn kind(model: &'static str, comes_to: Outcome) -> Kind {
        Kind { model, comes_to }
    }
    [
        kind("text", Outcome::Completed(0)),
        kind("reasoning", Outcome::Completed(0)),
        kind("call", Outcome::Completed(1)),
        kind("calls", Outcome::Completed(2)),
        kind("document", Outcome::Completed(1)),
        kind("busy", Outcome::Error(503)),
        kind("limited", Outcome::Error(429)),
        kind("broken", Outcome::Error(500)),
        kind("garbage", Outcome::Failed),
        kind("truncated", Outcome::Failed),
        kind("reset", Outcome::Broken),
        kind("text", Outcome::Completed(0)),
    ]
};

/// Sends one request, and fails the test if the reply is not as expected.
pub async fn ask(client: &reqwest::Client, url: &str, kind: &Kind, stream: bool) {
    let body = json!({"model": kind.model, "input": "hi", "stream": stream,
        "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object"}}]});
    let answer =
        client.post(url).header("content-type", "application/json").body(body.to_string()).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
    let status = answer.status().as_u16();
    let (mut bytes, mut broken) = (Vec::new(), false);
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(_) => broken = true,
        }
    }
    match kind.comes_to {
        Outcome::Error(expected) => {
            assert_eq!((status, broken), (expected, false), "{kind:?}");
            assert!(document(&bytes)["error"]["message"].is_string());
        }
        Outcome::Broken => {
            assert!(broken, "{kind:?}: {}", String::from_utf8_lossy(&bytes));
            if stream {
                Transcript::of_cut(&bytes);
            }
        }
        Outcome::Completed(calls) => {
            let response = whole(kind, status, broken, &bytes, stream);
            assert_eq!(response["status"], "completed", "{kind:?}: {response}");
            let items = response["output"].as_array().unwrap().iter();
            assert_eq!(items.filter(|item| item["type"] == "function_call").count(), calls, "{kind:?}");
        }
        Outcome::Failed => {
            let response = whole(kind, status, broken, &bytes, stream);
            assert_eq!(response["status"], "failed", "{kind:?}: {response}");
        }
    }
}

fn whole(kind: &Kind, status: u16, broken: bool, bytes: &[u8], stream: bool) -> Value {
    assert_eq!((status, broken), (200, false), "{kind:?}");
    if stream { Transcript::of(bytes).response().clone() } else { document(bytes) }
}
