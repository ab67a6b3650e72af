//! gRPC, as far as the services of the tests need it: each message is preceded by a byte and its length.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message;
use std::convert::Infallible;

/// A successful reply with these messages.
pub fn reply<M: Message>(messages: impl Stream<Item = M> + Send + 'static) -> Response {
    let frames = messages.map(|message| Frame::data(framed(&message.encode_to_vec())));
    let end = futures_util::stream::once(async {
        Frame::trailers(HeaderMap::from_iter([(
            "grpc-status".parse().unwrap(),
            HeaderValue::from_static("0"),
        )]))
    });
    let body = StreamBody::new(frames.chain(end).map(Ok::<_, Infallible>));
    Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
}

/// Not compressed.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat().into()
}

/// Takes the first message off the bytes, if it is complete.
pub fn next_message<M: Message + Default>(bytes: &mut Vec<u8>) -> Option<M> {
    let length = u32::from_be_bytes(bytes.get(1..5)?.try_into().unwrap()) as usize;
    let message = M::decode(bytes.get(5..5 + length)?).unwrap();
    bytes.drain(..5 + length);
    Some(message)
}
