//! Requests, for every preset: the result is a Chat Completions body or an error with a message, and no call is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use transponder::json::{Bounds, ParseError, Tape};
use transponder::request::{self, Context};
use transponder_fuzz::memory::bounded;
use transponder_fuzz::{CONFIGS, calls};

fuzz_target!(|input: &[u8]| {
    let Some((head, body)) = transponder_fuzz::read(input) else { return };
    std::str::from_utf8(body).into_iter().for_each(reads_what_serde_json_reads);
    let config = head.choose(&CONFIGS);
    let context = Context { config, seed: 7, now: 1, codex: head.flag(0) };
    let translate = if head.flag(1) { request::translate_compact } else { request::translate };
    let translated = match bounded(body.len(), 100, || translate(body, &context)) {
        Ok(translated) => translated,
        Err(error) => {
            assert!((400..500).contains(&error.status), "{error:?}");
            assert!(!error.message.is_empty());
            let said: Value = serde_json::from_slice(&error.to_json()).expect("an error is JSON");
            assert!(said["error"]["message"].is_string());
            return;
        }
    };
    let sent: Value = serde_json::from_slice(&translated.body).expect("what goes up is JSON");
    let messages = sent["messages"].as_array().expect("messages");
    assert!(!messages.is_empty() && sent["model"].is_string());
    // A strict upstream rejects the whole conversation if it has a lone surrogate.
    let again = translate(body, &context).expect("what was taken once is taken again");
    assert_eq!(translated.body, again.body, "the same request gives the same bytes");
    if let Ok(request) = serde_json::from_slice::<Value>(body) {
        let report = &translated.report;
        let told = report.all_dropped().len() + report.all_repaired().len();
        let (had, has) = (calls::in_history(&request), calls::in_messages(&sent));
        assert!(has + told >= had, "{had} calls in the history, {has} went up, {told} were reported");
    }
});

fn reads_what_serde_json_reads(text: &str) {
    let read = Tape::read(text, Bounds { depth: 128, values: usize::MAX });
    if !matches!(read, Err(ParseError::TooDeep)) {
        assert_eq!(read.is_ok(), serde_json::from_str::<&RawValue>(text).is_ok());
    }
}
