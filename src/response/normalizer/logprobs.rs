//! Reads `logprobs` in the forms that providers write, and converts them to the form of the Responses API.

use crate::json::RawJson;
use crate::wire::chat::reply::{Logprob, Logprobs};
use serde::Serialize;
use serde_json::value::RawValue;

/// The Responses API requires all fields; `bytes` is an array, never null.
#[derive(Serialize)]
struct Normal<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
    top_logprobs: Vec<Top<'a>>,
}

#[derive(Serialize)]
struct Top<'a> {
    token: &'a str,
    logprob: f64,
    bytes: &'a [u8],
}

/// The value that OpenAI uses for a token that is nearly impossible.
const LOWEST: f64 = -9999.0;

/// One object for each token. Empty if `raw` has an unknown form.
pub(super) fn from_json(raw: &RawValue) -> Vec<RawJson<'static>> {
    let logprobs: Logprobs<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    match logprobs.content {
        Some(content) => content.iter().map(normal).collect(),
        None => {
            let tokens = logprobs.tokens.unwrap_or_default().into_iter();
            let values = logprobs.token_logprobs.unwrap_or_default().into_iter();
            tokens
                .zip(values)
                .map(|(token, logprob)| normal(&Logprob { token, logprob, ..Logprob::default() }))
                .collect()
        }
    }
}

fn normal(logprob: &Logprob<'_>) -> RawJson<'static> {
    let top = logprob.top_logprobs.iter().flatten();
    RawJson::compact(&Normal {
        token: &logprob.token,
        logprob: logprob.logprob.unwrap_or(LOWEST),
        bytes: bytes(logprob),
        top_logprobs: top
            .map(|top| Top { token: &top.token, logprob: top.logprob.unwrap_or(LOWEST), bytes: bytes(top) })
            .collect(),
    })
}

fn bytes<'l>(logprob: &'l Logprob<'_>) -> &'l [u8] {
    logprob.bytes.as_deref().unwrap_or(logprob.token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_becomes_that_of_the_responses_api() {
        for (written, expected) in [
            (
                r#"{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"é","logprob":-1.0,"bytes":null}]}]}"#,
                r#"{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"é","logprob":-1.0,"bytes":[195,169]}]}"#,
            ),
            (
                r#"{"content":[{"token":"a","logprob":-0.5}],"refusal":null}"#,
                r#"{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]}"#,
            ),
            (
                r#"{"tokens":["a"],"token_logprobs":[null],"top_logprobs":null}"#,
                r#"{"token":"a","logprob":-9999.0,"bytes":[97],"top_logprobs":[]}"#,
            ),
            ("0.5", ""),
            (r#"{"content":null}"#, ""),
            (r#"{"content":"x"}"#, ""),
        ] {
            let read: Vec<RawJson<'static>> = from_json(serde_json::from_str(written).unwrap());
            assert_eq!(read.iter().map(|one| one.get()).collect::<String>(), expected, "{written}");
        }
    }
}
