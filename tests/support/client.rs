//! A client that keeps everything: each event, and each chunk with the time at which it came.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// The limit for one reply.
const WHOLE_ANSWER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The chunks as they arrived, with the time since the request was sent.
    pub chunks: Vec<(Duration, Bytes)>,
    /// Why the body ended early, if it did.
    pub broken: Option<String>,
}

pub async fn post(url: &str, body: &Value) -> Answer {
    post_with(url, &[], body.to_string()).await
}

/// The headers are added to `content-type: application/json`, or replace it.
pub async fn post_with(url: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
    let (mut request, begin) = (request.build().expect("a request"), Instant::now());
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().expect("a header's name");
        let value = value.parse().expect("a header's value");
        request.headers_mut().insert(name, value);
    }
    let whole = async {
        let response = reqwest::Client::new().execute(request).await;
        let response = response.unwrap_or_else(|error| panic!("{url}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut answer = Answer { status, headers, chunks: Vec::new(), broken: None };
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(bytes) => answer.chunks.push((begin.elapsed(), bytes)),
                Err(error) => answer.broken = Some(format!("{error:?}")),
            }
        }
        answer
    };
    tokio::time::timeout(WHOLE_ANSWER, whole)
        .await
        .unwrap_or_else(|_| panic!("{url}: no whole answer within {WHOLE_ANSWER:?}"))
}

impl Answer {
    pub fn bytes(&self) -> Vec<u8> {
        self.chunks.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes()).expect("a body in UTF-8")
    }

    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Event name (`""` if none) and data; data that is not JSON, as `[DONE]`, is a string.
    ///
    /// It only reads the form that this project writes: LF, and one `data:` line per event. A complete reader of SSE
    /// would need tests of its own.
    pub fn events(&self) -> Vec<(String, Value)> {
        self.text()
            .split("\n\n")
            .filter_map(|block| {
                let field = |name: &str| {
                    let prefix = format!("{name}:");
                    let lines = block.lines();
                    let mut values = lines.filter_map(|line| line.strip_prefix(prefix.as_str()));
                    values.next().map(|value| value.strip_prefix(' ').unwrap_or(value))
                };
                let data = field("data")?;
                let value = serde_json::from_str(data).unwrap_or_else(|_| Value::from(data));
                Some((field("event").unwrap_or_default().to_owned(), value))
            })
            .collect()
    }

    /// The names of the events.
    pub fn event_names(&self) -> Vec<String> {
        self.events().into_iter().map(|(name, _)| name).collect()
    }

    /// The data of every event of that name.
    pub fn data_of(&self, name: &str) -> Vec<Value> {
        let events = self.events().into_iter();
        events.filter_map(|(event, data)| (event == name).then_some(data)).collect()
    }
}
