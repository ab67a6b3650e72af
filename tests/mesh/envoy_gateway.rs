//! Translates Envoy Gateway's manifests to Envoy's configuration, as its controller does.

use crate::envoy_config::{
    WASM, any_port, bootstrap, cluster, fetched, listener, merge, socket, string_value, tls,
};
use crate::gateway_api;
use crate::manifest::{Manifest, array, assert_only, kind, name, namespace};
use crate::world::{PROVIDER, World};
use serde_json::{Value, json};

pub fn envoy(manifest: &Manifest, world: &World) -> Value {
    let filters: Vec<Value> = manifest.all("EnvoyExtensionPolicy").map(wasm_filter).collect();
    let mut hosts = gateway_api::virtual_hosts(manifest.all("HTTPRoute"), cluster_name);
    for (host, route) in hosts.iter_mut().zip(manifest.all("HTTPRoute")) {
        // Filters are disabled, and enabled by the routes.
        let on = json!({filter_name(policy_of(manifest, route)): {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}
        }});
        let routes = host["routes"].as_array_mut().unwrap();
        routes.iter_mut().for_each(|each| each["typed_per_filter_config"] = on.clone());
    }
    // The name that patches refer to.
    let gateway = manifest.all("Gateway").next().unwrap();
    let listener_name = format!(
        "{}/{}/{}",
        namespace(gateway),
        name(gateway),
        gateway["spec"]["listeners"][0]["name"].as_str().unwrap()
    );
    let mut listener =
        listener(&listener_name, &any_port(), &connection_manager(manifest), &filters, &json!(hosts));
    let limit = &manifest.all("ClientTrafficPolicy").next().unwrap()["spec"]["connection"]["bufferLimit"];
    let mebibytes = limit.as_str().unwrap().strip_suffix("Mi").unwrap();
    listener["per_connection_buffer_limit_bytes"] = json!(mebibytes.parse::<u64>().unwrap() << 20);
    patch(manifest, &mut listener);

    let mut clusters =
        vec![cluster("vllm", &socket(world.vllm.address())), world.behind(PROVIDER, &world.provider)];
    clusters.extend(manifest.all("Backend").map(|backend| external(manifest, backend, world)));
    let mut envoy = bootstrap(&[listener, world.server(PROVIDER, false)], &clusters);
    envoy["static_resources"]["secrets"] = manifest
        .all("Secret")
        .map(|secret| {
            let credential = &secret["stringData"]["credential"];
            json!({"name": name(secret), "generic_secret": {"secret": {"inline_string": credential}}})
        })
        .collect();
    merge(&mut envoy, &bootstrap_patch(manifest));
    world.mounted(&envoy)
}

/// What the Gateway's EnvoyProxy adds to the bootstrap.
pub fn bootstrap_patch(manifest: &Manifest) -> Value {
    let gateway = manifest.all("Gateway").next().unwrap();
    let proxy = gateway["spec"]["infrastructure"]["parametersRef"]["name"].as_str().unwrap();
    let bootstrap = &manifest.find("EnvoyProxy", proxy).unwrap()["spec"]["bootstrap"];
    assert_eq!(bootstrap["type"], "Merge");
    serde_yaml_ng::from_str(bootstrap["value"].as_str().unwrap()).unwrap()
}

fn connection_manager(manifest: &Manifest) -> Value {
    let policy = manifest.all("ClientTrafficPolicy").next().unwrap();
    assert_only(&policy["spec"], &["targetRefs", "connection", "timeout"]);
    assert_eq!(policy["spec"]["timeout"]["http"]["streamIdleTimeout"], "1h");
    json!({"stream_idle_timeout": "3600s"})
}

/// The policy for the route, otherwise the one for the Gateway.
fn policy_of<'a>(manifest: &'a Manifest, route: &Value) -> &'a Value {
    let targets = |of_kind: &str, named: &str| {
        manifest.all("EnvoyExtensionPolicy").find(|policy| {
            let mut targets = array(&policy["spec"]["targetRefs"]).iter();
            targets.any(|target| kind(target) == of_kind && target["name"] == named)
        })
    };
    let parent = route["spec"]["parentRefs"][0]["name"].as_str().unwrap();
    targets("HTTPRoute", name(route)).or_else(|| targets("Gateway", parent)).unwrap()
}

fn filter_name(policy: &Value) -> String {
    format!("envoy.filters.http.wasm/envoyextensionpolicy/{}/{}/wasm/0", namespace(policy), name(policy))
}

fn wasm_filter(policy: &Value) -> Value {
    let [wasm] = array(&policy["spec"]["wasm"]) else { panic!("one module: {policy}") };
    assert_only(wasm, &["name", "code", "config"]);
    json!({"name": filter_name(policy), "disabled": true, "typed_config": {"@type": WASM, "config": {
        "name": wasm["name"],
        "configuration": string_value(&wasm["config"].to_string()),
        "vm_config": {
            "vm_id": filter_name(policy), "runtime": "envoy.wasm.runtime.v8", "code": fetched(&wasm["code"]["image"]["url"])
        }
    }}})
}

fn cluster_name(backend: &Value) -> String {
    backend["name"].as_str().unwrap().to_owned()
}

/// A Backend with its BackendTLSPolicy, and the filter of the route to it.
fn external(manifest: &Manifest, backend: &Value, world: &World) -> Value {
    let host = &backend["spec"]["endpoints"][0]["fqdn"]["hostname"];
    let policy = manifest.find("BackendTLSPolicy", name(backend)).unwrap();
    let validation = &policy["spec"]["validation"];
    assert_eq!(validation["wellKnownCACertificates"], "System");
    assert_eq!(&validation["hostname"], host);
    let mut cluster = cluster(name(backend), &world.address_of(PROVIDER));
    cluster["transport_socket"] = tls(&json!({
        "sni": validation["hostname"],
        "common_tls_context": {"validation_context": {
            "trusted_ca": {"filename": "/etc/ssl/certs/ca-certificates.crt"},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": validation["hostname"]}}]
        }}
    }));
    cluster["typed_extension_protocol_options"] = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": [credential_injector(manifest, backend), {"name": "envoy.filters.http.upstream_codec", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
        }}]
    }});
    cluster
}

fn credential_injector(manifest: &Manifest, backend: &Value) -> Value {
    let rules = manifest.all("HTTPRoute").flat_map(|route| array(&route["spec"]["rules"]));
    let mut references = rules.flat_map(|rule| array(&rule["backendRefs"]));
    let reference = references.find(|reference| reference["name"] == name(backend)).unwrap();
    let [filter] = array(&reference["filters"]) else { panic!("one filter: {reference}") };
    let filter = manifest.find("HTTPRouteFilter", filter["extensionRef"]["name"].as_str().unwrap()).unwrap();
    let injection = &filter["spec"]["credentialInjection"];
    json!({"name": "envoy.filters.http.credential_injector", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
        "overwrite": injection["overwrite"],
        "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
            "header": injection["header"],
            "credential": {"name": injection["credential"]["valueRef"]["name"]}
        }}
    }})
}

/// Envoy Gateway sends the routes as a separate resource. Here they are part of the listener.
fn patch(manifest: &Manifest, listener: &mut Value) {
    let patches = manifest.all("EnvoyPatchPolicy").flat_map(|policy| array(&policy["spec"]["jsonPatches"]));
    for patch in patches {
        assert_eq!(patch["name"], listener["name"], "Envoy Gateway has no such resource");
        let document = match patch["type"].as_str().unwrap() {
            "type.googleapis.com/envoy.config.listener.v3.Listener" => &mut *listener,
            "type.googleapis.com/envoy.config.route.v3.RouteConfiguration" => {
                listener.pointer_mut("/filter_chains/0/filters/0/typed_config/route_config").unwrap()
            }
            other => panic!("nothing translates {other}"),
        };
        let operation = &patch["operation"];
        let path = serde_json_path::JsonPath::parse(operation["jsonPath"].as_str().unwrap()).unwrap();
        let found: Vec<String> =
            path.query_located(document).locations().map(|at| at.to_json_pointer()).collect();
        assert!(!found.is_empty(), "nothing is at {}", operation["jsonPath"]);
        for pointer in found {
            let path = format!("{pointer}/{}", operation["path"].as_str().unwrap());
            let step = json!([{"op": operation["op"], "path": path, "value": operation["value"]}]);
            let step: json_patch::Patch = serde_json::from_value(step).unwrap();
            json_patch::patch(document, &step).unwrap();
        }
    }
}
