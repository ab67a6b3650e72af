//! Records every exchange: Envoy's tap filter runs before this filter and writes each exchange to a file.
//!
//! So the replies to real clients are checked exactly as Envoy sends them.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::grammar::{self, Transcript};

/// A longer reply is recorded only in part and is not checked.
const REPLY_BYTES: u64 = 64 << 20;
/// The beginning of a request is enough to recognize a Responses request.
const REQUEST_BYTES: u64 = 1 << 10;

/// The filter that records into files in the directory.
pub fn tap(directory: &Path) -> Value {
    let sink =
        json!({"format": "JSON_BODY_AS_BYTES", "file_per_tap": {"path_prefix": directory.join("tap")}});
    json!({"name": "tap", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.tap.v3.Tap",
        "common_config": {"static_config": {
            "match": {"any_match": true},
            "output_config": {
                "sinks": [sink],
                "max_buffered_rx_bytes": REQUEST_BYTES, "max_buffered_tx_bytes": REPLY_BYTES
            }
        }}
    }})
}

/// Checks all recorded replies, and returns their number. At most `cut` of them may end early.
pub fn check(directory: &Path, mut cut: usize) -> usize {
    let mut checked = 0;
    let files = std::fs::read_dir(directory).expect("the recordings");
    let files = files.map(|file| file.expect("a recording").path());
    for file in
        files.filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tap")))
    {
        let Ok(exchange) = serde_json::from_slice::<Value>(&std::fs::read(&file).expect("a recording"))
        else {
            // Envoy stopped while it wrote this file. The test had received its reply before.
            continue;
        };
        let [request, response] = ["request", "response"].map(|side| &exchange["http_buffered_trace"][side]);
        let body = bytes(response);
        if !is_ours(request) || response["body"]["truncated"] == true || body.is_empty() {
            continue;
        }
        checked += 1;
        match header(response, "content-type") {
            "text/event-stream" if cut > 0 && !body.ends_with(b"data: [DONE]\n\n") => {
                cut -= 1;
                Transcript::of_cut(&body);
            }
            "text/event-stream" => {
                Transcript::of(&body);
            }
            _ if cut > 0 && serde_json::from_slice::<Value>(&body).is_err() => cut -= 1,
            _ => {
                grammar::document(&body);
            }
        }
    }
    checked
}

/// Whether the request is a Responses request, and not one that passed through unmodified.
fn is_ours(request: &Value) -> bool {
    let body = String::from_utf8_lossy(&bytes(request)).into_owned();
    header(request, ":method") == "POST" && body.contains("\"input\"")
}

fn bytes(side: &Value) -> Vec<u8> {
    STANDARD.decode(side["body"]["as_bytes"].as_str().unwrap_or_default()).expect("base64")
}

fn header<'v>(side: &'v Value, name: &str) -> &'v str {
    let headers = side["headers"].as_array().into_iter().flatten();
    let mut found =
        headers.filter(|header| header["key"] == name).filter_map(|header| header["value"].as_str());
    found.next().unwrap_or_default()
}
