//! Requests to a cluster of Envoy, and the messages that wait for their replies.

use super::{
    Buffer, EnvoyStream, HeaderPair, Stream, envoy_dynamic_module_callback_http_append_body, number, shared,
};
use crate::adapter::Direction;
use crate::store::HttpRequest;
use std::ffi::c_void;
use std::slice;
use std::time::Duration;

#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_callback_http_filter_http_callout(stream: *mut c_void, callout: *mut u64, cluster: Buffer, headers: *const HeaderPair, count: usize, body: Buffer, milliseconds: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(stream: *mut c_void);
    fn envoy_dynamic_module_callback_http_filter_continue_encoding(stream: *mut c_void);
}

/// How Envoy says that it has sent a request, and that it has the reply to one.
const SUCCESS: u32 = 0;

/// Sends a request to a cluster. Returns whether there will be a reply. Envoy may call the hook for the reply before this
/// returns. If the stream ends first, Envoy takes the request back.
pub(in super::super) fn send(
    envoy: &EnvoyStream,
    cluster: &str,
    request: &HttpRequest,
    timeout: Duration,
) -> bool {
    let pair = |(name, value): &(String, String)| HeaderPair {
        name: Buffer::of(name.as_bytes()),
        value: Buffer::of(value.as_bytes()),
    };
    let headers: Vec<_> = request.headers.iter().map(pair).collect();
    let body = request.body.as_deref().map_or(Buffer::NULL, Buffer::of);
    let (cluster, milliseconds) = (Buffer::of(cluster.as_bytes()), timeout.as_millis() as u64);
    let mut callout = 0;
    // SAFETY: `call` has a valid pointer, and Envoy copies the texts. It may call the hook below before it returns: the hook that
    // is running owns the stream too.
    let sent = envoy.call(|stream| unsafe {
        let (headers, count) = (headers.as_ptr(), headers.len());
        Some(envoy_dynamic_module_callback_http_filter_http_callout(
            stream,
            &raw mut callout,
            cluster,
            headers,
            count,
            body,
            milliseconds,
        ))
    });
    sent == Some(SUCCESS)
}

/// Writes a body into Envoy's own buffer for a message that waits.
pub(in super::super) fn append_to_buffer(envoy: &EnvoyStream, direction: Direction, bytes: &[u8]) {
    // Beside each part of a body that a callback is about there is the one that Envoy has kept.
    let body = number(direction) + 1;
    // SAFETY: `call` has a valid pointer, and Envoy copies the bytes.
    envoy.call(|stream| unsafe {
        envoy_dynamic_module_callback_http_append_body(stream, body, Buffer::of(bytes))
    });
}

/// Lets a message that waited go on.
pub(in super::super) fn resume(envoy: &EnvoyStream, direction: Direction) {
    let resume = match direction {
        Direction::Request => envoy_dynamic_module_callback_http_filter_continue_decoding,
        Direction::Response => envoy_dynamic_module_callback_http_filter_continue_encoding,
    };
    // SAFETY: `call` has a valid pointer. Envoy may call hooks of this stream, even the last one, before it returns: the pointer is
    // not used after that, and the hook that is running owns the stream too.
    envoy.call(|stream| unsafe { resume(stream) });
}

/// # Safety
/// Called by Envoy: there is a reply to a request of the stream, or there will be none.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_http_callout_done(
    _envoy: *mut c_void,
    stream: *const Stream,
    _callout: u64,
    result: u32,
    headers: *const HeaderPair,
    header_count: usize,
    chunks: *const Buffer,
    chunk_count: usize,
) {
    // SAFETY: Envoy passes the stream that it was given, or null if there is none.
    let Some(stream) = (unsafe { shared(stream) }) else { return };
    let reply = (result == SUCCESS).then(|| {
        // SAFETY: Envoy lends headers and body until this hook ends, and they are copied here.
        let (headers, chunks) = unsafe {
            let headers =
                lent(headers, header_count).iter().map(|pair| (pair.name.bytes(), pair.value.bytes()));
            let chunks = lent(chunks, chunk_count).iter().map(|chunk| chunk.bytes());
            (headers.collect::<Vec<_>>(), chunks.collect::<Vec<_>>())
        };
        (status(&headers), chunks.concat())
    });
    stream.replied(reply);
}

/// # Safety
/// A pointer that is not null leads to so many values.
unsafe fn lent<'a, T>(values: *const T, count: usize) -> &'a [T] {
    if values.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(values, count) }
}

/// The status of a reply; 0 if it has none.
fn status(headers: &[(&[u8], &[u8])]) -> u16 {
    let status = headers.iter().find(|(name, _)| *name == b":status");
    let digits = status.and_then(|(_, value)| std::str::from_utf8(value).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
