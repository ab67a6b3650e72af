//! Reads how many tokens an upstream has counted.

use super::finished::Finished;
use crate::bounds;
use crate::error::{ApiError, classify};
use crate::json::{self, DepthScanner};
use crate::wire::responses::InputTokens;
use serde::Deserialize;
use serde_json::Value;

/// The body of a successful reply of the endpoint that counts.
#[derive(Debug)]
pub(super) struct CountReader {
    body: Vec<u8>,
    depth: DepthScanner,
    limit: usize,
}

/// What is read of the body. vLLM and SGLang also list all tokens.
#[derive(Deserialize)]
struct Counted {
    #[serde(alias = "count")]
    input_tokens: u64,
}

impl CountReader {
    /// `limit`: the most bytes that are kept.
    pub(super) fn new(limit: usize) -> Self {
        Self { body: Vec::new(), depth: DepthScanner::default(), limit }
    }

    /// Takes the next bytes. Appends what the client gets if the document ends with them.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<Finished> {
        let (document, _) = self.depth.split(bytes);
        if self.body.len() + document.len() > self.limit {
            return Some(finish(Err(bounds::reply_too_large(self.limit)), out));
        }
        self.body.extend_from_slice(document);
        self.depth.closed().then(|| self.end(out))
    }

    /// The body ended: appends what the client gets.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Finished {
        finish(counted(&json::utf8(&self.body)), out)
    }
}

fn finish(counted: Result<u64, ApiError>, out: &mut Vec<u8>) -> Finished {
    let (document, error) = match counted {
        Ok(input_tokens) => {
            let count = InputTokens { object: "response.input_tokens", input_tokens };
            (serde_json::to_vec(&count).unwrap_or_default(), None)
        }
        Err(error) => (error.to_json(), Some(error)),
    };
    out.extend_from_slice(&document);
    Finished { error, ..Finished::default() }
}

fn counted(body: &str) -> Result<u64, ApiError> {
    serde_json::from_str::<Counted>(body).map(|counted| counted.input_tokens).map_err(|problem| {
        let value: Value = serde_json::from_str(body).unwrap_or_default();
        if classify::is_error(&value) {
            return classify::in_reply(&value);
        }
        ApiError::upstream(format!("The upstream's reply has no token count: {problem}."))
    })
}
