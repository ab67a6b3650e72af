//! The Envoys with one worker that differ in their filter, and their configuration.

use crate::known::{BEFORE, CALLS, ENVOY, HELD, NATIVE, NOTHING, SAME_REPLY, WASM};
use crate::target::{Target, free_port};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The filter of an Envoy. A module is named by the environment variable with its path.
#[derive(Clone, Copy)]
pub enum Filter {
    None,
    Wasm {
        module: &'static str,
        held: bool,
    },
    /// Transponder's module with the store in Envoy's memory.
    Stored,
    Native {
        module: &'static str,
    },
}

/// In the order in which they are measured.
pub const ENVOYS: &[(&str, Filter)] = &[
    (ENVOY, Filter::None),
    (SAME_REPLY, Filter::None),
    (NOTHING, Filter::Wasm { module: "BENCH_PASSTHROUGH", held: false }),
    (CALLS, Filter::Wasm { module: "BENCH_HOST_CALLS", held: false }),
    (WASM, Filter::Wasm { module: "TRANSPONDER_WASM", held: false }),
    (HELD, Filter::Wasm { module: "TRANSPONDER_WASM", held: true }),
    (NATIVE, Filter::Native { module: "TRANSPONDER_MODULE" }),
    (BEFORE, Filter::Wasm { module: "BENCH_BEFORE_WASM", held: false }),
];

impl Filter {
    fn module(self) -> Option<PathBuf> {
        let variable = match self {
            Self::None => return None,
            Self::Stored => "TRANSPONDER_WASM",
            Self::Wasm { module, .. } | Self::Native { module } => module,
        };
        let path = std::env::var_os(variable).unwrap_or_else(|| panic!("{variable}: `make bench` sets it"));
        Some(path.into())
    }

    pub fn module_bytes(self) -> Option<u64> {
        std::fs::metadata(self.module()?).ok().map(|file| file.len())
    }

    fn config(self) -> Option<Value> {
        let text = |value: Value| json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value.to_string()});
        let wasm = |held: bool, plugin: Value| {
            json!({"name": "wasm", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {
                    "name": "wasm", "allow_on_headers_stop_iteration": held,
                    "configuration": text(plugin),
                    "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": self.module()}}}
                }
            }})
        };
        match self {
            Self::None => None,
            Self::Wasm { held, .. } => Some(wasm(held, json!({"hold_request_headers": held}))),
            Self::Stored => Some(wasm(false, json!({"store": "memory"}))),
            Self::Native { .. } => Some(json!({"name": "native", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
                "dynamic_module_config": {"name": "transponder", "metrics_namespace": "wasmcustom"},
                "filter_name": "transponder",
                "filter_config": text(json!({}))
            }})),
        }
    }
}

/// Starts one. `http2`: HTTP/2 to the upstream, so that many streams need few sockets.
pub async fn start(
    (name, filter): (&'static str, Filter),
    upstream: SocketAddr,
    http2: bool,
    files: &Path,
) -> Target {
    let (address, admin) = (free_port(), free_port());
    let path = |ending: &str| files.join(format!("{}-{http2}.{ending}", name.replace([' ', ','], "-")));
    std::fs::write(path("json"), config(filter, address, admin, upstream, http2).to_string())
        .expect("Envoy's configuration");
    let envoy = std::env::var_os("TRANSPONDER_ENVOY").expect("TRANSPONDER_ENVOY: `make bench` sets it");
    let mut command = Command::new(envoy);
    command.arg("-c").arg(path("json")).args(["--concurrency", "1", "--disable-hot-restart"]);
    command.args(["--log-level", "error"]);
    if let (Filter::Native { .. }, Some(module)) = (filter, filter.module()) {
        command.env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", module.parent().expect("a directory"));
    }
    Target::start(name, address, (admin, "/ready"), &mut command, &path("log"))
        .await
        .unwrap_or_else(|why| panic!("{why}"))
}

fn config(filter: Filter, listen: SocketAddr, admin: SocketAddr, upstream: SocketAddr, http2: bool) -> Value {
    let mut filters: Vec<Value> = filter.config().into_iter().collect();
    filters.push(json!({"name": "router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}));
    let many = 100_000;
    let mut cluster = json!({
        "name": "upstream", "type": "STATIC", "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [
            {"max_connections": many, "max_pending_requests": many, "max_requests": many}]},
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket(upstream)}}]}]}
    });
    if http2 {
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 100}}
            }
        });
    }
    json!({
        "admin": {"address": socket(admin)},
        "static_resources": {
            "listeners": [{"name": "clients", "address": socket(listen), "filter_chains": [{"filters": [{
                "name": "http", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "http",
                    "route_config": {"virtual_hosts": [{
                        "name": "all", "domains": ["*"], "request_body_buffer_limit": 128 << 20,
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}]
                    }]},
                    "http_filters": filters
                }
            }]}]}],
            "clusters": [cluster]
        }
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
