//! The upstream: answers every request with the configured reply, as fast as it can.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

/// The reply of the mock.
#[derive(Clone)]
pub enum Reply {
    /// One JSON document.
    Document(Bytes),
    /// Events without a pause between them.
    Events(Vec<Bytes>),
    /// A number of events at an interval. Each holds the time at which it was sent.
    Paced(usize, Duration),
    /// One event, and then nothing until the client disconnects.
    Open(Bytes),
}

const RECEIVE_BUFFER: u32 = 4 << 20;
const BACKLOG: u32 = 4096;

/// A running mock.
pub struct Mock {
    pub address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
}

impl Mock {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // With the usual 128 kB the kernel stops the sender of a large request for 40 ms, because the
        // packets of the loopback interface are as large as half of that.
        socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("SO_RCVBUF");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let listener = socket.listen(BACKLOG).expect("a listener");
        let address = listener.local_addr().expect("its address");
        let reply = Arc::new(Mutex::new(Reply::Document(Bytes::new())));
        let said = Arc::clone(&reply);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // Without it, the last packet of a reply waits 40 ms for an acknowledgement.
                connection.set_nodelay(true).expect("TCP_NODELAY");
                let said = Arc::clone(&said);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&said)));
                    let server = auto::Builder::new(TokioExecutor::new());
                    // A client that disconnects is not an error here.
                    let _ = server.serve_connection(TokioIo::new(connection), service).await;
                });
            }
        });
        Self { address, reply }
    }

    /// Sets the reply.
    pub fn say(&self, reply: Reply) {
        *self.reply.lock().expect("no other thread has panicked") = reply;
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(request: Request<Incoming>, said: Arc<Mutex<Reply>>) -> Result<Response<Body>, hyper::Error> {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        drop(frame?);
    }
    let reply = said.lock().expect("no other thread has panicked").clone();
    let (content_type, body) = match reply {
        Reply::Document(bytes) => ("application/json", http_body_util::Full::new(bytes).boxed()),
        Reply::Events(frames) => ("text/event-stream", events(stream::iter(frames))),
        Reply::Paced(events_left, pace) => ("text/event-stream", events(paced(events_left, pace))),
        Reply::Open(first) => ("text/event-stream", events(stream::iter([first]).chain(stream::pending()))),
    };
    let response = Response::builder().header("content-type", content_type).body(body);
    Ok(response.expect("a response"))
}

fn events(frames: impl stream::Stream<Item = Bytes> + Send + Sync + 'static) -> Body {
    BodyExt::boxed(StreamBody::new(frames.map(|bytes| Ok(Frame::data(bytes)))))
}

fn paced(count: usize, pace: Duration) -> impl stream::Stream<Item = Bytes> + Send + Sync {
    stream::unfold(0, move |number| async move {
        tokio::time::sleep(pace).await;
        let end = || Bytes::from(transponder_benches::end(count));
        let stamp = format!("@{}@", now());
        match number {
            _ if number < count => Some((Bytes::from(transponder_benches::text_chunk(&stamp)), number + 1)),
            _ if number == count => Some((end(), number + 1)),
            _ => None,
        }
    })
}

/// Nanoseconds since the first call.
pub fn now() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_nanos()).expect("less than centuries")
}
