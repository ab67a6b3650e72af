//! The native module beside the wasm filter: they do the same. And what only one of them can do: survive a panic.

use crate::raw_upstream::{CHUNKED, Connection, DONE, RawUpstream, STOP, chunk, delta};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, Seen, completion, json as json_reply, response};
use support::{
    Answer, Envoy, Headers, Launch, bootstrap, manager, minor_version, native_envoy_binary, native_module,
    post, post_with, project, trap_module,
};
use tempfile::TempDir;

/// The dynamic symbols of a file: `nm` and its options.
fn symbols(file: &Path, option: &str) -> BTreeSet<String> {
    let output = Command::new("nm").args(["-D", option]).arg(file).output().expect("nm, of binutils");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().filter_map(|line| line.split_whitespace().next_back());
    names.filter(|name| name.starts_with("envoy_dynamic_module_")).map(str::to_owned).collect()
}

#[test]
fn the_module_calls_what_this_envoy_has_and_has_what_it_calls() {
    if !Headers::all().contains(&Headers::Native) {
        return;
    }
    let (module, envoy) = (native_module(), native_envoy_binary());
    let (asked, offered) = (symbols(&module, "--undefined-only"), symbols(&envoy, "--defined-only"));
    assert!(asked.len() > 15, "{asked:?}");
    let missing: Vec<_> = asked.difference(&offered).collect();
    assert!(missing.is_empty(), "this Envoy has no {missing:?}");
    // Envoy looks hooks up by their names, which are in it as text.
    let binary = std::fs::read(&envoy).unwrap();
    let hooks = symbols(&module, "--defined-only");
    assert_eq!(hooks.len(), 21, "{hooks:?}");
    for hook in hooks {
        let name = format!("{hook}\0");
        assert!(memchr::memmem::find(&binary, name.as_bytes()).is_some(), "this Envoy knows no {hook}");
    }
}

#[tokio::test]
async fn the_newest_envoy_has_the_abi_of_the_module() {
    if minor_version() < 40 {
        return;
    }
    let upstream = OwnUpstream::start(|| completion("hi")).await;
    let envoy = Envoy::start(upstream.address, "{}", Headers::Native).await;
    assert!(
        envoy.logged().contains(concat!("transponder ", env!("CARGO_PKG_VERSION"))),
        "{}",
        envoy.logged()
    );
    assert!(!envoy.logged().contains("deprecated"), "{}", envoy.logged());
    envoy.finish();
}

/// A reply with a bit of everything: reasoning, text, and a call of the first tool that is offered.
fn replied(seen: &Seen) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&seen.body) else { return json_reply(418, "{}") };
    let call = match asked["tools"][0]["function"]["name"].as_str() {
        Some(name) => {
            json!([{"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}])
        }
        None => Value::Null,
    };
    let message =
        json!({"role": "assistant", "reasoning_content": "Hm.", "content": "Hello", "tool_calls": call});
    let usage = json!({"prompt_tokens": 30, "completion_tokens": 7, "total_tokens": 37});
    if asked["stream"] == true {
        let delta = json!({"choices": [{"index": 0, "delta": message}]});
        let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage});
        return response(
            200,
            "text/event-stream",
            format!("data: {delta}\n\ndata: {end}\n\ndata: [DONE]\n\n"),
        );
    }
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    json_reply(200, json!({"choices": [choice], "usage": usage}).to_string())
}

/// The text after each mark, without the digits that follow: they differ from run to run.
fn without_digits(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + mark + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// An answer without what differs from run to run: times, and what the ids of an exchange have in common.
fn comparable(answer: &Answer) -> (u16, BTreeMap<String, String>, String) {
    let mut text = answer.text();
    if let Some((_, rest)) = text.split_once("\"resp_") {
        text = text.replace(&rest[..32].to_owned(), "SEED");
    }
    for mark in ["\"created_at\":", "\"completed_at\":"] {
        text = without_digits(&text, mark);
    }
    let changes = ["date", "x-envoy-upstream-service-time", "x-request-id", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !changes.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, headers.collect(), text)
}

/// What a request of an adapter was upstream.
fn sent(seen: &Seen) -> (String, BTreeMap<String, String>, String) {
    let headers = seen.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (seen.path.clone(), headers.collect(), String::from_utf8(seen.body.to_vec()).unwrap())
}

/// Counters and gauges, except the memory of a VM that only one of them has.
async fn counted(envoy: &Envoy) -> BTreeMap<String, u64> {
    let ours = envoy.stats("transponder_").await.into_iter();
    ours.filter(|(name, _)| !name.ends_with("vm_memory_bytes")).collect()
}

#[tokio::test]
async fn both_adapters_do_the_same_to_every_request_of_codex() {
    if !Headers::all().contains(&Headers::Native) {
        return;
    }
    let upstream = OwnUpstream::start_asked(replied).await;
    let wasm = Envoy::start(upstream.address, r#"{"hold_request_headers": true}"#, Headers::Held).await;
    let native = Envoy::start(upstream.address, "{}", Headers::Native).await;
    let fixtures = std::fs::read_dir(project().join("tests/fixtures/codex")).unwrap();
    let requests: Vec<Vec<u8>> = fixtures.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(requests.len() >= 29);
    let refused = [&b"{"[..], b"{}", br#"{"model": "m", "input": 1}"#].map(<[u8]>::to_vec);
    for request in requests.into_iter().chain(refused) {
        let mut both = Vec::new();
        for envoy in [&wasm, &native] {
            let before = upstream.seen().len();
            let host = [("host", "models"), ("originator", "codex_exec"), ("session-id", "s")];
            let answer = post_with(&envoy.responses_url(), &host, request.clone()).await;
            let went: Vec<_> = upstream.seen()[before..].iter().map(sent).collect();
            both.push((comparable(&answer), went));
        }
        assert_eq!(both[0], both[1]);
    }
    let counts = counted(&native).await;
    assert_eq!(counted(&wasm).await, counts);
    assert!(counts.values().sum::<u64>() > 100, "{counts:?}");
    wasm.finish();
    native.finish();
}

#[tokio::test]
async fn a_panic_ends_one_exchange_and_no_other() {
    if !Headers::all().contains(&Headers::Native) {
        return;
    }
    let upstream = RawUpstream::start(async |mut connection: Connection, asked| {
        if asked.model() == "document" {
            let body = r#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            return connection.write(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        }
        connection.write(CHUNKED).await;
        for _ in 0..if asked.model() == "long" { 100 } else { 1 } {
            connection.write(chunk(&delta("Hello"))).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        connection.write(chunk(&[STOP, DONE].concat())).await;
        connection.write("0\r\n\r\n").await;
    })
    .await;
    let plan = bootstrap(upstream.address, "{}", Headers::Native);
    let envoy =
        Envoy::launch_as(&plan, Launch { modules: trap_module().parent(), ..Launch::default() }).await;
    let asked =
        |model: &str| json!({"model": model, "input": "SECRET-PROMPT", "stream": model != "document"});
    let url = envoy.responses_url();
    let (long, body) = (url.clone(), asked("long"));
    let healthy = tokio::spawn(async move { post(&long, &body).await });

    let cases = [
        ("m", "request headers", true),
        ("m", "request body", true),
        ("m", "response headers", true),
        ("document", "response headers", true),
        ("document", "response body", true),
        ("m", "response body", false),
    ];
    for (model, place, has_answer) in cases {
        let answer = post_with(&url, &[("x-transponder-trap", place)], asked(model).to_string()).await;
        if has_answer {
            assert_eq!((answer.status, &answer.broken), (500, &None), "{place}: {answer:?}");
            assert_eq!(answer.json()["error"]["code"], "internal_error", "{place}");
        } else {
            assert!(answer.broken.is_some(), "the transfer is seen to be broken: {answer:?}");
        }
        let answer = post(&url, &asked("m")).await;
        Transcript::of(&answer.bytes());
    }
    Transcript::of(&healthy.await.unwrap().bytes());
    assert_eq!(envoy.stat("wasmcustom.transponder_panics_total").await, cases.len() as u64);
    assert_eq!(envoy.stat("wasmcustom.preset=.=generic;.;transponder_open_exchanges").await, 0);
    let log = envoy.logged();
    assert_eq!(log.matches("panicked at src/dynamic_module/panics.rs:").count(), cases.len(), "{log}");
    assert!(!log.contains("SECRET-PROMPT") && !log.contains("the request asked for it"), "{log}");
    envoy.finish_after_trap();
}

/// The listener of a plan, for Envoy's discovery by files.
fn discovered(plan: &Value) -> String {
    let mut listener = plan["static_resources"]["listeners"][0].clone();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    json!({"resources": [listener]}).to_string()
}

/// Replaces a file at once, as Envoy expects it.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// Envoy closes the module with its last plugin, and opens it again for the next.
#[tokio::test]
async fn the_module_is_unloaded_and_loaded_again() {
    if !Headers::all().contains(&Headers::Native) {
        return;
    }
    let upstream = OwnUpstream::start(|| completion("Hello")).await;
    let files = TempDir::new().unwrap();
    let file = files.path().join("listeners.json");
    let mut plan = bootstrap(upstream.address, "{}", Headers::Native);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    plan["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = json!(port);
    manager(&mut plan)["drain_timeout"] = json!("0.1s");
    let (with, without) = (discovered(&plan), json!({"resources": []}).to_string());
    replace(&file, &with);
    plan["static_resources"]["listeners"] = json!([]);
    plan["dynamic_resources"] = json!({"lds_config": {"path_config_source": {"path": file}}});
    plan["node"] = json!({"id": "test", "cluster": "test"});
    let launch = Launch { workers: 2, discovers_native: true, ..Launch::default() };
    let envoy = Envoy::launch_as(&plan, launch).await;
    let is_open = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    for _ in 0..3 {
        let answer = post(&envoy.responses_url(), &json!({"model": "m", "input": "hi"})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        for (listeners, open) in [(&without, false), (&with, true)] {
            replace(&file, listeners);
            let changed = async {
                while is_open().await != open {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(30), changed).await.expect("the listener changes");
        }
    }
    envoy.finish();
}
