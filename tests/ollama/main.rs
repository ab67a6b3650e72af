//! A real Ollama behind a real Envoy. It is a separate program, run by `make test-ollama`, because the server is built from
//! source.

use serde_json::{Value, json};
use support::real::{Server, ask, completed, said, stream, tools};
use support::{Envoy, Headers};

const MODEL: &str = "tiny";

struct Ollama(Server);

impl Ollama {
    async fn start() -> Self {
        Self(Server::start("ollama", &[], &format!("/v1/models/{MODEL}")).await)
    }

    async fn envoy(&self, headers: Headers) -> Envoy {
        let config = json!({"upstream": "ollama", "hold_request_headers": headers == Headers::Held});
        Envoy::start(self.0.address, &config.to_string(), headers).await
    }
}

impl Drop for Ollama {
    /// The server runs a model in a process of its own, which it ends when it is told to.
    fn drop(&mut self) {
        self.0.terminate();
    }
}

#[tokio::test]
async fn text_and_calls() {
    let ollama = Ollama::start().await;
    for headers in [Headers::Flow, Headers::Held] {
        let envoy = ollama.envoy(headers).await;
        // The server omits the text before a call.
        let turns = [
            ("Hello?", json!({}), ("message", "Hello from naïve 你好 🦀."), 6),
            ("Begin.", tools(), ("function_call", r#"{"cmd":"touch one; echo \"naïve 🦀\""}"#), 8),
        ];
        for (question, fields, expected, tokens) in turns {
            for response in completed(&envoy, MODEL, question, &fields).await {
                assert_eq!(said(&response), [expected], "{response}");
                assert_eq!(response["usage"]["output_tokens"], tokens, "{response}");
            }
        }
        envoy.finish();
    }
}

/// The server refuses a property whose schema is `true`.
#[tokio::test]
async fn a_property_without_a_type() {
    let ollama = Ollama::start().await;
    let envoy = ollama.envoy(Headers::Flow).await;
    let mut fields = tools();
    fields["tools"][0]["parameters"]["properties"]["more"] = json!(true);
    for response in completed(&envoy, MODEL, "Begin.", &fields).await {
        let [(kind, _)] = said(&response)[..] else { panic!("one call: {response}") };
        assert_eq!(kind, "function_call", "{response}");
    }
    envoy.finish();
}

#[tokio::test]
async fn probe_notices_that_calls_are_lost_beside_text() {
    let ollama = Ollama::start().await;
    let (config, told) = ollama.0.probe(MODEL).await;
    assert_eq!(config["upstream"]["assistant_content_with_calls"], "separate", "{config}\n{told}");
}

/// The server leaves a call that does not end in the text.
#[tokio::test]
async fn a_call_that_does_not_end() {
    let ollama = Ollama::start().await;
    let envoy = ollama.envoy(Headers::Flow).await;
    let whole = ask(&envoy, MODEL, "A broken one.", &tools()).await.json();
    let (_, streamed) = stream(&envoy, MODEL, "A broken one.", &tools()).await;
    for response in [whole, streamed] {
        let [("message", text)] = said(&response)[..] else { panic!("only text: {response}") };
        assert!(text.contains(r#"{"name": "exec_command""#), "{text}");
    }
    envoy.finish();
}

#[tokio::test]
async fn errors() {
    let ollama = Ollama::start().await;
    let envoy = ollama.envoy(Headers::Flow).await;
    for fields in [json!({}), json!({"stream": true})] {
        let refused = ask(&envoy, "unknown", "Hello?", &fields).await;
        assert_eq!(refused.status, 404, "{refused:?}");
        let message = r#"model "unknown" not found, try pulling it first"#;
        assert_eq!(refused.json()["error"]["message"], message);
    }

    let image = json!({"type": "input_image", "image_url": "https://example.com/a.png"});
    let fields = json!({"input": [{"role": "user", "content": [image]}]});
    let refused: Value = ask(&envoy, MODEL, "", &fields).await.json();
    assert_eq!(refused["error"]["message"], "invalid image input", "{refused}");
    envoy.finish();
}

/// The model goes on by the calls that it made, so a call that the server loses would come again.
#[tokio::test]
async fn codex_with_what_make_run_finds() {
    let ollama = Ollama::start().await;
    ollama.0.works_with_make_run("ollama", MODEL).await;
}
