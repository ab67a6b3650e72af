//! `docs/filter-order.md`: where other filters of Envoy belong, and what a wrong order does. Each row of the page has a
//! test, whose name begins with the row's.

use crate::config;
use crate::gzip::{compressed, compressor, decompressor, gzipped};
use crate::orders::{Orders, PLACES, Place, filter, request};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::own_upstream::{OwnUpstream, completion, document, json as json_reply, response};
use support::{
    Answer, Envoy, Headers, bootstrap, cluster, clusters, http_filters, manager, post_with, project, routes,
    set_http_options,
};

async fn serving() -> OwnUpstream {
    OwnUpstream::start(|| completion("Hello")).await
}

/// Status, content type and text.
fn said(answer: &Answer) -> (u16, &str, String) {
    (answer.status, answer.header("content-type").unwrap_or_default(), answer.text())
}

/// A rule for the path protects it before the filter, and not behind it.
async fn assert_protects_only_before(orders: Orders, status: u16, words: &str) {
    for headers in Headers::all() {
        let answer = orders.ask(Place::Before, headers, &[]).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, words), "{headers:?}");
        assert_eq!(orders.ask(Place::Behind, headers, &[]).await.status, 200, "{headers:?}");
    }
    orders.finish();
}

fn rbac() -> Value {
    let rule = json!({
        "permissions": [{"url_path": {"path": {"exact": "/v1/responses"}}}],
        "principals": [{"any": true}],
    });
    let rules = json!({"rules": {"action": "DENY", "policies": {"nobody": rule}}});
    filter("rbac", "rbac.v3.RBAC", rules)
}

#[tokio::test]
async fn rbac_protects_only_before() {
    let orders = Orders::start(&rbac(), &serving().await).await;
    assert_protects_only_before(orders, 403, "RBAC: access denied").await;
}

fn jwt_authn() -> Value {
    let keys =
        r#"{"keys": [{"kty": "oct", "kid": "1", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}"#;
    let rules = json!({
        "providers": {"company": {"issuer": "company", "local_jwks": {"inline_string": keys}}},
        "rules": [{"match": {"path": "/v1/responses"}, "requires": {"provider_name": "company"}}],
    });
    filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", rules)
}

#[tokio::test]
async fn jwt_authn_protects_only_before() {
    let orders = Orders::start(&jwt_authn(), &serving().await).await;
    assert_protects_only_before(orders, 401, "Jwt is missing").await;
}

#[tokio::test]
async fn ext_authz_protects_only_before() {
    let service = OwnUpstream::start_asked(|asked| match asked.path.as_str() {
        "/v1/responses" => response(403, "text/plain", "Not you"),
        _ => response(200, "text/plain", ""),
    })
    .await;
    let server = json!({"server_uri": {"uri": "http://authz", "cluster": "authz", "timeout": "10s"}});
    let filter = filter("ext_authz", "ext_authz.v3.ExtAuthz", json!({"http_service": server}));
    let authz = cluster("authz", service.address);
    let orders = Orders::configured(&filter, &serving().await, &[authz], |_| ()).await;
    assert_protects_only_before(orders, 403, "Not you").await;
}

#[tokio::test]
async fn local_ratelimit_answers_in_plain_text_before_and_in_the_apis_shape_behind() {
    let always = json!({"default_value": {"numerator": 100}});
    let limit = json!({
        "stat_prefix": "limit", "filter_enabled": always, "filter_enforced": always,
        "token_bucket": {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "3600s"},
    });
    let filter = filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", limit);
    let orders = Orders::start(&filter, &serving().await).await;
    for headers in Headers::all() {
        for place in PLACES {
            assert_eq!(orders.ask(place, headers, &[]).await.status, 200, "{place:?} {headers:?}");
        }
        let answer = orders.ask(Place::Before, headers, &[]).await;
        assert_eq!(said(&answer), (429, "text/plain", "local_rate_limited".to_owned()));
        assert_eq!(answer.header("retry-after"), None);
        let answer = orders.ask(Place::Behind, headers, &[]).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")));
        assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    }
    orders.finish();
}

#[tokio::test]
async fn cors_sees_all_refusals_only_before() {
    const POLICY: &str = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy";
    let policy = json!({"cors": {"@type": POLICY, "allow_origin_string_match": [{"exact": "http://page"}]}});
    let cors = filter("cors", "cors.v3.Cors", json!({}));
    let orders = Orders::configured(&cors, &serving().await, &[], |host| {
        host["typed_per_filter_config"] = policy.clone();
    })
    .await;
    let origin = [("origin", "http://page")];
    for headers in Headers::all() {
        for place in PLACES {
            let allowed = async |body: Vec<u8>| {
                let answer = orders.post(place, headers, &origin, body).await;
                (answer.status, answer.header("access-control-allow-origin").is_some())
            };
            assert_eq!(allowed(request()).await, (200, true), "{place:?} {headers:?}");
            // When the body is rejected, held headers have not reached the filters behind.
            let seen = place == Place::Before || headers == Headers::Flow;
            assert_eq!(allowed(b"no JSON".to_vec()).await, (400, seen), "{place:?} {headers:?}");
            let early =
                orders.post(place, headers, &[origin[0], ("content-encoding", "br")], request()).await;
            let seen = early.header("access-control-allow-origin").is_some();
            assert_eq!((early.status, seen), (415, place == Place::Before), "{place:?} {headers:?}");
        }
    }
    orders.finish();
}

#[tokio::test]
async fn compressor_compresses_only_before() {
    let orders = Orders::start(&compressor(), &serving().await).await;
    for headers in Headers::all() {
        for (place, coding) in [(Place::Before, Some("gzip")), (Place::Behind, None)] {
            let answer = orders.ask(place, headers, &[("accept-encoding", "gzip")]).await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{place:?}");
        }
    }
    orders.finish();
}

/// Envoy's decompressor adds trailers to a body. An HTTP/1.1 connection to a second listener drops them.
#[tokio::test]
async fn decompressor_of_requests_works_only_in_a_listener_before() {
    let upstream = serving().await;
    let coded = [("content-encoding", "gzip")];
    let orders = Orders::start(&decompressor(), &upstream).await;
    for headers in Headers::all() {
        for (place, expected) in
            [(Place::Before, "unsupported_trailers"), (Place::Behind, "unsupported_content_encoding")]
        {
            let answer = orders.post(place, headers, &coded, gzipped(&request())).await;
            assert_eq!(answer.json()["error"]["code"], expected, "{place:?} {headers:?}");
        }
    }
    orders.finish();

    for headers in Headers::all() {
        let files = tempfile::tempdir().unwrap();
        let pipe = json!({"pipe": {"path": files.path().join("filter")}});
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        let mut behind = plan["static_resources"]["listeners"][0].clone();
        behind["name"] = json!("behind");
        behind["address"] = pipe.clone();
        http_filters(&mut plan)[0] = decompressor();
        let routes = routes(&mut plan);
        routes[0]["route"]["cluster"] = json!("behind");
        let mut to = cluster("behind", upstream.address);
        to["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = pipe;
        clusters(&mut plan).push(to);
        plan["static_resources"]["listeners"].as_array_mut().unwrap().push(behind);
        let envoy = Envoy::launch_plain(&plan).await;
        let answer = post_with(&envoy.responses_url(), &coded, gzipped(&request())).await;
        assert_eq!(answer.json()["output"][0]["content"][0]["text"], "Hello", "{headers:?}");
        envoy.finish();
    }
}

#[tokio::test]
async fn decompressor_of_replies_works_only_behind() {
    let upstream = OwnUpstream::start(|| compressed(200, "application/json", &document("Hello"))).await;
    let orders = Orders::start(&decompressor(), &upstream).await;
    for headers in Headers::all() {
        let answer = orders.ask(Place::Behind, headers, &[]).await;
        assert_eq!(answer.json()["output"][0]["content"][0]["text"], "Hello");
        let answer = orders.ask(Place::Before, headers, &[]).await;
        assert_eq!(answer.status, 502, "{headers:?}");
        assert_eq!(answer.json()["error"]["code"], "upstream_encoding_unsupported");
    }
    orders.finish();
}

#[tokio::test]
async fn buffer_gives_the_upstream_a_length_only_behind() {
    let upstream = serving().await;
    let limit = json!({"max_request_bytes": 1 << 20});
    let orders = Orders::start(&filter("buffer", "buffer.v3.Buffer", limit), &upstream).await;
    for (place, has_length) in [(Place::Before, false), (Place::Behind, true)] {
        assert_eq!(orders.ask(place, Headers::Flow, &[]).await.status, 200);
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.headers.contains_key("content-length"), has_length, "{place:?}");
    }
    orders.finish();
}

#[tokio::test]
async fn lua_sees_the_api_of_its_side() {
    let upstream = serving().await;
    let code = r#"function envoy_on_request(handle)
        local path = handle:headers():get(":path")
        local body = handle:body()
        handle:headers():add("x-seen", path .. " " .. tostring(body:getBytes(0, body:length()):find("messages") ~= nil))
    end"#;
    let script = json!({"default_source_code": {"inline_string": code}});
    let orders = Orders::start(&filter("lua", "lua.v3.Lua", script), &upstream).await;
    for headers in Headers::all() {
        for (place, sees) in
            [(Place::Before, "/v1/responses false"), (Place::Behind, "/v1/chat/completions true")]
        {
            assert_eq!(orders.ask(place, headers, &[]).await.status, 200);
            assert_eq!(upstream.seen().pop().unwrap().headers["x-seen"], sees, "{headers:?}");
        }
    }
    orders.finish();
}

/// A second attempt has the headers that the first one left, and the body as the client sent it. (With held headers it also
/// has the first one's length, and the upstream waits for the rest.)
#[tokio::test]
async fn upstream_filter_does_not_survive_a_retry() {
    let upstream = OwnUpstream::start(|| json_reply(503, "{}")).await;
    let mut plan = bootstrap(upstream.address, "{}", Headers::Flow);
    let ours = http_filters(&mut plan).remove(0);
    let codec = filter("codec", "upstream_codec.v3.UpstreamCodec", json!({}));
    let options =
        json!({"explicit_http_config": {"http_protocol_options": {}}, "http_filters": [ours, codec]});
    set_http_options(&mut clusters(&mut plan)[0], options);
    let route = &mut routes(&mut plan)[0]["route"];
    route["retry_policy"] = json!({"retry_on": "5xx", "num_retries": 1});
    let envoy = Envoy::launch_plain(&plan).await;
    post_with(&envoy.responses_url(), &[], request()).await;
    let attempts = upstream.seen().into_iter().map(|seen| {
        let body = seen.json();
        (seen.path, body["messages"].is_array(), body["input"].is_string())
    });
    let path = "/v1/chat/completions".to_owned();
    assert_eq!(attempts.collect::<Vec<_>>(), [(path.clone(), true, false), (path, false, true)]);
    envoy.finish();
}

#[tokio::test]
async fn body_format_rewrites_the_filters_errors() {
    let upstream = serving().await;
    for headers in Headers::all() {
        let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
        manager(&mut plan)["local_reply_config"]["body_format"] = json!({"text_format_source": {"inline_string": "<p>%LOCAL_REPLY_BODY%</p>"}, "content_type": "text/html"});
        let envoy = Envoy::launch_plain(&plan).await;
        let answer = post_with(&envoy.responses_url(), &[], "no JSON").await;
        let (status, kind, text) = said(&answer);
        assert_eq!((status, kind), (400, "text/html"), "{headers:?}");
        assert!(text.starts_with("<p>{\"error\":"), "{text}");
        envoy.finish();
    }
}

fn page() -> String {
    std::fs::read_to_string(project().join("docs/filter-order.md")).unwrap()
}

#[tokio::test]
async fn rbac_and_jwt_authn_answer_in_the_apis_shape_with_the_mapper_of_the_page() {
    let page = page();
    let (_, example) = page.split_once("```yaml\n").unwrap();
    let mappers: Value = serde_yaml_ng::from_str(example.split_once("```").unwrap().0).unwrap();
    for (other, status, words) in [(rbac(), 403, "RBAC: access denied"), (jwt_authn(), 401, "Jwt is missing")]
    {
        let mut plan = bootstrap(serving().await.address, "{}", Headers::Flow);
        let manager = manager(&mut plan);
        manager["http_filters"].as_array_mut().unwrap().insert(0, other);
        manager["local_reply_config"] = mappers.clone();
        let envoy = Envoy::launch_plain(&plan).await;
        let answer = post_with(&envoy.responses_url(), &[], request()).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("application/json")));
        assert_eq!(answer.json()["error"]["message"], words);
        // The filter's own errors stay as they are.
        let url = format!("{}/none", envoy.responses_url());
        assert_eq!(post_with(&url, &[], request()).await.json()["error"]["code"], "endpoint_not_supported");
        envoy.finish();
    }
}

/// The names of the page's rows, in the form of the tests' names.
fn rows() -> BTreeSet<String> {
    let page = page();
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    cells.map(|cell| cell.replace('`', "").replace(' ', "_")).collect()
}

#[test]
fn each_row_of_the_page_has_a_test() {
    let source = include_str!("filter_order.rs");
    let tests = source.split("#[tokio::test]\nasync fn ").skip(1);
    let tests: BTreeSet<_> = tests.map(|test| test.split('(').next().unwrap()).collect();
    let rows = rows();
    for row in &rows {
        assert!(tests.iter().any(|test| test.starts_with(&format!("{row}_"))), "no test for `{row}`");
    }
    for test in tests {
        assert!(rows.iter().any(|row| test.starts_with(&format!("{row}_"))), "no row for {test}");
    }
}
