//! Reads `expect.json` and compares it with the result.

use crate::grammar::{self, Transcript};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;
use transponder::error::ApiError;

/// The result of a translation.
pub(super) enum Outcome {
    /// The Chat Completions body.
    Sent(Value),
    /// The response of a stream's last event, or of a document.
    Response(Value),
    /// An error body instead of a response.
    Error(ApiError),
}

/// The expected result. Absent fields are not checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// `request`, `stream` or `reply`. Absent in an alternative.
    #[serde(default)]
    pub(super) verb: String,
    /// The upstream's HTTP status.
    #[serde(default = "success")]
    pub(super) status: u16,
    /// `completed`, `incomplete`, `failed`, `error` or `sent`.
    ending: Option<String>,
    /// Why a response is incomplete.
    reason: Option<String>,
    text: Option<String>,
    /// Pieces of the text.
    text_has: Option<Vec<String>>,
    reasoning: Option<String>,
    calls: Option<Vec<Call>>,
    /// The type of an item that must be present.
    item: Option<String>,
    /// One of these pieces must be among the reported drops and repairs.
    noted: Option<Vec<String>>,
    usage: Option<Usage>,
    error: Option<Error>,
    /// The minimum and maximum in seconds.
    retry_after: Option<[u64; 2]>,
    #[serde(default)]
    body: Vec<Rule>,
    /// Alternatives that are also correct.
    #[serde(default)]
    one_of: Vec<Self>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    #[serde(default = "function_call")]
    r#type: String,
    name: String,
    arguments: Option<Value>,
    input: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usage {
    input: u64,
    cached: u64,
    output: u64,
    total: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Error {
    code: Option<String>,
    #[serde(default)]
    has: Vec<String>,
}

/// A condition on a value of the Chat Completions body, or on all schemas of tools.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Rule {
    Schemas {
        schemas: String,
    },
    Value {
        at: String,
        equals: Option<Value>,
        has: Option<String>,
        lacks: Option<String>,
        absent: Option<u8>,
    },
}

fn success() -> u16 {
    200
}

fn function_call() -> String {
    "function_call".to_owned()
}

impl Outcome {
    pub(super) fn reply(bytes: &[u8]) -> Self {
        Self::Response(if bytes.starts_with(b"event:") {
            Transcript::of(bytes).response().clone()
        } else {
            grammar::document(bytes)
        })
    }

    fn ending(&self) -> &str {
        match self {
            Self::Sent(_) => "sent",
            Self::Error(_) => "error",
            Self::Response(response) => response["status"].as_str().unwrap(),
        }
    }

    /// The text of all parts of a type, in the items of a type.
    pub(super) fn text(&self, item: &str, field: &str) -> String {
        let items = self.items().filter(|found| found["type"] == item);
        let parts = items.flat_map(|item| item[field].as_array().unwrap());
        parts.map(|part| part["text"].as_str().unwrap()).collect()
    }

    /// The calls, in order.
    pub(super) fn calls(&self) -> Vec<&Value> {
        self.items().filter(|item| item["type"].as_str().unwrap().ends_with("_call")).collect()
    }

    fn items(&self) -> impl Iterator<Item = &Value> {
        self.response().into_iter().flat_map(|response| response["output"].as_array().unwrap())
    }

    fn response(&self) -> Option<&Value> {
        match self {
            Self::Response(response) => Some(response),
            Self::Sent(_) | Self::Error(_) => None,
        }
    }
}

impl Expected {
    pub(super) fn read(path: &Path) -> Self {
        let json = std::fs::read(path).unwrap();
        serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(super) fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        if let Some(ending) = &self.ending {
            same("the ending", outcome.ending(), ending)?;
        }
        if let Some(text) = &self.text {
            same("the text", outcome.text("message", "content").trim(), text.trim())?;
        }
        if let Some(pieces) = &self.text_has {
            let text = outcome.text("message", "content");
            same("the missing text", &pieces.iter().find(|piece| !text.contains(*piece)), &None)?;
        }
        if let Some(reasoning) = &self.reasoning {
            same("the reasoning", outcome.text("reasoning", "summary").trim(), reasoning.trim())?;
        }
        if let Some(calls) = &self.calls {
            let found = outcome.calls();
            same("the number of calls", &found.len(), &calls.len())?;
            calls.iter().zip(found).try_for_each(|(expected, found)| expected.judge(found))?;
        }
        match outcome {
            Outcome::Sent(body) => self.body.iter().try_for_each(|rule| rule.judge(body)),
            Outcome::Error(error) => self.judge_error(error),
            Outcome::Response(response) => self.judge_response(response),
        }?;
        let alternatives: Vec<_> = self.one_of.iter().map(|expected| expected.judge(outcome)).collect();
        if alternatives.is_empty() || alternatives.iter().any(Result::is_ok) {
            return Ok(());
        }
        Err(alternatives.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; "))
    }

    fn judge_response(&self, response: &Value) -> Result<(), String> {
        if let Some(reason) = &self.reason {
            same("the reason", &response["incomplete_details"]["reason"], &Value::from(reason.as_str()))?;
        }
        if let Some(Error { code: Some(code), .. }) = &self.error {
            same("the code", &response["error"]["code"], &Value::from(code.as_str()))?;
        }
        if let Some(item) = &self.item {
            let items = response["output"].as_array().unwrap();
            same(item, &items.iter().any(|found| found["type"] == item.as_str()), &true)?;
        }
        if let Some(pieces) = &self.noted {
            let notes = response["metadata"].to_string();
            same("the note", &pieces.iter().any(|piece| notes.contains(piece)), &true)?;
        }
        match &self.usage {
            Some(usage) => usage.judge(&response["usage"]),
            None => Ok(()),
        }
    }

    fn judge_error(&self, error: &ApiError) -> Result<(), String> {
        if let Some(expected) = &self.error {
            if expected.code.is_some() {
                same("the code", &error.code.as_deref(), &expected.code.as_deref())?;
            }
            let missing = expected.has.iter().find(|words| !error.message.contains(*words));
            same("the words", &missing, &None)?;
        }
        match (self.retry_after, error.retry_after) {
            (Some([least, most]), Some(seconds)) if (least..=most).contains(&seconds) => Ok(()),
            (Some(_), seconds) => Err(format!("retry after {seconds:?}")),
            (None, _) => Ok(()),
        }
    }
}

impl Call {
    fn judge(&self, found: &Value) -> Result<(), String> {
        same("the type", &found["type"], &Value::from(self.r#type.as_str()))?;
        same("the name", &found["name"], &Value::from(self.name.as_str()))?;
        if let Some(arguments) = &self.arguments {
            let found: Value = serde_json::from_str(found["arguments"].as_str().unwrap()).unwrap();
            same("the arguments", &found, arguments)?;
        }
        let texts = [("input", "input", &self.input), ("id", "call_id", &self.id)];
        texts.into_iter().try_for_each(|(what, field, expected)| match expected {
            Some(expected) => same(what, &found[field], &Value::from(expected.as_str())),
            None => Ok(()),
        })
    }
}

impl Usage {
    fn judge(&self, found: &Value) -> Result<(), String> {
        let Self { input, cached, output, total } = *self;
        same("the input tokens", &found["input_tokens"], &Value::from(input))?;
        same("the cached tokens", &found["input_tokens_details"]["cached_tokens"], &Value::from(cached))?;
        same("the output tokens", &found["output_tokens"], &Value::from(output))?;
        same("the total tokens", &found["total_tokens"], &Value::from(total))
    }
}

impl Rule {
    fn judge(&self, body: &Value) -> Result<(), String> {
        let (at, equals, has, lacks, absent) = match self {
            Self::Schemas { schemas } => {
                let tools = body["tools"].as_array().unwrap();
                let mut parameters = tools.iter().map(|tool| &tool["function"]["parameters"]);
                return parameters
                    .try_for_each(|schema| super::schemas::check(schema, schemas == "gemini", true));
            }
            Self::Value { at, equals, has, lacks, absent } => (at, equals, has, lacks, absent),
        };
        let found = body.pointer(at);
        if absent.is_some() {
            return same(at, &found, &None);
        }
        let found = found.ok_or(format!("{at} is missing"))?;
        if let Some(equals) = equals {
            same(at, found, equals)?;
        }
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        let has = has.as_ref().is_none_or(|words| text.contains(words));
        let lacks = lacks.as_ref().is_none_or(|words| !text.contains(words));
        if has && lacks { Ok(()) } else { Err(format!("{at} is {text}")) }
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, not {expected:?}")) }
}
