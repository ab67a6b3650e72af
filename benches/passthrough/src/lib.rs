//! Reads each chunk of each body and writes the same bytes back.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Error);
    proxy_wasm::set_http_context(|_, _| Box::new(Passthrough));
}}

struct Passthrough;

impl Context for Passthrough {}

impl HttpContext for Passthrough {
    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        if let Some(body) = self.get_http_request_body(0, size).filter(|body| !body.is_empty()) {
            self.set_http_request_body(0, size, &body);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _: bool) -> Action {
        if let Some(body) = self.get_http_response_body(0, size).filter(|body| !body.is_empty()) {
            self.set_http_response_body(0, size, &body);
        }
        Action::Continue
    }
}
