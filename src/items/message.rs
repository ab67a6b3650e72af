//! `message`: text and images of the user, the developer or the model.
//!
//! <https://developers.openai.com/api/docs/guides/text>
//!
//! ```json
//! {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
//! {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]}
//! ```

use super::{Conversation, Entry, EventWriter, content, ids};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder, RawJson};
use crate::report::Dropped;
use crate::wire::responses::{self, Annotation, DeltaTemplate, Event, OutputItem, OutputPart, Status};
use crate::wire::typed::Object;
use serde_json::Value;

/// Reads a `message`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let message = responses::Message::of(item)?;
    let entry = match &*message.role {
        "system" | "developer" => Entry::Instructions,
        "user" => Entry::User,
        "assistant" => Entry::Assistant,
        role => return Err(ApiError::wrong_value(item.path_to("role"), role, ROLES)),
    };
    let content = match message.content {
        Some(content) => content::read(item.located("content", content), &mut conversation.report)?,
        // Some clients keep a reply without text as a message. Nothing is lost with it.
        None if &*message.role == "assistant" => return Ok(()),
        None => return Err(ApiError::missing(item.path_to("content"))),
    };
    if !content.is_empty() {
        conversation.entries.push(entry(content));
    }
    Ok(())
}

const ROLES: &[&str] = &["assistant", "system", "developer", "user"];

/// Reads an `agent_message`, with which Codex gives a task to a sub-agent.
pub(super) fn read_agent_message<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    item.note_all_but(&["author", "content", "recipient"]);
    let content = item.field("content").ok_or_else(|| ApiError::missing(item.path_to("content")))?;
    let content = content::read(content, &mut conversation.report)?;
    if content.is_empty() {
        conversation.report.dropped(Dropped::Item, "agent_message");
    } else {
        conversation.entries.push(Entry::User(content));
    }
    Ok(())
}

/// The type of a content part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// `output_text`.
    Text,
    /// `refusal`.
    Refusal,
}

/// A `message` item that has started.
#[derive(Debug)]
pub struct OpenMessage {
    id: String,
    output_index: usize,
    closed: Vec<OutputPart<'static>>,
    part: Option<OpenPart>,
}

#[derive(Debug)]
struct OpenPart {
    kind: ContentKind,
    text: JsonStrBuilder,
    logprobs: Vec<RawJson<'static>>,
    annotations: Vec<RawJson<'static>>,
    deltas: DeltaTemplate,
}

impl OpenMessage {
    /// Starts the item. Call it only when there is text: an empty message blanks Codex's last answer.
    pub fn open(out: &mut EventWriter) -> Self {
        let id = out.id(ids::MESSAGE);
        let item =
            OutputItem::Message { id: &id, status: Status::InProgress, role: "assistant", content: &[] };
        let output_index = out.begin(&item);
        Self { id, output_index, closed: Vec::new(), part: None }
    }

    /// Adds the next piece of text, and starts a new part if its type differs from the last one's.
    pub fn push(
        &mut self,
        kind: ContentKind,
        piece: &JsonStr<'_>,
        logprobs: &[RawJson<'static>],
        out: &mut EventWriter,
    ) {
        if self.part.as_ref().is_some_and(|part| part.kind != kind) {
            self.close_part(out);
        }
        let at = (self.id.as_str(), self.output_index, self.closed.len());
        let (item_id, output_index, content_index) = at;
        let part = self.part.get_or_insert_with(|| {
            let part = kind.part(JsonStr::new(""), Vec::new(), Vec::new());
            out.send(|sequence_number| Event::ContentPartAdded {
                sequence_number,
                item_id,
                output_index,
                content_index,
                part: &part,
            });
            let deltas = out.deltas(&kind.delta(0, at, &JsonStr::new(""), &[]));
            OpenPart {
                kind,
                text: JsonStrBuilder::default(),
                logprobs: Vec::new(),
                annotations: Vec::new(),
                deltas,
            }
        });
        part.text.push(piece);
        if logprobs.is_empty() {
            return out.send_delta(&part.deltas, piece);
        }
        part.logprobs.extend_from_slice(logprobs);
        out.send(|sequence_number| kind.delta(sequence_number, at, piece, logprobs));
    }

    /// Adds a citation to the open text part. Some upstreams repeat citations: repeated ones are skipped.
    pub fn annotate(&mut self, annotation: RawJson<'static>, out: &mut EventWriter) {
        let (item_id, output_index, content_index) = (self.id.as_str(), self.output_index, self.closed.len());
        let Some(part) = self.part.as_mut().filter(|part| part.kind == ContentKind::Text) else { return };
        if part.annotations.iter().any(|known| known.get() == annotation.get()) {
            return;
        }
        let annotation_index = part.annotations.len();
        out.send(|sequence_number| Event::AnnotationAdded {
            sequence_number,
            item_id,
            output_index,
            content_index,
            annotation_index,
            annotation: &annotation,
        });
        part.annotations.push(annotation);
    }

    fn close_part(&mut self, out: &mut EventWriter) {
        let Some(open) = self.part.take() else { return };
        let (item_id, output_index, content_index) = (self.id.as_str(), self.output_index, self.closed.len());
        let part = open.kind.part(open.text.finish(), open.logprobs, open.annotations);
        out.send(|sequence_number| match &part {
            OutputPart::OutputText { text, logprobs, .. } => Event::OutputTextDone {
                sequence_number,
                item_id,
                output_index,
                content_index,
                text,
                logprobs,
            },
            OutputPart::Refusal { refusal } => {
                Event::RefusalDone { sequence_number, item_id, output_index, content_index, refusal }
            }
        });
        out.send(|sequence_number| Event::ContentPartDone {
            sequence_number,
            item_id,
            output_index,
            content_index,
            part: &part,
        });
        self.closed.push(part);
    }

    /// Closes the item.
    pub fn close(mut self, status: Status, out: &mut EventWriter) {
        self.close_part(out);
        out.finish(&OutputItem::Message { id: &self.id, status, role: "assistant", content: &self.closed });
    }
}

impl ContentKind {
    /// A delta event of a part, which is given by item id, output index and content index.
    fn delta<'e>(
        self,
        sequence_number: u64,
        (item_id, output_index, content_index): (&'e str, usize, usize),
        delta: &'e JsonStr<'e>,
        logprobs: &'e [RawJson<'static>],
    ) -> Event<'e> {
        match self {
            Self::Text => Event::OutputTextDelta {
                sequence_number,
                item_id,
                output_index,
                content_index,
                delta,
                logprobs,
            },
            Self::Refusal => {
                Event::RefusalDelta { sequence_number, item_id, output_index, content_index, delta }
            }
        }
    }

    fn part(
        self,
        text: JsonStr<'static>,
        logprobs: Vec<RawJson<'static>>,
        annotations: Vec<RawJson<'static>>,
    ) -> OutputPart<'static> {
        match self {
            Self::Text => OutputPart::OutputText { text, annotations, logprobs },
            Self::Refusal => OutputPart::Refusal { refusal: text },
        }
    }
}

/// A URL citation as the Responses API has it, flat. Upstreams write it nested or flat. `None` if it is not a URL
/// citation.
pub fn annotation(written: &Value) -> Option<RawJson<'static>> {
    let citation = written.get("url_citation").unwrap_or(written);
    let text = |key: &str| citation.get(key).and_then(Value::as_str);
    let number = |key: &str| citation.get(key).and_then(Value::as_u64).unwrap_or(0);
    if written.get("type")?.as_str()? != "url_citation" {
        return None;
    }
    Some(RawJson::compact(&Annotation::UrlCitation {
        start_index: number("start_index"),
        end_index: number("end_index"),
        url: text("url")?,
        title: text("title").unwrap_or_default(),
    }))
}
