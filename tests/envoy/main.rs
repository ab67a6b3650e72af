//! The filter in a real Envoy, without Codex: bodies and headers, sizes and ends, in both header modes and natively.
//!
//! The filter depends on what Envoy really does. Each such fact has a test that fails
//! when the filter ignores it:
//!
//! | fact | test |
//! |---|---|
//! | Holding the headers holds the body too, unless a setting of Envoy changes it. | `requests::held_headers_without_the_envoy_setting_are_delayed_but_never_hang` |
//! | Some control planes cannot change that setting. | every test runs in both header modes |
//! | A body that is held goes through a buffer of 1 MiB, one that is passed on does not. | `requests::sixty_megabytes_pass_under_envoys_default_buffer_limits`, `replies::a_long_document_passes_whole` |
//! | The SDK panics on a header, body or trailer out of its window. | `life::*`: no end of a stream traps |
//! | The default after a trap is 503 for good. | `trust::a_new_vm_serves_the_next_request_after_a_trap` |
//! | Local replies come back through our own callbacks. | `life::another_filters_answer_gets_the_apis_shape`, `refusals::*` |
//! | The end may come in trailers only. | `life::a_stream_ends_well_however_the_upstream_ends_it`, `life::an_end_that_only_trailers_show_is_counted` |
//! | To hold a chunk before a decompressor's trailers is to hang. | `hops::a_decompressor_before_the_filter_does_not_hide_the_end` |
//! | A wrong length makes two requests of one. | `trust::no_length_lets_one_request_become_two`, `requests::requests_on_one_connection_never_mix` |
//! | A chunk that is replaced goes on at once. | `replies::deltas_arrive_one_for_one` |

mod adapters;
mod buffer_limits;
mod crossings;
mod endpoint_picker;
mod filter_order;
mod find_preset;
mod fleet;
mod grpc;
mod gzip;
mod hops;
mod life;
mod orders;
mod picker;
mod quick_start;
mod raw_upstream;
mod refusals;
mod replies;
mod requests;
mod run;
mod state;
mod trust;
mod two_upstreams;
mod versions;

use support::Headers;

/// A plugin configuration for a header mode. The native module holds the headers whatever it says.
fn config(headers: Headers, more: serde_json::Value) -> String {
    let mut config = more;
    config["hold_request_headers"] = serde_json::json!(headers == Headers::Held);
    config.to_string()
}
