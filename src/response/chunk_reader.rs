//! Reads the chunks in frames and documents, and tells them from errors and from replies of other APIs.

use super::context::ReplyContext;
use super::normalizer::chunk_template::ChunkTemplate;
use super::outcome::{End, Mark};
use super::stats::ReplyStats;
use super::stream::ResponseStream;
use crate::error::{ApiError, classify};
use crate::json;
use crate::sse::decode::Frame;
use crate::wire::chat::reply::Completion;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Reads the chunks in frames and documents.
#[derive(Debug)]
pub(super) struct ChunkReader {
    pub(super) stream: ResponseStream,
    /// The parts that the events of this stream share.
    template: Option<ChunkTemplate>,
    largest_event: usize,
    document_bytes: usize,
}

impl ChunkReader {
    pub(super) fn new(context: ReplyContext, seed: u128, now: u64) -> Self {
        let stream = ResponseStream::new(context, seed, now);
        Self { stream, template: None, largest_event: 0, document_bytes: 0 }
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> ReplyStats {
        let stats = self.stream.stats();
        ReplyStats {
            held_bytes: stats.held_bytes.max(self.document_bytes),
            largest_event: self.largest_event,
            ..stats
        }
    }

    /// Reads an event or a comment.
    pub(super) fn frame(&mut self, frame: Frame<'_>, now: u64) -> Result<(), End> {
        match frame {
            Frame::Comment => {
                self.stream.keep_alive(now);
                Ok(())
            }
            Frame::Event { name, data } => {
                self.largest_event = self.largest_event.max(data.len());
                let data = json::utf8(data);
                if name == b"error" {
                    let error = json::from_text(&data).unwrap_or_else(|_| Value::String(data.into_owned()));
                    return Err(classify::in_reply(&error).into());
                }
                self.event(&data, now)
            }
        }
    }

    fn event(&mut self, data: &str, now: u64) -> Result<(), End> {
        if let Some(piece) = self.template.as_ref().and_then(|template| template.read(data)) {
            return Ok(self.stream.piece(&piece, now)?);
        }
        match data.trim() {
            "" => Ok(()),
            "[DONE]" | "\"[DONE]\"" => Err(End::Marked(Mark::Done)),
            data => match serde_json::from_str::<Completion<'_>>(data) {
                Ok(chunk) => {
                    self.completion(&chunk, data, now)?;
                    self.template = ChunkTemplate::of(&chunk, data).or(self.template.take());
                    Ok(())
                }
                Err(problem) => self.unusual_event(data, &problem, now),
            },
        }
    }

    /// An event that is no chunk as it is.
    fn unusual_event(&mut self, data: &str, problem: &serde_json::Error, now: u64) -> Result<(), End> {
        let once = with_last_keys(data);
        match serde_json::from_str::<Completion<'_>>(&once) {
            Ok(chunk) => self.completion(&chunk, &once, now).map(drop),
            // If an upstream omits the blank lines between events, all of them are one event with many lines.
            Err(_) if data.contains('\n') => data.lines().try_for_each(|line| self.event(line, now)),
            Err(_) => Ok(broken_event(data, problem)?),
        }
    }

    /// Reads a document: the complete reply, or one of its lines.
    pub(super) fn document(&mut self, body: &[u8], now: u64) -> Result<(), End> {
        self.document_bytes = body.len();
        match self.document_text(&json::utf8(body), now)? {
            Extent::Complete => Err(End::Marked(Mark::Complete)),
            Extent::Line => Ok(()),
        }
    }

    /// A document, perhaps in Cloudflare's envelope. An envelope within it is not opened: a chain of them could need more
    /// stack than there is.
    fn document_text(&mut self, body: &str, now: u64) -> Result<Extent, End> {
        let mut repaired = String::new();
        let (outer, json) = parse(body, &mut repaired)?;
        let Some(inner) = outer.result.filter(|_| is_bare(&outer)) else {
            return self.completion(&outer, json, now);
        };
        let mut repaired = String::new();
        let (inner, json) = parse(inner.get(), &mut repaired)?;
        self.completion(&inner, json, now)
    }

    /// A completion, a chunk of one, or an error in its place.
    fn completion(&mut self, completion: &Completion<'_>, json: &str, now: u64) -> Result<Extent, End> {
        let is_bare = is_bare(completion);
        let begins = !self.stream.has_output();
        if is_bare || begins && completion.choices.is_none() {
            let value: Value = json::from_text(json).unwrap_or_default();
            if is_bare && classify::is_error(&value) {
                return Err(classify::in_reply(&value).into());
            }
            if begins && let Some(error) = classify::in_other_api(&value) {
                return Err(error.into());
            }
        }
        self.stream.chunk(completion, now)?;
        Ok(Extent::of(completion))
    }
}

/// Reads a document, and returns the JSON that was read: the body, or `repaired` if a key came twice.
fn parse<'j>(body: &'j str, repaired: &'j mut String) -> Result<(Completion<'j>, &'j str), End> {
    match serde_json::from_str(body) {
        Ok(completion) => Ok((completion, body)),
        Err(_) if body == "[DONE]" => Err(End::Marked(Mark::Done)),
        Err(problem) => {
            *repaired = with_last_keys(body);
            match serde_json::from_str(repaired) {
                Ok(completion) => Ok((completion, repaired)),
                Err(_) => Err(broken_document(body, &problem).into()),
            }
        }
    }
}

/// How much of the reply a document is.
enum Extent {
    Complete,
    /// One line of a stream of JSON lines.
    Line,
}

impl Extent {
    /// A chunk of a stream has deltas, perhaps together with a message, or only the usage. Ollama's own form marks the
    /// last one.
    fn of(completion: &Completion<'_>) -> Self {
        let is_chunk = match &completion.choices {
            Some(choices) => choices.iter().all(|choice| choice.message.is_none() || choice.delta.is_some()),
            None => false,
        };
        if is_chunk || completion.done.is_some_and(|done| done.get() == "false") {
            Self::Line
        } else {
            Self::Complete
        }
    }
}

/// Whether it holds no part of a reply.
fn is_bare(completion: &Completion<'_>) -> bool {
    // The last chunk may have the usage alone.
    let lacks_choices = match completion.choices.as_deref() {
        None => true,
        Some(choices) => choices.is_empty() && completion.usage.is_none(),
    };
    lacks_choices
        && !completion.message.is_some_and(is_object)
        && completion.response.is_none()
        && completion.tool_calls.is_none()
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// The JSON with the last value of each key, as in other readers. serde rejects a repeated key.
fn with_last_keys(json: &str) -> String {
    last_keys(json, CHUNK_DEPTH)
}

/// How deeply the fields of a chunk are nested.
const CHUNK_DEPTH: usize = 16;

/// Strings stay as they are written, since one may be half a character.
fn last_keys(json: &str, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return json.to_owned() };
    let list = |values: Vec<String>| values.join(",");
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        let field = |(key, value): (String, &RawValue)| {
            format!("{}:{}", Value::from(key), last_keys(value.get(), depth))
        };
        format!("{{{}}}", list(fields.into_iter().map(field).collect()))
    } else if let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(json) {
        format!("[{}]", list(values.into_iter().map(|value| last_keys(value.get(), depth)).collect()))
    } else {
        json.to_owned()
    }
}

/// Skips an event that cannot be read, unless it is an error or may contain a part of the reply.
fn broken_event(data: &str, problem: &serde_json::Error) -> Result<(), ApiError> {
    if let Some(error) = classify::unescaped(data).or_else(|| classify::in_list(data)) {
        return Err(error);
    }
    if has_substance(data) {
        return Err(ApiError::upstream(format!("The upstream sent an unreadable chunk: {problem}.")));
    }
    let is_error =
        data.trim_start_matches('[').get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"));
    if is_error { Err(classify::in_reply(&Value::String(data.to_owned()))) } else { Ok(()) }
}

/// What only a chunk has that may hold text or a call. A chunk that was cut off, that Python printed in its own form, or
/// in which it wrote NaN is not JSON.
const SUBSTANCE: &[&str] = &["\"choices\"", "'choices'", "tool_call", "function_call", "NaN", "Infinity"];

/// Whether an event that cannot be read is a chunk, or at least mentions a tool call.
fn has_substance(data: &str) -> bool {
    SUBSTANCE.iter().any(|sign| data.contains(sign))
}

/// The error for a document that is not a completion.
fn broken_document(body: &str, problem: &serde_json::Error) -> ApiError {
    match json::from_text(body).ok() {
        Some(value) if !matches!(value, Value::Object(_)) || classify::is_error(&value) => {
            classify::in_reply(&value)
        }
        _ => classify::unescaped(body).unwrap_or_else(|| {
            ApiError::upstream(format!("The upstream's reply is not a chat completion: {problem}."))
        }),
    }
}
