//! Envoy's filters for gzip, and replies that they decompress.

use crate::orders::filter;
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use std::io::Write;
use support::own_upstream::response;

pub fn compressor() -> Value {
    filter("compressor", "compressor.v3.Compressor", json!({"compressor_library": library("compressor")}))
}

pub fn decompressor() -> Value {
    let library = library("decompressor");
    filter("decompressor", "decompressor.v3.Decompressor", json!({"decompressor_library": library}))
}

fn library(direction: &str) -> Value {
    let config = format!("type.googleapis.com/envoy.extensions.compression.gzip.{direction}.v3.Gzip");
    json!({"name": "gzip", "typed_config": {"@type": config}})
}

pub fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

pub fn compressed(status: u16, content_type: &str, body: &str) -> Response {
    let mut reply = response(status, content_type, gzipped(body.as_bytes()));
    reply.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    reply
}
