//! Envoy's ABI for dynamic modules, version 0.1 (Envoy 1.38 and 1.39) and 0.2 (1.40): its types, the functions that
//! Envoy offers, and those that it calls.
//!
//! All of the adapter's `unsafe` is here. The rest of it sees [`EnvoyStream`], whose methods are safe at any time:
//! Envoy's pointer is valid from the hook that makes a filter until the one that destroys it, and is forgotten there.
//! Envoy owns what it lends, and only until the callback ends or writes: so everything is copied.
//!
//! `source/extensions/dynamic_modules/abi/abi.h` in Envoy's repository is the reference.

#![allow(unsafe_code, reason = "the only place that talks to Envoy natively")]

pub(super) mod callouts;
mod unused_hooks;

use super::panics::caught;
use super::{Plugin, Stream};
use crate::adapter::{Direction, Next};
use crate::error::ApiError;
use crate::exchange::LocalReply;
use crate::metrics::Kind;
use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::slice;

/// The version that [`envoy_dynamic_module_on_program_init`] names. Envoy warns of a different one, and goes on.
const ABI_VERSION: &CStr = c"v0.2.0";

/// Bytes of Envoy's or of the module's.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Buffer {
    pointer: *const u8,
    length: usize,
}

/// One header, of Envoy's or of the module's.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct HeaderPair {
    name: Buffer,
    value: Buffer,
}

type MetricNumber = usize;

/// How Envoy says that a metric was defined or recorded.
const METRIC_SUCCESS: u32 = 0;

// Statuses of the hooks. Those of headers, bodies and trailers agree in the first.
const CONTINUE: u32 = 0;
const STOP_ITERATION: u32 = 1;
const STOP_ITERATION_AND_WATERMARK: u32 = 2;
const STOP_ITERATION_NO_BUFFER: u32 = 3;

#[rustfmt::skip]
unsafe extern "C" {
    fn envoy_dynamic_module_callback_log(level: u32, message: Buffer);
    fn envoy_dynamic_module_callback_log_enabled(level: u32) -> bool;
    fn envoy_dynamic_module_callback_http_filter_config_define_counter(config: *mut c_void, name: Buffer, labels: *const Buffer, count: usize, number: *mut MetricNumber) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_gauge(config: *mut c_void, name: Buffer, labels: *const Buffer, count: usize, number: *mut MetricNumber) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_histogram(config: *mut c_void, name: Buffer, labels: *const Buffer, count: usize, number: *mut MetricNumber) -> u32;
    fn envoy_dynamic_module_callback_http_filter_increment_counter(stream: *mut c_void, number: MetricNumber, labels: *const Buffer, count: usize, value: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_increment_gauge(stream: *mut c_void, number: MetricNumber, labels: *const Buffer, count: usize, value: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_decrement_gauge(stream: *mut c_void, number: MetricNumber, labels: *const Buffer, count: usize, value: u64) -> u32;
    fn envoy_dynamic_module_callback_http_filter_record_histogram_value(stream: *mut c_void, number: MetricNumber, labels: *const Buffer, count: usize, value: u64) -> u32;
    fn envoy_dynamic_module_callback_http_get_headers_size(stream: *mut c_void, map: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_headers(stream: *mut c_void, map: u32, into: *mut HeaderPair) -> bool;
    fn envoy_dynamic_module_callback_http_set_header(stream: *mut c_void, map: u32, name: Buffer, value: Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_clear_route_cache(stream: *mut c_void);
    fn envoy_dynamic_module_callback_http_get_body_size(stream: *mut c_void, body: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_body_chunks_size(stream: *mut c_void, body: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_body_chunks(stream: *mut c_void, body: u32, into: *mut Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_drain_body(stream: *mut c_void, body: u32, count: usize) -> bool;
    fn envoy_dynamic_module_callback_http_append_body(stream: *mut c_void, body: u32, bytes: Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_send_response(stream: *mut c_void, status: u32, headers: *const HeaderPair, count: usize, body: Buffer, details: Buffer);
    fn envoy_dynamic_module_callback_http_get_filter_state_bytes(stream: *mut c_void, name: Buffer, value: *mut Buffer) -> bool;
    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(stream: *mut c_void, name: Buffer, value: Buffer) -> bool;
}

impl Buffer {
    const NULL: Self = Self { pointer: null(), length: 0 };

    fn of(bytes: &[u8]) -> Self {
        Self { pointer: bytes.as_ptr(), length: bytes.len() }
    }

    /// # Safety
    /// A pointer that is not null leads to as many bytes as the length says.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.pointer.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: the caller's promise.
        unsafe { slice::from_raw_parts(self.pointer, self.length) }
    }
}

/// Whether Envoy logs what the module says at this level.
pub(super) fn logs(level: u32) -> bool {
    // SAFETY: no pointers are passed.
    unsafe { envoy_dynamic_module_callback_log_enabled(level) }
}

pub(super) fn log(level: u32, message: &str) {
    // SAFETY: Envoy reads the message during the call.
    unsafe { envoy_dynamic_module_callback_log(level, Buffer::of(message.as_bytes())) }
}

/// Envoy's side of a plugin, while the plugin is made.
#[derive(Debug)]
pub(super) struct EnvoyPlugin(*mut c_void);

impl EnvoyPlugin {
    /// Envoy's number for a metric.
    pub(super) fn define_metric(&self, kind: Kind, name: &str) -> Option<u32> {
        let define = match kind {
            Kind::Counter => envoy_dynamic_module_callback_http_filter_config_define_counter,
            Kind::Gauge => envoy_dynamic_module_callback_http_filter_config_define_gauge,
            Kind::Histogram => envoy_dynamic_module_callback_http_filter_config_define_histogram,
        };
        let mut number = 0;
        // SAFETY: the hook that makes a plugin has lent the pointer, and has not ended. Envoy reads the name, and writes the
        // number, during the call.
        let result = unsafe { define(self.0, Buffer::of(name.as_bytes()), null(), 0, &raw mut number) };
        (result == METRIC_SUCCESS).then(|| u32::try_from(number).ok()).flatten()
    }
}

/// Envoy's side of a stream. Once it is destroyed, nothing is there, and nothing happens.
#[derive(Debug)]
pub(super) struct EnvoyStream(Cell<*mut c_void>);

impl EnvoyStream {
    fn call<T: Default>(&self, call: impl FnOnce(*mut c_void) -> T) -> T {
        let stream = self.0.get();
        if stream.is_null() { T::default() } else { call(stream) }
    }

    /// Adds to a counter or gauge, or records in a histogram. Returns whether Envoy did.
    pub(super) fn record(&self, kind: Kind, number: u32, value: i64) -> bool {
        let record = match kind {
            Kind::Counter => envoy_dynamic_module_callback_http_filter_increment_counter,
            Kind::Gauge if value < 0 => envoy_dynamic_module_callback_http_filter_decrement_gauge,
            Kind::Gauge => envoy_dynamic_module_callback_http_filter_increment_gauge,
            Kind::Histogram => envoy_dynamic_module_callback_http_filter_record_histogram_value,
        };
        // SAFETY: `call` has a valid pointer.
        let result = self
            .call(|stream| Some(unsafe { record(stream, number as usize, null(), 0, value.unsigned_abs()) }));
        result == Some(METRIC_SUCCESS)
    }

    pub(super) fn headers(&self, direction: Direction) -> Vec<(String, Vec<u8>)> {
        self.call(|stream| {
            let empty = HeaderPair { name: Buffer::NULL, value: Buffer::NULL };
            // SAFETY: `call` has a valid pointer.
            let count =
                unsafe { envoy_dynamic_module_callback_http_get_headers_size(stream, number(direction)) };
            let mut pairs = vec![empty; count];
            // SAFETY: there is room for as many headers as Envoy has.
            let filled = unsafe {
                envoy_dynamic_module_callback_http_get_headers(stream, number(direction), pairs.as_mut_ptr())
            };
            pairs.truncate(if filled { count } else { 0 });
            // SAFETY: what Envoy lends is valid until this callback ends or writes, and is copied here.
            let copy = |pair: &HeaderPair| unsafe {
                (String::from_utf8_lossy(pair.name.bytes()).into_owned(), pair.value.bytes().to_vec())
            };
            pairs.iter().map(copy).collect()
        })
    }

    /// Gives a header this value and no other, or removes it.
    pub(super) fn set_header(&self, direction: Direction, name: &str, value: Option<&str>) {
        let value = value.map_or(Buffer::NULL, |value| Buffer::of(value.as_bytes()));
        let name = Buffer::of(name.as_bytes());
        // SAFETY: `call` has a valid pointer, and Envoy copies both texts.
        self.call(|stream| unsafe {
            envoy_dynamic_module_callback_http_set_header(stream, number(direction), name, value)
        });
    }

    /// Lets Envoy choose the route again, by the headers as they are now.
    pub(super) fn clear_route_cache(&self) {
        // SAFETY: `call` has a valid pointer.
        self.call(|stream| unsafe { envoy_dynamic_module_callback_http_clear_route_cache(stream) });
    }

    /// The part of a body that the callback is about.
    pub(super) fn chunk(&self, direction: Direction) -> Vec<u8> {
        self.call(|stream| {
            let body = number(direction);
            // SAFETY: `call` has a valid pointer.
            let count = unsafe { envoy_dynamic_module_callback_http_get_body_chunks_size(stream, body) };
            let mut slices = vec![Buffer::NULL; count];
            // SAFETY: there is room for as many slices as Envoy has.
            let filled = unsafe {
                envoy_dynamic_module_callback_http_get_body_chunks(stream, body, slices.as_mut_ptr())
            };
            slices.truncate(if filled { count } else { 0 });
            // SAFETY: what Envoy lends is valid until this callback ends or writes, and is copied here.
            let lent: Vec<&[u8]> = slices.iter().map(|slice| unsafe { slice.bytes() }).collect();
            lent.concat()
        })
    }

    /// Puts bytes in place of the callback's part of a body.
    pub(super) fn replace_chunk(&self, direction: Direction, bytes: &[u8]) {
        let body = number(direction);
        // SAFETY: `call` has a valid pointer, and Envoy copies the bytes.
        self.call(|stream| unsafe {
            let size = envoy_dynamic_module_callback_http_get_body_size(stream, body);
            let empty = size == 0 || envoy_dynamic_module_callback_http_drain_body(stream, body, size);
            if empty && !bytes.is_empty() {
                envoy_dynamic_module_callback_http_append_body(stream, body, Buffer::of(bytes));
            }
        });
    }

    /// Answers the client, or ends the stream if the client has the beginning of another answer.
    pub(super) fn respond(&self, reply: &LocalReply) {
        let pair = |(name, value): &(&str, String)| HeaderPair {
            name: Buffer::of(name.as_bytes()),
            value: Buffer::of(value.as_bytes()),
        };
        let headers: Vec<_> = reply.headers.iter().map(pair).collect();
        let (status, body) = (u32::from(reply.status), Buffer::of(&reply.body));
        // SAFETY: `call` has a valid pointer, and Envoy copies headers and body. It may call hooks of this stream, even the
        // last one, before it returns: the pointer is not used after that, and the hook that is running owns the stream too.
        self.call(|stream| unsafe {
            let (headers, count) = (headers.as_ptr(), headers.len());
            envoy_dynamic_module_callback_http_send_response(
                stream,
                status,
                headers,
                count,
                body,
                Buffer::NULL,
            );
        });
    }

    /// Sets a filter state for the access log, unless it is set: Envoy takes a second value for a bug of its own. Another
    /// filter of this kind on the same stream may have set it.
    pub(super) fn set_filter_state(&self, name: &str, value: &str) {
        let (name, value) = (Buffer::of(name.as_bytes()), Buffer::of(value.as_bytes()));
        let mut present = Buffer::NULL;
        // SAFETY: `call` has a valid pointer, and Envoy copies both texts. What it finds is not looked at.
        self.call(|stream| unsafe {
            envoy_dynamic_module_callback_http_get_filter_state_bytes(stream, name, &raw mut present)
                || envoy_dynamic_module_callback_http_set_filter_state_bytes(stream, name, value)
        });
    }
}

/// Envoy's number for the headers of a message, and for the part of its body that a callback is about.
fn number(direction: Direction) -> u32 {
    match direction {
        Direction::Request => 0,
        Direction::Response => 2,
    }
}

/// # Safety
/// The pointer is null, or Envoy has it from [`envoy_dynamic_module_on_http_filter_new`] and has not given it back.
unsafe fn shared(stream: *const Stream) -> Option<Rc<Stream>> {
    if stream.is_null() {
        return None;
    }
    // SAFETY: the caller's promise. Envoy keeps its own count, and all of a stream's hooks run on one thread.
    unsafe {
        Rc::increment_strong_count(stream);
        Some(Rc::from_raw(stream))
    }
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const std::ffi::c_char {
    super::start();
    ABI_VERSION.as_ptr()
}

/// # Safety
/// Called by Envoy, on its main thread.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    envoy: *mut c_void,
    _name: Buffer,
    config: Buffer,
) -> *const Plugin {
    // SAFETY: Envoy lends the text until this hook ends.
    let plugin = Plugin::new(&EnvoyPlugin(envoy), unsafe { config.bytes() });
    plugin.map_or(null(), |plugin| Box::into_raw(Box::new(plugin)))
}

/// # Safety
/// Called by Envoy, when no stream needs the plugin any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(plugin: *mut Plugin) {
    if !plugin.is_null() {
        // SAFETY: it is what the hook before has returned, and this is its end.
        drop(unsafe { Box::from_raw(plugin) });
    }
}

/// # Safety
/// Called by Envoy, on the thread that all of the stream's hooks run on.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    plugin: *const Plugin,
    envoy: *mut c_void,
) -> *const Stream {
    // SAFETY: it is null, or a plugin that outlives the stream; plugins are shared by threads.
    let Some(plugin) = (unsafe { plugin.as_ref() }) else { return null() };
    let stream = Stream::new(plugin, Rc::new(EnvoyStream(Cell::new(envoy))));
    stream.map_or(null(), |stream| Rc::into_raw(Rc::new(stream)))
}

/// # Safety
/// Called by Envoy: the last of a stream's hooks, perhaps while another is running.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(stream: *const Stream) {
    if !stream.is_null() {
        // SAFETY: it is what the hook that made it has returned; a hook that is running has its own count.
        let stream = unsafe { Rc::from_raw(stream) };
        stream.envoy.0.set(null_mut());
        caught(|| drop(stream));
    }
}

/// The module has no stream, because it could not be made. Nothing may go upstream untranslated.
fn without_stream(envoy: *mut c_void, direction: Direction) -> Next {
    if direction == Direction::Response {
        return Next::Continue;
    }
    caught(|| EnvoyStream(Cell::new(envoy)).respond(&LocalReply::from(&ApiError::internal())));
    Next::Answered
}

/// Hooks that are given a stream and return a status: one that stops the message, or one that lets it wait for the store. Only
/// in the second does Envoy make its own buffer for the body, and its limit does not end the stream.
macro_rules! status_hooks {
    ($($hook:ident($($end:ident: $bool:ty)?) $method:ident($direction:ident) else $stopped:ident or $waits:ident;)*) => {$(
        /// # Safety
        /// Called by Envoy.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $hook(envoy: *mut c_void, stream: *const Stream, $($end: $bool)?) -> u32 {
            // SAFETY: Envoy passes the stream that it was given, or null if there is none.
            let next = match unsafe { shared(stream) } {
                Some(stream) => stream.$method(Direction::$direction, $($end)?),
                None => without_stream(envoy, Direction::$direction),
            };
            match next {
                Next::Continue => CONTINUE,
                Next::Hold | Next::Answered => $stopped,
                Next::Wait => $waits,
            }
        }
    )*};
}

status_hooks! {
    envoy_dynamic_module_on_http_filter_request_headers(end: bool) headers(Request) else STOP_ITERATION or STOP_ITERATION;
    envoy_dynamic_module_on_http_filter_request_body(end: bool) body(Request) else STOP_ITERATION_NO_BUFFER or STOP_ITERATION_AND_WATERMARK;
    envoy_dynamic_module_on_http_filter_request_trailers() trailers(Request) else STOP_ITERATION or STOP_ITERATION;
    envoy_dynamic_module_on_http_filter_response_headers(end: bool) headers(Response) else STOP_ITERATION or STOP_ITERATION;
    envoy_dynamic_module_on_http_filter_response_body(end: bool) body(Response) else STOP_ITERATION_NO_BUFFER or STOP_ITERATION_AND_WATERMARK;
    envoy_dynamic_module_on_http_filter_response_trailers() trailers(Response) else STOP_ITERATION or STOP_ITERATION;
}

/// # Safety
/// Called by Envoy, in time for its access log.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(
    _envoy: *mut c_void,
    stream: *const Stream,
) {
    // SAFETY: Envoy passes the stream that it was given, or null if there is none.
    if let Some(stream) = unsafe { shared(stream) } {
        stream.complete();
    }
}
