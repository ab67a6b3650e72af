//! An upstream that writes raw bytes, for ends and lengths that no server library sends.

use serde_json::Value;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Request line and headers.
    pub head: String,
    /// The body, its chunks joined.
    pub body: Value,
    /// The number of requests before it.
    pub before: usize,
}

impl Asked {
    /// Tests choose the reply by the model.
    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }
}

/// One connection, one request.
pub struct Connection(TcpStream);

pub struct RawUpstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl RawUpstream {
    /// Reads one request from each connection, and closes the connection after `answer` returns.
    pub async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Connection, Asked) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (keep, answer) = (Arc::clone(&keep), answer.clone());
                tokio::spawn(async move {
                    let mut connection = Connection(stream);
                    let Some((head, body)) = connection.request().await else { return };
                    let asked = {
                        let mut keep = keep.lock().unwrap();
                        let asked = Asked { head, body, before: keep.len() };
                        keep.push(asked.clone());
                        asked
                    };
                    answer(connection, asked).await;
                });
            }
        });
        Self { address, seen }
    }

    pub fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

impl Connection {
    async fn request(&mut self) -> Option<(String, Value)> {
        let mut bytes = Vec::new();
        loop {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                if let Some(body) = body(&head, &bytes[end + 4..]) {
                    return Some((head, body));
                }
            }
            if self.0.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Sends bytes unchanged. The peer may have closed the connection.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
        let _ = self.0.flush().await;
    }

    /// Ends with a reset instead of a regular end.
    pub fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }

    /// Waits until the peer has closed the connection.
    pub async fn closed(&mut self) {
        let mut bytes = [0; 1024];
        while matches!(self.0.read(&mut bytes).await, Ok(1..)) {}
    }
}

/// The body, if it is complete.
fn body(head: &str, bytes: &[u8]) -> Option<Value> {
    let header = |name: &str| {
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned))
    };
    if header("transfer-encoding: chunked").is_some() {
        return serde_json::from_slice(&unchunked(bytes)?).ok();
    }
    let length: usize = header("content-length: ").map_or(0, |length| length.trim().parse().unwrap());
    let body = bytes.get(..length)?;
    Some(serde_json::from_slice(body).unwrap_or_default())
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let at = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..at]).ok()?.trim(), 16).ok()?;
        let chunk = bytes.get(at + 2..at + 2 + size)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
        bytes = bytes.get(at + 4 + size..)?;
    }
}

/// The head of a reply in chunks.
pub const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// The head of a reply that ends with its connection.
pub const UNTIL_CLOSED: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// One chunk of a chunked body.
pub fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// An event with a piece of text.
pub fn delta(text: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
}

/// The event with the finish reason.
pub const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

/// The last event.
pub const DONE: &str = "data: [DONE]\n\n";
