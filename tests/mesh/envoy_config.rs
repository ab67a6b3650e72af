//! Parts of Envoy's configuration.

use serde_json::{Value, json};

pub const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// A listener with a connection manager, which gets `more`, the filters and the router.
pub fn listener(
    name: &str,
    address: &Value,
    more: &Value,
    filters: &[Value],
    virtual_hosts: &Value,
) -> Value {
    let router = json!({"name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    }});
    let filters = [filters, &[router]].concat();
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "http_filters": filters,
        "route_config": {"name": name, "virtual_hosts": virtual_hosts}
    });
    merge(&mut manager, more);
    json!({"name": name, "address": address, "filter_chains": [
        {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    ]})
}

pub fn cluster(name: &str, address: &Value) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}
    })
}

pub fn any_port() -> Value {
    support::socket("127.0.0.1:0".parse().unwrap())
}

pub fn tls(context: &Value) -> Value {
    let mut context = context.clone();
    context["@type"] =
        json!("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");
    json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
}

/// Merges the second value into the first, recursively.
pub fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}
