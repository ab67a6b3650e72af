//! The reply on its way down: finds out what kind of bytes the upstream sends, and reads them.

use super::context::ReplyContext;
use super::{ChunkTemplate, ReplyStats, ResponseStream};
use crate::bounds;
use crate::config::Limits;
use crate::error::ApiError;
use crate::error::classify;
use crate::json::{self, DepthScanner};
use crate::report::Report;
use crate::sse::decode::{Decoder, Frame, TooLarge};
use crate::wire::chat::reply::Completion;
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads the body of a successful reply: server-sent events, one JSON document, or JSON lines.
#[derive(Debug)]
pub(super) struct BodyReader {
    machine: ResponseStream,
    source: Source,
    wants_stream: bool,
    limits: Limits,
}

/// What the upstream sends.
#[derive(Debug)]
enum Source {
    /// Nothing yet but white space, or one line of JSON is over and the next has not begun.
    Unknown,
    /// Events. `pattern` is that of an earlier one.
    Events { decoder: Decoder, pattern: Option<ChunkTemplate> },
    /// A JSON document: the whole reply, or one line of a stream of them.
    Document { body: Vec<u8>, brackets: DepthScanner },
    /// Everything was said.
    Over(Option<ApiError>),
}

impl BodyReader {
    pub(super) fn new(plan: ReplyContext, seed: u128, now: u64) -> Self {
        let (limits, wants_stream) = (plan.limits, plan.stream);
        Self { machine: ResponseStream::new(plan, seed, now), source: Source::Unknown, wants_stream, limits }
    }

    /// The time of what comes next, in Unix seconds; for `completed_at`.
    pub(super) fn set_time(&mut self, now: u64) {
        self.machine.set_time(now);
    }

    /// Takes the next bytes of the upstream's body, appends what the client gets now.
    /// A frame is appended whole or not at all.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.machine.is_over() {
            rest = self.take(rest);
        }
        self.deliver(out);
    }

    /// Takes what belongs together, and gives back what follows.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match &mut self.source {
            Source::Unknown => self.recognise(bytes),
            Source::Events { decoder, pattern } => {
                let mut rest = bytes;
                loop {
                    match decoder.next(&mut rest) {
                        Ok(Some(frame)) => read_frame(&mut self.machine, pattern, frame),
                        Ok(None) => return rest,
                        Err(TooLarge { limit }) => {
                            self.machine.fail(bounds::event_too_large(limit));
                            return rest;
                        }
                    }
                }
            }
            Source::Document { body, brackets } => {
                let (document, rest) = brackets.split(bytes);
                body.extend_from_slice(document);
                if brackets.closed() {
                    self.end_document();
                } else if body.len() > self.limits.reply_bytes {
                    self.machine.fail(bounds::reply_too_large(self.limits.reply_bytes));
                }
                rest
            }
            Source::Over(_) => &[],
        }
    }

    /// Finds out by the first byte what comes.
    fn recognise<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let start = bytes.iter().position(|byte| !is_padding(*byte)).unwrap_or(bytes.len());
        let (padding, rest) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
        if padding.contains(&b'\n') {
            self.machine.keep_alive();
        }
        match rest.first() {
            None => {}
            Some(b'{' | b'[') => {
                self.source = Source::Document { body: Vec::new(), brackets: DepthScanner::default() };
            }
            Some(b'<') => self.machine.fail(ApiError::upstream(
                "The upstream sent a page of HTML instead of a chat completion. Is its address right?",
            )),
            Some(_) => {
                self.source =
                    Source::Events { decoder: Decoder::new(self.limits.event_bytes), pattern: None };
            }
        }
        rest
    }

    /// The upstream's body ended: appends the rest.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        match &mut self.source {
            Source::Events { decoder, pattern } => {
                let machine = &mut self.machine;
                loop {
                    match decoder.finish() {
                        Ok(Some(frame)) => read_frame(machine, pattern, frame),
                        Ok(None) => break,
                        Err(TooLarge { limit }) => {
                            machine.fail(bounds::event_too_large(limit));
                            break;
                        }
                    }
                }
                self.machine.end(false);
            }
            Source::Unknown => self.machine.end(false),
            Source::Document { .. } => {
                self.end_document();
                self.machine.end(false);
            }
            Source::Over(_) => {}
        }
        self.deliver(out);
    }

    fn end_document(&mut self) {
        let Source::Document { body, .. } = std::mem::replace(&mut self.source, Source::Unknown) else {
            return;
        };
        self.machine.held_document(body.len());
        if read_document(&mut self.machine, &json::utf8(&body)) == Extent::Whole {
            self.machine.end(true);
        }
    }

    fn deliver(&mut self, out: &mut Vec<u8>) {
        self.machine.take_frames(out);
        if self.machine.is_over() && !matches!(self.source, Source::Over(_)) {
            self.source = Source::Over(self.machine.failure().cloned());
            if !self.wants_stream {
                out.extend_from_slice(&self.machine.document());
            }
        }
    }

    /// Nothing more will come out, whatever goes in. For a JSON reply this may be before the upstream's end.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.source, Source::Over(_))
    }

    /// What did not pass as it was, once it is done.
    pub(super) fn report(&self) -> &Report {
        self.machine.report()
    }

    /// Whether the model has said, thought or called something.
    pub(super) fn has_output(&self) -> bool {
        self.machine.has_output()
    }

    /// What it has come to.
    pub(super) fn stats(&self) -> ReplyStats {
        self.machine.stats()
    }

    /// The error in which it ended, if it did, once it is done: for a client whose headers are held,
    /// the body instead of what was pushed out.
    pub(super) fn error(&self) -> Option<&ApiError> {
        match &self.source {
            Source::Over(error) => error.as_ref(),
            _ => None,
        }
    }
}

/// DeepSeek sends blank lines while a model waits for its turn; others begin with a byte order mark.
fn is_padding(byte: u8) -> bool {
    byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(&byte)
}

fn read_frame(machine: &mut ResponseStream, pattern: &mut Option<ChunkTemplate>, frame: Frame<'_>) {
    match frame {
        _ if machine.is_over() => {}
        Frame::Comment => machine.keep_alive(),
        Frame::Event { name, data } => {
            machine.saw_event(data.len());
            let data = json::utf8(data);
            match name {
                b"error" => {
                    let value =
                        serde_json::from_str(&data).unwrap_or_else(|_| Value::String(data.into_owned()));
                    machine.fail(classify::in_reply(&value));
                }
                _ => read_event(machine, pattern, &data),
            }
        }
    }
}

fn read_event(machine: &mut ResponseStream, pattern: &mut Option<ChunkTemplate>, data: &str) {
    if let Some(chunk) = pattern.as_ref().and_then(|pattern| pattern.read(data)) {
        return machine.chunk(&chunk);
    }
    match data.trim() {
        "" => {}
        "[DONE]" | "\"[DONE]\"" => machine.end(true),
        data => match serde_json::from_str::<Completion<'_>>(data) {
            Ok(chunk) => {
                read_completion(machine, &chunk, data);
                *pattern = ChunkTemplate::of(&chunk, data).or(pattern.take());
            }
            // A sender that forgets the blank lines between events makes one event of many lines.
            Err(_) if data.contains('\n') => data.lines().for_each(|line| read_event(machine, pattern, line)),
            Err(problem) => read_broken(machine, data, &problem),
        },
    }
}

/// One broken event among good ones is skipped, but not if it held what cannot be missed.
fn read_broken(machine: &mut ResponseStream, data: &str, problem: &serde_json::Error) {
    if has_substance(data) {
        machine
            .fail(ApiError::upstream(format!("The upstream sent a chunk that cannot be read: {problem}.")));
    } else if data.trim_start_matches('[').get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error")) {
        machine.fail(classify::in_reply(&Value::String(data.to_owned())));
    }
}

/// Whether an event that cannot be read is a chunk, or mentions a tool call at least.
fn has_substance(data: &str) -> bool {
    let is_chunk = serde_json::from_str::<Value>(data).is_ok_and(|value| value.get("choices").is_some());
    is_chunk || ["tool_call", "function_call"].iter().any(|key| data.contains(key))
}

/// How much of the reply a document is.
#[derive(PartialEq, Eq)]
enum Extent {
    Whole,
    /// One of the lines in which it comes.
    Line,
}

fn read_document(machine: &mut ResponseStream, body: &str) -> Extent {
    match serde_json::from_str::<Completion<'_>>(body) {
        Ok(completion) => return read_completion(machine, &completion, body),
        Err(_) if body == "[DONE]" => {}
        Err(parse_error) => {
            let value = serde_json::from_str(body).ok();
            machine.fail(match value {
                Some(value) if !matches!(value, Value::Object(_)) || classify::is_error(&value) => {
                    classify::in_reply(&value)
                }
                _ => {
                    ApiError::upstream(format!("The upstream's reply is no chat completion: {parse_error}."))
                }
            });
        }
    }
    Extent::Whole
}

/// A completion or a chunk of one, an error in its place, or one of them in Cloudflare's envelope.
fn read_completion(machine: &mut ResponseStream, completion: &Completion<'_>, json: &str) -> Extent {
    if is_bare(completion) {
        if let Some(inner) = completion.result {
            return read_document(machine, inner.get());
        }
        let value: Value = serde_json::from_str(json).unwrap_or_default();
        if classify::is_error(&value) {
            machine.fail(classify::in_reply(&value));
            return Extent::Whole;
        }
    }
    machine.chunk(completion);
    extent(completion)
}

fn is_bare(completion: &Completion<'_>) -> bool {
    completion.choices.is_none()
        && !completion.message.is_some_and(is_object)
        && completion.response.is_none()
        && completion.tool_calls.is_none()
        && completion.error.is_none()
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// A chunk of a stream has deltas, or nothing but the usage; Ollama's own says whether it is the last.
fn extent(completion: &Completion<'_>) -> Extent {
    let is_chunk = match &completion.choices {
        Some(choices) => choices.iter().all(|choice| choice.message.is_none()),
        None => false,
    };
    match is_chunk || completion.done.is_some_and(|done| done.get() == "false") {
        true => Extent::Line,
        false => Extent::Whole,
    }
}
