//! `store`: where responses are kept.

use transponder::config::{Config, Store};

fn http(settings: &str) -> Result<Config, String> {
    let text = format!(r#"{{"store": {{"http": {settings}}}}}"#);
    Config::parse(text.as_bytes()).map_err(|errors| errors.to_string())
}

#[test]
fn a_store_over_http_has_defaults() {
    let config = http(r#"{"cluster": "responses", "path": "/bucket/{owner}/{id}"}"#).unwrap();
    let Store::Http(http) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!((http.timeout_ms, http.record_bytes, http.hold_bytes), (2000, 8 << 20, 16 << 10));
    assert_eq!(config.store.hold_bytes(), 16 << 10);
    let text = br#"{"store": {"http": {"cluster": "c", "path": "/{owner}/{id}"}}}"#;
    assert_eq!(
        Config::parse_held(text).unwrap().store.hold_bytes(),
        usize::MAX,
        "natively nothing limits it"
    );
}

#[test]
fn every_setting_of_a_store_over_http_can_be_set() {
    http(
        r#"{
            "cluster": "dapr", "path": "/v1.0/state/responses/{owner}-{id}", "protocol": "dapr",
            "authority": "localhost", "headers": {"dapr-api-token": "x y"},
            "timeout_ms": 1, "record_bytes": 33554432, "hold_bytes": 0, "ttl_seconds": 60
        }"#,
    )
    .unwrap();
}

#[test]
fn mistakes_are_named() {
    let objects = |path: &str, more: &str| format!(r#"{{"cluster": "c", "path": "{path}"{more}}}"#);
    let good = "/{owner}/{id}";
    for (settings, expected) in [
        ("{}".to_owned(), "store.http: `cluster` is missing\nstore.http: `path` is missing"),
        (objects("{owner}/{id}", ""), "store.http.path: `{owner}/{id}` does not begin with `/`"),
        (
            objects("/{owner}", ""),
            "store.http.path: `{id}` is missing, so records would overwrite each other",
        ),
        (
            objects("/a.b/{owner}/{id}", ""),
            "store.http.path: expected only letters, digits, `_`, `-` and `/` beside `{owner}` and `{id}`",
        ),
        (
            objects("/v1.0/state/{owner}/{id}", r#", "protocol": "dapr""#),
            "store.http.path: its last part is the key, which needs both, e.g. `{owner}-{id}`",
        ),
        (
            objects(good, r#", "protocol": "redis""#),
            "store.http.protocol: unknown value `redis`, expected one of: objects, dapr",
        ),
        (objects(good, r#", "timeout_ms": 600001"#), "store.http.timeout_ms: expected at most 600000"),
        (
            objects(good, r#", "headers": {"content-length": "1"}"#),
            "store.http.headers.content-length: `content-length` is written by Envoy or by `authority`",
        ),
        (
            objects(good, r#", "headers": {"X": "1"}"#),
            "store.http.headers.X: `X` is not the name of a header in lower case",
        ),
        (
            objects(good, r#", "headers": {"x": "\u0001"}"#),
            "store.http.headers.x: expected visible ASCII characters and spaces",
        ),
        (objects(good, r#", "timeout_ms": 0"#), "store.http.timeout_ms: expected more than 0"),
        (
            objects(good, r#", "record_bytes": 33554433"#),
            "store.http.record_bytes: expected at most 33554432",
        ),
        // A secret in the wrong place is not logged.
        (
            objects(good, r#", "headers": "authorization: Bearer abc""#),
            "store.http.headers: expected an object, found a string",
        ),
        (
            objects(good, r#", "ttl_seconds": 60"#),
            "store.http.ttl_seconds: only `dapr` has it; give the bucket or directory a rule",
        ),
    ] {
        assert_eq!(http(&settings).unwrap_err(), expected);
    }
    let error = Config::parse(br#"{"store": "http"}"#).unwrap_err().to_string();
    assert_eq!(error, r#"store: unknown store `http`, expected one of: off, memory, {"http": {...}}"#);
    // The form is no name.
    assert!(Config::parse(br#"{"store": "{\"http\": {...}}"}"#).is_err());
    let error = Config::parse(br#"{"store": {"htp": {}}}"#).unwrap_err().to_string();
    assert_eq!(error, "store: unknown store `htp`, did you mean `http`?");
}
