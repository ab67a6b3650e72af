//! Translates HTTPRoutes to Envoy's virtual hosts, in the way that all implementations of the Gateway API share.

use crate::manifest::{array, assert_only};
use serde_json::{Value, json};

/// `cluster` names the cluster of a `backendRef`.
pub fn virtual_hosts<'a>(
    routes: impl Iterator<Item = &'a Value>,
    cluster: impl Fn(&Value) -> String,
) -> Vec<Value> {
    routes
        .map(|route| {
            assert_only(&route["spec"], &["parentRefs", "hostnames", "rules"]);
            let domains = match array(&route["spec"]["hostnames"]) {
                [] => json!(["*"]),
                hostnames => json!(hostnames),
            };
            json!({"name": route["metadata"]["name"], "domains": domains, "routes": envoy_routes(route, &cluster)})
        })
        .collect()
}

/// The most specific match comes first; all paths here are equally long.
fn envoy_routes(route: &Value, cluster: &impl Fn(&Value) -> String) -> Vec<Value> {
    let mut rules: Vec<&Value> = array(&route["spec"]["rules"]).iter().collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(array(&rule["matches"][0]["headers"]).len()));
    rules.into_iter().map(|rule| envoy_route(rule, cluster)).collect()
}

fn envoy_route(rule: &Value, cluster: &impl Fn(&Value) -> String) -> Value {
    assert_only(rule, &["matches", "filters", "timeouts", "backendRefs"]);
    let [matches] = array(&rule["matches"]) else { panic!("one match: {rule}") };
    let [backend] = array(&rule["backendRefs"]) else { panic!("one backend: {rule}") };
    let mut route = json!({"match": envoy_match(matches), "route": {"cluster": cluster(backend)}});
    if let Some(timeout) = rule.pointer("/timeouts/request") {
        route["route"]["timeout"] = timeout.clone();
    }
    for filter in array(&rule["filters"]) {
        match filter["type"].as_str().unwrap() {
            "URLRewrite" => route["route"]["host_rewrite_literal"] = filter["urlRewrite"]["hostname"].clone(),
            "RequestHeaderModifier" => {
                route["request_headers_to_remove"] = filter["requestHeaderModifier"]["remove"].clone();
            }
            other => panic!("nothing translates {other}"),
        }
    }
    route
}

fn envoy_match(matches: &Value) -> Value {
    assert_only(matches, &["path", "headers"]);
    assert_eq!(matches["path"]["type"], "PathPrefix");
    let headers = array(&matches["headers"]).iter();
    let headers: Vec<Value> = headers
        .map(|header| json!({"name": header["name"], "string_match": {"exact": header["value"]}}))
        .collect();
    json!({"path_separated_prefix": matches["path"]["value"], "headers": headers})
}
