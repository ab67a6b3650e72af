//! A real `llama_cpp.server` behind a real Envoy. It does not parse calls, unless a request names a tool: they arrive
//! as text, in the model's markup.

use serde_json::{Value, json};
use support::real::{Server, ask, completed, said, stream, tools};
use support::{Envoy, Headers};

const MODEL: &str = "tiny";
const FIRST: &str = r#"{"cmd": "touch one; echo \"naïve 🦀\""}"#;

async fn start() -> Server {
    Server::start("llama-cpp-python", &[], "/v1/models").await
}

fn config(headers: Headers) -> String {
    json!({"upstream": "llama-cpp-python", "hold_request_headers": headers == Headers::Held}).to_string()
}

#[tokio::test]
async fn text_calls_and_errors() {
    let server = start().await;
    for headers in [Headers::Flow, Headers::Held] {
        let envoy = Envoy::start(server.address, &config(headers), headers).await;
        let text = [("message", "Hello from naïve 你好 🦀.")];
        let whole = ask(&envoy, MODEL, "Hello?", &json!({})).await.json();
        assert_eq!(said(&whole), text);
        assert_eq!((&whole["status"], &whole["usage"]["output_tokens"]), (&json!("completed"), &json!(5)));
        let (event, streamed) = stream(&envoy, MODEL, "Hello?", &json!({})).await;
        assert_eq!((event.as_str(), said(&streamed)), ("response.completed", text.to_vec()));
        // It does not report the tokens of a stream.
        assert_eq!(streamed["usage"]["output_tokens"], Value::Null);

        let call = [("message", "First one.\n"), ("function_call", FIRST)];
        for response in completed(&envoy, MODEL, "Begin.", &tools()).await {
            assert_eq!(said(&response), call, "{response}");
        }

        // `function_call` and `tool_calls` have the same call, and every piece repeats its name and id. The server's
        // grammar determines the arguments.
        let mut named = tools();
        named["tool_choice"] = json!({"type": "function", "name": "exec_command"});
        for response in completed(&envoy, MODEL, "Begin.", &named).await {
            let [("function_call", arguments)] = said(&response)[..] else { panic!("one call: {response}") };
            let arguments: Value = serde_json::from_str(arguments).unwrap();
            assert!(arguments["cmd"].is_string(), "{arguments}");
        }

        // It stops within the call, and reports a regular end.
        let (_, cut) = stream(&envoy, MODEL, "A broken one.", &tools()).await;
        assert!(said(&cut).iter().all(|(kind, _)| *kind != "function_call"), "{cut}");
        assert!(cut.to_string().contains("exec_command"), "nothing names the call: {cut}");

        let long = "x".repeat(5000);
        let overflow = ask(&envoy, MODEL, &long, &json!({})).await.json();
        assert_eq!(overflow["error"]["code"], "context_length_exceeded", "{overflow}");
        // 200 and an empty body.
        let (event, lost) = stream(&envoy, MODEL, &long, &json!({})).await;
        assert_eq!(event, "response.failed", "{lost}");
        envoy.finish();
    }
}

#[tokio::test]
async fn codex_with_what_make_run_finds() {
    start().await.works_with_make_run("llama-cpp-python", MODEL).await;
}

#[tokio::test]
async fn codex_with_what_probe_prints() {
    let server = start().await;
    let (config, told) = server.probe(MODEL).await;
    assert_eq!(config["upstream"]["text_tool_calls"], true, "{told}");
    // uvicorn closes the connection after this request without announcing it.
    assert!(told.contains("a broken request: 500 Internal Server Error"), "{told}");
    assert!(told.contains("Two turns of an agent succeed"), "{told}");
    server.works_with(&config, MODEL).await;
}
