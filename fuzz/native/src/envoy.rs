//! A stand-in for Envoy: the functions that the module calls, and the hooks in the order in which Envoy calls them.

use fastrand::Rng;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

thread_local!(static CASE: Cell<u64> = const { Cell::new(0) });

pub fn set_case(number: u64) {
    CASE.set(number);
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Buffer {
    pointer: *const u8,
    length: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    name: Buffer,
    value: Buffer,
}

/// A module may lend and take no bytes in two ways: as a null pointer, or as one to nothing.
fn lent(bytes: &[u8]) -> Buffer {
    let pointer = if bytes.is_empty() { null() } else { bytes.as_ptr() };
    Buffer { pointer, length: bytes.len() }
}

/// # Safety
/// The module lends these bytes.
unsafe fn taken(buffer: Buffer) -> Vec<u8> {
    if buffer.pointer.is_null() {
        assert_eq!(buffer.length, 0, "case {}: a null pointer to bytes", CASE.get());
        return Vec::new();
    }
    // SAFETY: the caller's promise; AddressSanitizer checks it.
    unsafe { std::slice::from_raw_parts(buffer.pointer, buffer.length) }.to_vec()
}

/// How many metrics were defined.
#[derive(Default)]
pub struct Metrics(Cell<usize>);

pub struct Plugin(*const c_void);

impl Plugin {
    pub fn new(metrics: &Metrics, config: &[u8]) -> Option<Self> {
        // The text is freed as soon as the hook has ended.
        let text = config.to_vec();
        // SAFETY: the hook's arguments are as in Envoy.
        let plugin = unsafe {
            let version = envoy_dynamic_module_on_program_init();
            assert_eq!(CStr::from_ptr(version), c"v0.2.0");
            let envoy = std::ptr::from_ref(metrics).cast_mut().cast();
            envoy_dynamic_module_on_http_filter_config_new(envoy, lent(b"transponder"), lent(&text))
        };
        (!plugin.is_null()).then_some(Self(plugin))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // SAFETY: no stream uses it any more.
        unsafe { envoy_dynamic_module_on_http_filter_config_destroy(self.0) };
    }
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// Envoy's side of a stream.
pub struct Envoy<'a> {
    plugin: &'a Plugin,
    rng: RefCell<Rng>,
    /// Of the request and of the response.
    headers: [RefCell<Headers>; 2],
    /// The chunk of the callback at hand, in slices.
    chunk: RefCell<Option<Vec<Vec<u8>>>>,
    state: RefCell<Vec<Vec<u8>>>,
    module: Cell<*const c_void>,
    answered: Cell<bool>,
    running: Cell<usize>,
}

impl<'a> Envoy<'a> {
    pub fn new(plugin: &'a Plugin, rng: Rng) -> Box<Self> {
        let envoy = Box::new(Self {
            plugin,
            rng: RefCell::new(rng),
            headers: Default::default(),
            chunk: RefCell::default(),
            state: RefCell::default(),
            module: Cell::new(null()),
            answered: Cell::new(false),
            running: Cell::new(0),
        });
        // SAFETY: the stream stays where it is until its end.
        let module = unsafe { envoy_dynamic_module_on_http_filter_new(plugin.0, envoy.pointer()) };
        assert!(!module.is_null() && !envoy.plugin.0.is_null());
        envoy.module.set(module);
        envoy
    }

    fn pointer(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn luck(&self, of: u8) -> bool {
        self.rng.borrow_mut().u8(..of) == 0
    }

    /// Whether there is nothing more to say to the module.
    fn over(&self) -> bool {
        self.module.get().is_null()
    }

    pub fn request(&mut self, headers: Headers, pieces: Vec<Vec<Vec<u8>>>, trailers: bool) {
        *self.headers[0].borrow_mut() = headers;
        self.message(
            pieces,
            trailers,
            Hooks {
                headers: envoy_dynamic_module_on_http_filter_request_headers,
                body: envoy_dynamic_module_on_http_filter_request_body,
                trailers: envoy_dynamic_module_on_http_filter_request_trailers,
            },
        );
    }

    pub fn response(&mut self, headers: Headers, pieces: Vec<Vec<Vec<u8>>>, trailers: bool) {
        if self.answered.get() {
            return;
        }
        *self.headers[1].borrow_mut() = headers;
        self.message(
            pieces,
            trailers,
            Hooks {
                headers: envoy_dynamic_module_on_http_filter_response_headers,
                body: envoy_dynamic_module_on_http_filter_response_body,
                trailers: envoy_dynamic_module_on_http_filter_response_trailers,
            },
        );
    }

    fn message(&self, pieces: Vec<Vec<Vec<u8>>>, trailers: bool, hooks: Hooks) {
        let end = pieces.is_empty() && !trailers;
        // SAFETY: the arguments are Envoy's.
        self.hook(|stream, module| unsafe { (hooks.headers)(stream, module, end) });
        let last = pieces.len();
        for (at, piece) in pieces.into_iter().enumerate() {
            *self.chunk.borrow_mut() = Some(piece);
            let end = at + 1 == last && !trailers;
            // SAFETY: the arguments are Envoy's.
            self.hook(|stream, module| unsafe { (hooks.body)(stream, module, end) });
            *self.chunk.borrow_mut() = None;
            if self.luck(40) {
                self.destroy();
            }
        }
        if trailers {
            // SAFETY: the arguments are Envoy's.
            self.hook(|stream, module| unsafe { (hooks.trailers)(stream, module) });
        }
    }

    fn hook(&self, run: impl FnOnce(*mut c_void, *const c_void) -> u32) {
        if self.over() || self.answered.get() {
            return;
        }
        self.running.set(self.running.get() + 1);
        let status = run(self.pointer(), self.module.get());
        self.running.set(self.running.get() - 1);
        assert!((0..4).contains(&status), "case {}: status {status}", CASE.get());
    }

    fn destroy(&self) {
        if !self.over() {
            let module = self.module.replace(null());
            // SAFETY: it is the module's, and given back once.
            unsafe {
                envoy_dynamic_module_on_http_filter_stream_complete(self.pointer(), module);
                envoy_dynamic_module_on_http_filter_destroy(module);
            }
        }
        // Envoy may still call for a stream that has no module any more.
        // SAFETY: without a module there is nothing to look at.
        unsafe { envoy_dynamic_module_on_http_filter_stream_complete(self.pointer(), null()) };
    }

    pub fn end(&self) {
        self.destroy();
        assert_eq!(self.running.get(), 0);
    }
}

struct Hooks {
    headers: unsafe extern "C" fn(*mut c_void, *const c_void, bool) -> u32,
    body: unsafe extern "C" fn(*mut c_void, *const c_void, bool) -> u32,
    trailers: unsafe extern "C" fn(*mut c_void, *const c_void) -> u32,
}

unsafe extern "C" {
    fn envoy_dynamic_module_on_program_init() -> *const c_char;
    fn envoy_dynamic_module_on_http_filter_config_new(
        envoy: *mut c_void,
        name: Buffer,
        config: Buffer,
    ) -> *const c_void;
    fn envoy_dynamic_module_on_http_filter_config_destroy(plugin: *const c_void);
    fn envoy_dynamic_module_on_http_filter_http_callout_done(
        envoy: *mut c_void,
        stream: *const c_void,
        callout: u64,
        result: u32,
        headers: *const Pair,
        header_count: usize,
        chunks: *const Buffer,
        chunk_count: usize,
    );
    fn envoy_dynamic_module_on_http_filter_new(plugin: *const c_void, envoy: *mut c_void) -> *const c_void;
    fn envoy_dynamic_module_on_http_filter_destroy(module: *const c_void);
    fn envoy_dynamic_module_on_http_filter_stream_complete(envoy: *mut c_void, module: *const c_void);
    fn envoy_dynamic_module_on_http_filter_request_headers(
        envoy: *mut c_void,
        module: *const c_void,
        end: bool,
    ) -> u32;
    fn envoy_dynamic_module_on_http_filter_request_body(
        envoy: *mut c_void,
        module: *const c_void,
        end: bool,
    ) -> u32;
    fn envoy_dynamic_module_on_http_filter_request_trailers(envoy: *mut c_void, module: *const c_void)
    -> u32;
    fn envoy_dynamic_module_on_http_filter_response_headers(
        envoy: *mut c_void,
        module: *const c_void,
        end: bool,
    ) -> u32;
    fn envoy_dynamic_module_on_http_filter_response_body(
        envoy: *mut c_void,
        module: *const c_void,
        end: bool,
    ) -> u32;
    fn envoy_dynamic_module_on_http_filter_response_trailers(
        envoy: *mut c_void,
        module: *const c_void,
    ) -> u32;
}

// The functions of Envoy that the module calls.

/// # Safety
/// The module passes what it was given.
unsafe fn stream<'a>(pointer: *mut c_void) -> &'a Envoy<'a> {
    assert!(!pointer.is_null(), "case {}: no stream", CASE.get());
    // SAFETY: the caller's promise; AddressSanitizer checks it.
    unsafe { &*pointer.cast() }
}

fn side(number: u32) -> usize {
    match number {
        0 => 0,
        2 => 1,
        other => panic!("case {}: {other} is no headers or body", CASE.get()),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_log(level: u32, message: Buffer) {
    // SAFETY: the module lends the message.
    let message = unsafe { taken(message) };
    assert!(level < 5 && std::str::from_utf8(&message).is_ok());
}

#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_callback_log_enabled(level: u32) -> bool {
    level > 0
}

macro_rules! define {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(metrics: *mut c_void, name: Buffer, _: *const Buffer, count: usize, number: *mut usize) -> u32 {
            // SAFETY: the module passes what it was given.
            unsafe {
                assert!(count == 0 && taken(name).windows(12).any(|part| part == b"transponder_"));
                let metrics: &Metrics = &*metrics.cast();
                metrics.0.set(metrics.0.get() + 1);
                *number = metrics.0.get();
            }
            // A few metrics cannot be defined.
            u32::from(CASE.get() % 7 == 3)
        }
    )*};
}

define! {
    envoy_dynamic_module_callback_http_filter_config_define_counter
    envoy_dynamic_module_callback_http_filter_config_define_gauge
    envoy_dynamic_module_callback_http_filter_config_define_histogram
}

macro_rules! record {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(envoy: *mut c_void, number: usize, _: *const Buffer, count: usize, _: u64) -> u32 {
            // SAFETY: the module passes what it was given.
            unsafe { stream(envoy) };
            assert!(number > 0 && count == 0);
            0
        }
    )*};
}

record! {
    envoy_dynamic_module_callback_http_filter_increment_counter
    envoy_dynamic_module_callback_http_filter_increment_gauge
    envoy_dynamic_module_callback_http_filter_decrement_gauge
    envoy_dynamic_module_callback_http_filter_record_histogram_value
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_headers_size(
    envoy: *mut c_void,
    map: u32,
) -> usize {
    // SAFETY: the module passes what it was given.
    unsafe { stream(envoy) }.headers[side(map)].borrow().len()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_headers(
    envoy: *mut c_void,
    map: u32,
    into: *mut Pair,
) -> bool {
    // SAFETY: the module passes what it was given, and room for all headers.
    unsafe {
        let envoy = stream(envoy);
        if envoy.luck(30) {
            return false;
        }
        for (at, (name, value)) in envoy.headers[side(map)].borrow().iter().enumerate() {
            into.add(at).write(Pair { name: lent(name), value: lent(value) });
        }
    }
    true
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_set_header(
    envoy: *mut c_void,
    map: u32,
    name: Buffer,
    value: Buffer,
) -> bool {
    // SAFETY: the module passes what it was given, and lends both texts.
    let (envoy, name, removed, value) =
        unsafe { (stream(envoy), taken(name), value.pointer.is_null(), taken(value)) };
    let mut headers = envoy.headers[side(map)].borrow_mut();
    headers.retain(|(other, _)| *other != name);
    if !removed {
        headers.push((name, value));
    }
    true
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_clear_route_cache(envoy: *mut c_void) {
    // SAFETY: the module passes what it was given.
    unsafe { stream(envoy) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_body_size(
    envoy: *mut c_void,
    body: u32,
) -> usize {
    side(body);
    // SAFETY: the module passes what it was given.
    unsafe { stream(envoy) }.chunk.borrow().iter().flatten().map(Vec::len).sum()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_body_chunks_size(
    envoy: *mut c_void,
    body: u32,
) -> usize {
    side(body);
    // SAFETY: the module passes what it was given.
    unsafe { stream(envoy) }.chunk.borrow().as_ref().map_or(0, Vec::len)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_body_chunks(
    envoy: *mut c_void,
    _: u32,
    into: *mut Buffer,
) -> bool {
    // SAFETY: the module passes what it was given, and room for all slices.
    unsafe {
        for (at, slice) in stream(envoy).chunk.borrow().iter().flatten().enumerate() {
            into.add(at).write(lent(slice));
        }
        stream(envoy).chunk.borrow().is_some()
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_drain_body(
    envoy: *mut c_void,
    _: u32,
    _: usize,
) -> bool {
    // SAFETY: the module passes what it was given.
    let mut chunk = unsafe { stream(envoy) }.chunk.borrow_mut();
    chunk.as_mut().map(Vec::clear).is_some()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_append_body(
    envoy: *mut c_void,
    _: u32,
    bytes: Buffer,
) -> bool {
    // SAFETY: the module passes what it was given, and lends the bytes.
    let (envoy, bytes) = unsafe { (stream(envoy), taken(bytes)) };
    envoy.chunk.borrow_mut().as_mut().map(|chunk| chunk.push(bytes)).is_some()
}

/// Envoy refuses some requests, answers some before this call returns and says that it has not sent them, and never answers
/// the others, because their streams end first.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_http_callout(
    envoy: *mut c_void,
    callout: *mut u64,
    cluster: Buffer,
    headers: *const Pair,
    count: usize,
    body: Buffer,
    _: u64,
) -> u32 {
    // SAFETY: the module passes what it was given, room for a number, and lends the rest.
    let envoy = unsafe {
        for pair in std::slice::from_raw_parts(headers, count) {
            assert!(!taken(pair.name).is_empty());
            taken(pair.value);
        }
        assert!(!taken(cluster).is_empty());
        taken(body);
        callout.write(7);
        stream(envoy)
    };
    if envoy.luck(3) {
        return 2;
    }
    if !envoy.luck(3) {
        return 0;
    }
    let (status, body) = (b":status", if envoy.luck(2) { &b"404"[..] } else { b"\xff" });
    let headers = [Pair { name: lent(status), value: lent(body) }];
    let chunks = [lent(b"{"), lent(b"")];
    let result = u32::from(envoy.luck(2));
    // SAFETY: the arguments are Envoy's, lent for the time of the call.
    unsafe {
        envoy_dynamic_module_on_http_filter_http_callout_done(
            envoy.pointer(),
            envoy.module.get(),
            7,
            result,
            headers.as_ptr(),
            headers.len(),
            chunks.as_ptr(),
            chunks.len(),
        );
    }
    4
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_continue_decoding(_: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_filter_continue_encoding(_: *mut c_void) {}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_send_response(
    envoy: *mut c_void,
    status: u32,
    headers: *const Pair,
    count: usize,
    body: Buffer,
    details: Buffer,
) {
    // SAFETY: the module passes what it was given, and lends headers, body and details.
    let (envoy, body) = unsafe {
        for pair in std::slice::from_raw_parts(headers, count) {
            assert!(!taken(pair.name).is_empty());
            taken(pair.value);
        }
        taken(details);
        (stream(envoy), taken(body))
    };
    assert!((200..600).contains(&status) && !body.is_empty());
    // The answer passes the hooks of the stream before this call returns, or the stream ends.
    if envoy.luck(3) {
        envoy.destroy();
    } else if envoy.luck(2) && !envoy.over() {
        let kept = envoy.chunk.replace(Some(vec![body]));
        // SAFETY: the arguments are Envoy's.
        unsafe {
            envoy_dynamic_module_on_http_filter_response_headers(envoy.pointer(), envoy.module.get(), false);
            envoy_dynamic_module_on_http_filter_response_body(envoy.pointer(), envoy.module.get(), true);
        }
        *envoy.chunk.borrow_mut() = kept;
    }
    envoy.answered.set(true);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_get_filter_state_bytes(
    envoy: *mut c_void,
    name: Buffer,
    value: *mut Buffer,
) -> bool {
    // SAFETY: the module passes what it was given, and room for the value.
    unsafe {
        let found = stream(envoy).state.borrow().contains(&taken(name));
        value.write(Buffer { pointer: null_mut(), length: 0 });
        found
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_callback_http_set_filter_state_bytes(
    envoy: *mut c_void,
    name: Buffer,
    value: Buffer,
) -> bool {
    // SAFETY: the module passes what it was given, and lends both texts.
    let (envoy, name) = unsafe {
        taken(value);
        (stream(envoy), taken(name))
    };
    assert!(
        !envoy.state.borrow().contains(&name),
        "case {}: set twice, which Envoy takes for a bug",
        CASE.get()
    );
    envoy.state.borrow_mut().push(name);
    true
}
