//! The published types of the Open Responses specification accept the translation of every recorded reply.

use crate::sdk::driver::{Driver, Program};
use serde_json::{Value, json};
use std::path::PathBuf;
use support::grammar::{self, Transcript};
use support::project;
use transponder::config::Config;
use transponder::request::{self, Context};

fn recorded() -> Vec<PathBuf> {
    let providers = project().join("tests/fixtures/chat").read_dir().unwrap();
    let files = providers.flat_map(|provider| provider.unwrap().path().read_dir().unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| !file.to_string_lossy().ends_with(".expect.json")).collect()
}

/// Translates a reply to a request that only uses what the specification has: functions, and no schema.
fn translated(body: &[u8], stream: bool) -> Vec<u8> {
    let tools = json!([{"type": "function", "name": "get_weather"}]);
    let request = json!({"model": "m", "input": "hi", "stream": stream, "tools": tools});
    let config = Config::default();
    let context = Context { config: &config, seed: 7, now: 1, codex: false };
    let mut reply = request::translate(request.to_string().as_bytes(), &context).unwrap().reply;
    let mut out = Vec::new();
    reply.begin(200);
    reply.push(body, &mut out);
    reply.end(&mut out);
    out
}

#[tokio::test]
async fn the_published_types_accept_every_reply_and_every_event() {
    let mut judge = Driver::start(Program::Python("open_responses.py"));
    let verdict = judge.ask(&json!({"values": [{"object": "response", "id": "resp_1"}]})).await;
    assert!(!verdict["refused"].as_array().unwrap().is_empty(), "the judge refuses what is none");
    let files = recorded();
    assert!(files.len() > 60, "the recordings are there");
    for file in files {
        let body = std::fs::read(&file).unwrap();
        let mut values = Transcript::of(&translated(&body, true)).events;
        values.push(grammar::document(&translated(&body, false)));
        let verdict = judge.ask(&json!({ "values": values })).await;
        assert_eq!(verdict["refused"], Value::Array(Vec::new()), "{}", file.display());
    }
}
