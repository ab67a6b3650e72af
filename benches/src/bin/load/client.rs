//! The load generator. A connection sends its next request as soon as it has the reply to the last.

use crate::mock::now;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// The times of one request.
#[derive(Debug, Default)]
pub struct Sample {
    pub whole: Duration,
    /// Time to the first delta.
    pub first: Duration,
    /// For paced events: the time from the upstream to this client, for each event.
    pub delays: Vec<Duration>,
    /// The size of the reply's body.
    pub bytes: usize,
}

/// Sends one request over `connections` connections for `time`, at least once over each.
///
/// # Errors
/// The error of the first request that failed.
pub async fn load(
    address: SocketAddr,
    body: &Bytes,
    connections: usize,
    time: Duration,
) -> Result<Vec<Sample>, String> {
    let end = Instant::now() + time;
    let workers = (0..connections).map(|_| {
        let body = body.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut samples = Vec::new();
            while samples.is_empty() || Instant::now() < end {
                samples.push(connection.ask(body.clone()).await?);
            }
            Ok::<_, String>(samples)
        })
    });
    let mut samples = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        samples.extend(worker.await.map_err(|error| error.to_string())??);
    }
    Ok(samples)
}

/// Sends these requests over one connection, each once.
///
/// # Errors
/// The error of the first request that failed.
pub async fn session(address: SocketAddr, requests: &[Bytes]) -> Result<Vec<Sample>, String> {
    let mut connection = Connection::open(address).await?;
    let mut samples = Vec::new();
    for body in requests {
        samples.push(connection.ask(body.clone()).await?);
    }
    Ok(samples)
}

/// The body of the reply to a request.
pub async fn reply(address: SocketAddr, body: Bytes) -> Result<Bytes, String> {
    let answer = Connection::open(address).await?.send(body).await?;
    Ok(answer.collect().await.map_err(|error| error.to_string())?.to_bytes())
}

/// A connection that is kept alive.
struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// The limit for one reply.
const PATIENCE: Duration = Duration::from_secs(120);

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| format!("connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    async fn ask(&mut self, body: Bytes) -> Result<Sample, String> {
        tokio::time::timeout(PATIENCE, self.asked(body)).await.map_err(|_| "no answer in time".to_owned())?
    }

    async fn asked(&mut self, body: Bytes) -> Result<Sample, String> {
        let begin = Instant::now();
        let mut answer = self.send(body).await?;
        let mut sample = Sample::default();
        let mut tail = Vec::new();
        // The last event repeats the whole text, and with it all timestamps.
        let mut last_sent = 0;
        while let Some(frame) = answer.frame().await {
            let frame = frame.map_err(|error| format!("body: {error}"))?;
            let Some(bytes) = frame.data_ref() else { continue };
            let arrived = now();
            sample.bytes += bytes.len();
            if sample.first.is_zero() && memmem::find(bytes, b"delta\"").is_some() {
                sample.first = begin.elapsed();
            }
            for sent in stamps(bytes) {
                if sent > last_sent {
                    last_sent = sent;
                    sample.delays.push(Duration::from_nanos(arrived.saturating_sub(sent)));
                }
            }
            tail = bytes.slice(bytes.len().saturating_sub(64)..).to_vec();
        }
        sample.whole = begin.elapsed();
        let whole =
            tail.ends_with(b"}") || memmem::find(&tail, b"[DONE]").is_some() || tail.ends_with(b"\n\n");
        if whole {
            Ok(sample)
        } else {
            Err(format!("a reply that ends in {}", String::from_utf8_lossy(&tail)))
        }
    }

    async fn send(&mut self, body: Bytes) -> Result<Incoming, String> {
        let request = Request::post("/v1/responses")
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, "Bearer sk-none")
            .header("originator", "codex_cli_rs")
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        self.sender.ready().await.map_err(|error| error.to_string())?;
        let response = self.sender.send_request(request).await.map_err(|error| format!("send: {error}"))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            return Err(format!("{status}: {}", String::from_utf8_lossy(body.get(..200).unwrap_or(&body))));
        }
        Ok(response.into_body())
    }

    /// Sends a request and waits for the first event of its reply.
    async fn begin(&mut self, body: Bytes) -> Result<Incoming, String> {
        let mut answer = self.send(body).await?;
        let mut seen = Vec::new();
        while memmem::find(&seen, b"delta\"").is_none() {
            let frame = answer.frame().await.ok_or("the reply ended")?.map_err(|error| error.to_string())?;
            seen.extend_from_slice(frame.data_ref().map_or(&[], |bytes| bytes));
        }
        Ok(answer)
    }
}

/// Opens a stream. It is read by the returned future, and closed when that is dropped.
pub async fn hold(address: SocketAddr, body: Bytes) -> Result<impl Future<Output = ()> + Send, String> {
    let mut connection = Connection::open(address).await?;
    let begun = tokio::time::timeout(PATIENCE, connection.begin(body)).await;
    let mut answer = begun.map_err(|_| "no first event in time".to_owned())??;
    Ok(async move {
        while let Some(Ok(_)) = answer.frame().await {}
        drop(connection);
    })
}

/// The timestamps, which are written as `@...@`.
fn stamps(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.split(|byte| *byte == b'@').filter_map(|piece| {
        let digits = std::str::from_utf8(piece).ok().filter(|text| text.len() > 5)?;
        digits.parse().ok()
    })
}
