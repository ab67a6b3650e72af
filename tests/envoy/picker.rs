//! An endpoint picker as the Gateway API Inference Extension has it: an external processor (`ext_proc`) that reads the whole
//! request, picks an endpoint by its `model`, and passes both bodies on in pieces.

use crate::grpc;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The header by which the picker tells Envoy its choice.
pub const DESTINATION: &str = "x-gateway-destination-endpoint";
/// The picker splits bodies into pieces of this size, because a gRPC message is limited.
const PIECE: usize = 62_000;

/// The fields of `envoy.service.ext_proc.v3` that a picker reads and writes.
mod messages {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ProcessingRequest {
        #[prost(message, optional, tag = "2")]
        pub request_headers: Option<HttpHeaders>,
        #[prost(message, optional, tag = "3")]
        pub response_headers: Option<HttpHeaders>,
        #[prost(message, optional, tag = "4")]
        pub request_body: Option<HttpBody>,
        #[prost(message, optional, tag = "5")]
        pub response_body: Option<HttpBody>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HttpHeaders {
        #[prost(bool, tag = "3")]
        pub end_of_stream: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HttpBody {
        #[prost(bytes = "vec", tag = "1")]
        pub body: Vec<u8>,
        #[prost(bool, tag = "2")]
        pub end_of_stream: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ProcessingResponse {
        #[prost(message, optional, tag = "1")]
        pub request_headers: Option<Step>,
        #[prost(message, optional, tag = "2")]
        pub response_headers: Option<Step>,
        #[prost(message, optional, tag = "3")]
        pub request_body: Option<Step>,
        #[prost(message, optional, tag = "4")]
        pub response_body: Option<Step>,
        #[prost(message, optional, tag = "7")]
        pub immediate_response: Option<ImmediateResponse>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ImmediateResponse {
        #[prost(message, optional, tag = "1")]
        pub status: Option<HttpStatus>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HttpStatus {
        #[prost(int32, tag = "1")]
        pub code: i32,
    }

    /// HeadersResponse and BodyResponse, which have the same form.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Step {
        #[prost(message, optional, tag = "1")]
        pub response: Option<CommonResponse>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct CommonResponse {
        #[prost(message, optional, tag = "2")]
        pub header_mutation: Option<HeaderMutation>,
        #[prost(message, optional, tag = "3")]
        pub body_mutation: Option<BodyMutation>,
        #[prost(bool, tag = "5")]
        pub clear_route_cache: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HeaderMutation {
        #[prost(message, repeated, tag = "1")]
        pub set_headers: Vec<HeaderValueOption>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HeaderValueOption {
        #[prost(message, optional, tag = "1")]
        pub header: Option<HeaderValue>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct HeaderValue {
        #[prost(string, tag = "1")]
        pub key: String,
        #[prost(bytes = "vec", tag = "3")]
        pub raw_value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct BodyMutation {
        #[prost(message, optional, tag = "3")]
        pub streamed_response: Option<HttpBody>,
    }
}
use messages::{BodyMutation, CommonResponse, HeaderMutation, HeaderValue, HeaderValueOption, HttpBody};
use messages::{HttpStatus, ImmediateResponse, ProcessingRequest, ProcessingResponse, Step};

/// The endpoints by model.
type Pool = Arc<BTreeMap<&'static str, SocketAddr>>;
type Answers = UnboundedSender<ProcessingResponse>;

pub struct Picker {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Picker {
    pub async fn start(pool: BTreeMap<&'static str, SocketAddr>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (pool, keep) = (Arc::new(pool), Arc::clone(&seen));
        let process = move |request: Request| {
            let (sender, mut receiver) = unbounded_channel();
            tokio::spawn(process(request.into_body(), Arc::clone(&pool), Arc::clone(&keep), sender));
            async { grpc::reply(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context))) }
        };
        let app = Router::new().fallback(process);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    /// The requests that it picked endpoints for.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers the messages about one exchange.
async fn process(mut body: Body, pool: Pool, seen: Arc<Mutex<Vec<Value>>>, answers: Answers) {
    let (mut bytes, mut request) = (Vec::new(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
        while let Some(message) = grpc::next_message::<ProcessingRequest>(&mut bytes) {
            if let Some(part) = message.request_body {
                request.extend_from_slice(&part.body);
                if part.end_of_stream {
                    pick(&request, &pool, &seen, &answers);
                }
            } else if message.response_headers.is_some() {
                let step = Some(Step { response: Some(CommonResponse::default()) });
                let _ = answers.send(ProcessingResponse { response_headers: step, ..Default::default() });
            } else if let Some(part) = message.response_body {
                let step = Some(passed_on(part));
                let _ = answers.send(ProcessingResponse { response_body: step, ..Default::default() });
            }
        }
    }
}

/// Answers the headers only now, when the body is complete. For an unknown model, no endpoint has capacity.
fn pick(request: &[u8], pool: &Pool, seen: &Mutex<Vec<Value>>, answers: &Answers) {
    let asked: Value = serde_json::from_slice(request).unwrap();
    let Some(endpoint) = pool.get(asked["model"].as_str().unwrap()) else {
        let refusal = Some(ImmediateResponse { status: Some(HttpStatus { code: 429 }) });
        let _ = answers.send(ProcessingResponse { immediate_response: refusal, ..Default::default() });
        return;
    };
    seen.lock().unwrap().push(asked);
    let set = |key: &str, value: String| HeaderValueOption {
        header: Some(HeaderValue { key: key.to_owned(), raw_value: value.into_bytes() }),
    };
    let set_headers =
        vec![set(DESTINATION, endpoint.to_string()), set("content-length", request.len().to_string())];
    let response = CommonResponse {
        header_mutation: Some(HeaderMutation { set_headers }),
        clear_route_cache: true,
        ..Default::default()
    };
    let step = Some(Step { response: Some(response) });
    let _ = answers.send(ProcessingResponse { request_headers: step, ..Default::default() });
    let mut pieces = request.chunks(PIECE).peekable();
    while let Some(piece) = pieces.next() {
        let step = passed_on(HttpBody { body: piece.to_vec(), end_of_stream: pieces.peek().is_none() });
        let _ = answers.send(ProcessingResponse { request_body: Some(step), ..Default::default() });
    }
}

fn passed_on(part: HttpBody) -> Step {
    let body_mutation = Some(BodyMutation { streamed_response: Some(part) });
    Step { response: Some(CommonResponse { body_mutation, ..Default::default() }) }
}
