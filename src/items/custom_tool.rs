//! Custom tools: their input is raw text, a patch or a script, in a grammar perhaps.
//!
//! Nearly all Chat hosts know only functions, so a custom tool is declared as a function with the one string
//! argument `input`; at the others it stays what it is. On the way back the text is taken out of the JSON again *while it streams*:
//! a JSON string (the argument) within a JSON string (`arguments`), cut anywhere.

use super::{Call, CallHead, Conversation, Declaration, Entry, Form, OpenCall, Outbox};
use crate::chat::request::{Custom, CustomFormat, Grammar};
use crate::json::{self, Text, TextBuilder};
use crate::responses::{ApiError, CustomTool, CustomToolCall, Event, Object, OutputItem, Status};
use crate::sse::encode::Deltas;
use serde_json::Value;
use std::borrow::Cow;

/// Declared: `custom`.
pub(super) fn declare<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let tool = CustomTool::of(tool)?;
    let description = describe(&tool);
    conversation.tools.push(Declaration {
        namespace: None,
        name: tool.name.clone(),
        form: &FORM,
        description: Some(description),
        parameters: Cow::Owned(json::raw(&serde_json::json!({
            "type": "object",
            "properties": {"input": {"type": "string", "description": "The raw text, exactly as the tool takes it."}},
            "required": ["input"],
            "additionalProperties": false,
        }))),
        strict: None,
        custom: Some(native(&tool)),
    });
    Ok(())
}

/// Its declaration at hosts that know custom tools.
fn native<'a>(tool: &CustomTool<'a>) -> Custom<'a> {
    let grammar = tool.format.as_ref().and_then(|format| {
        Some(Grammar { syntax: format.syntax.clone(), definition: format.definition.clone()? })
    });
    Custom {
        name: tool.name.clone(),
        description: tool.description.clone(),
        format: grammar.map(|grammar| CustomFormat::Grammar { grammar }),
    }
}

/// The raw text of arguments that [`read_call`] wrote.
pub fn input_of(arguments: &Text<'_>) -> Option<Text<'static>> {
    #[derive(serde::Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Arguments<'a> {
        input: Text<'a>,
    }
    serde_json::from_str::<Arguments<'_>>(&arguments.decode())
        .ok()
        .map(|arguments| arguments.input.into_owned())
}

/// The client's description speaks of raw text and may forbid JSON, so say what that means for a function.
fn describe(tool: &CustomTool<'_>) -> Text<'static> {
    let mut text = TextBuilder::default();
    if let Some(description) = &tool.description {
        text.push(description);
        text.push(&Text::new("\n\n"));
    }
    text.push(&Text::new(
        "Put the whole text, as it is, into the argument `input`. Whatever is said above about raw text, \
         or about not using JSON, holds for the text inside `input`.",
    ));
    if let Some((format, definition)) = tool.format.as_ref().and_then(|f| Some((f, f.definition.as_ref()?))) {
        let syntax = format.syntax.as_deref().unwrap_or("given");
        text.push(&Text::new(&format!("\n\nThe text must follow this {syntax} grammar:\n")));
        text.push(definition);
    }
    text.finish()
}

/// In the history: `custom_tool_call`.
pub(super) fn read_call<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let call = CustomToolCall::of(item)?;
    conversation.entries.push(Entry::Call(Call {
        call_id: call.call_id,
        namespace: call.namespace,
        name: call.name,
        form: &FORM,
        arguments: Text::new(&format!("{{\"input\":{}}}", call.input.as_json())),
    }));
    Ok(())
}

/// Coming back: `custom_tool_call`.
pub static FORM: Form = Form { item: "custom_tool_call", open, needs_object: false };

#[derive(Debug)]
struct OpenCustom {
    id: String,
    output_index: usize,
    head: CallHead,
    reader: InputReader,
    /// The host sends the text itself: there is nothing to read it out of.
    is_raw: bool,
    input: TextBuilder,
    deltas: Deltas,
}

fn open(head: CallHead, out: &mut Outbox) -> Box<dyn OpenCall> {
    let id = out.id("ctc");
    let output_index = out.begin(&item(&id, &head, Status::InProgress, &Text::new("")));
    let deltas = Outbox::deltas(&Event::CustomToolCallInputDelta {
        sequence_number: 0,
        item_id: &id,
        output_index,
        delta: &Text::new(""),
    });
    Box::new(OpenCustom {
        id,
        output_index,
        head,
        reader: InputReader::default(),
        is_raw: false,
        input: TextBuilder::default(),
        deltas,
    })
}

fn item<'i>(id: &'i str, head: &'i CallHead, status: Status, input: &'i Text<'i>) -> OutputItem<'i> {
    OutputItem::CustomToolCall {
        id,
        status,
        call_id: &head.call_id,
        name: &head.name,
        namespace: head.namespace.as_deref(),
        input,
    }
}

impl OpenCustom {
    fn deliver(&mut self, delta: &Text<'_>, out: &mut Outbox) {
        if delta.is_empty() {
            return;
        }
        self.input.push(delta);
        out.send_delta(&self.deltas, delta);
    }
}

impl OpenCall for OpenCustom {
    fn arguments(&mut self, piece: &Text<'_>, out: &mut Outbox) {
        let text = self.reader.push(&piece.decode());
        self.deliver(&Text::new(&text), out);
    }

    fn raw(&mut self, piece: &Text<'_>, out: &mut Outbox) {
        self.is_raw = true;
        self.deliver(piece, out);
    }

    fn complete(mut self: Box<Self>, arguments: Text<'static>, out: &mut Outbox) {
        let is_read = self.is_raw || self.reader.began();
        if !is_read || self.reader.deviates {
            out.report_mut().repaired("arguments", &self.head.name);
        }
        let rest = if is_read { self.reader.finish() } else { other_form(&arguments.decode()) };
        self.deliver(&Text::new(&rest), out);
        let input = self.input.finish();
        out.send(|sequence_number| Event::CustomToolCallInputDone {
            sequence_number,
            item_id: &self.id,
            output_index: self.output_index,
            input: &input,
        });
        out.finish(&item(&self.id, &self.head, Status::Completed, &input));
    }

    /// Half a script looks like a whole one, and clients run what is closed without a look at its status: it stays open.
    fn cut(self: Box<Self>, _arguments: Text<'static>, _out: &mut Outbox) {}
}

/// The text of arguments that are not written as `{"input": "..."}`: models also send another key,
/// a bare string, or the raw text itself. It must arrive all the same.
fn other_form(arguments: &str) -> String {
    match serde_json::from_str(arguments) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(mut object)) => match (object.remove("input"), object.len()) {
            (Some(Value::String(text)), _) => text,
            (None, 0) => String::new(),
            (None, 1) => match object.into_iter().next() {
                Some((_, Value::String(text))) => text,
                _ => arguments.to_owned(),
            },
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

/// Takes the string out of `{"input": "..."}` as it arrives.
#[derive(Debug, Default)]
struct InputReader {
    state: ReaderState,
    /// A high surrogate whose low one has not come yet.
    high: Option<u16>,
    /// Something else follows the string.
    deviates: bool,
}

#[derive(Debug, Default)]
enum ReaderState {
    /// Nothing has come yet.
    #[default]
    Opening,
    /// Matched this many characters of [`OPENING`].
    Matched(usize),
    /// Within the string.
    Text,
    /// After a backslash within the string.
    Escape,
    /// Within the digits of `\u`.
    Unicode { digits: u8, value: u16 },
    /// After the string: within the brace that closes the object, or behind it.
    Closed { object: bool },
    /// The arguments have another form, see [`other_form`].
    Other,
}

/// What comes before the text, white space aside.
const OPENING: &str = "{\"input\":\"";

impl InputReader {
    /// Whether the string has begun.
    fn began(&self) -> bool {
        !matches!(self.state, ReaderState::Opening | ReaderState::Matched(_) | ReaderState::Other)
    }

    /// What `piece`, the next of the arguments, adds to the text.
    fn push(&mut self, piece: &str) -> String {
        let mut text = String::with_capacity(piece.len());
        for char in piece.chars() {
            self.step(char, &mut text);
        }
        text
    }

    /// A half of a surrogate pair that lost its other half.
    fn finish(&mut self) -> String {
        self.high.take().map(|_| char::REPLACEMENT_CHARACTER).into_iter().collect()
    }

    fn step(&mut self, char: char, text: &mut String) {
        self.state = match std::mem::take(&mut self.state) {
            ReaderState::Opening => self.opening(0, char),
            ReaderState::Matched(matched) => self.opening(matched, char),
            ReaderState::Text => match char {
                '"' => {
                    text.push_str(&self.finish());
                    ReaderState::Closed { object: false }
                }
                '\\' => ReaderState::Escape,
                other => self.literal(other, text),
            },
            ReaderState::Escape => match char {
                'u' => ReaderState::Unicode { digits: 0, value: 0 },
                'n' => self.literal('\n', text),
                't' => self.literal('\t', text),
                'r' => self.literal('\r', text),
                'b' => self.literal('\u{8}', text),
                'f' => self.literal('\u{c}', text),
                other => self.literal(other, text),
            },
            ReaderState::Unicode { digits, value } => {
                // JSON demands hexadecimal digits here; whatever else comes counts as 0.
                let value =
                    (value << 4) | char.to_digit(16).and_then(|digit| u16::try_from(digit).ok()).unwrap_or(0);
                match digits {
                    3 => self.unit(value, text),
                    _ => ReaderState::Unicode { digits: digits + 1, value },
                }
            }
            ReaderState::Closed { object: false } if char == '}' => ReaderState::Closed { object: true },
            state @ ReaderState::Closed { .. } => {
                self.deviates |= !char.is_ascii_whitespace();
                state
            }
            ReaderState::Other => ReaderState::Other,
        };
    }

    fn opening(&self, matched: usize, char: char) -> ReaderState {
        let mut expected = OPENING.chars().skip(matched);
        match expected.next() {
            Some(next) if next == char => match expected.next() {
                Some(_) => ReaderState::Matched(matched + 1),
                None => ReaderState::Text,
            },
            // White space may stand between the tokens, not within the key.
            _ if char.is_ascii_whitespace() && !(2..=7).contains(&matched) => ReaderState::Matched(matched),
            _ => ReaderState::Other,
        }
    }

    fn literal(&mut self, char: char, text: &mut String) -> ReaderState {
        text.push_str(&self.finish());
        text.push(char);
        ReaderState::Text
    }

    /// One UTF-16 unit that was written as `\uXXXX`.
    fn unit(&mut self, unit: u16, text: &mut String) -> ReaderState {
        let is_high = (0xD800..=0xDBFF).contains(&unit);
        match self.high.take() {
            None if is_high => self.high = Some(unit),
            Some(_) if is_high => {
                text.push(char::REPLACEMENT_CHARACTER);
                self.high = Some(unit);
            }
            high => {
                let units = high.into_iter().chain([unit]);
                text.extend(
                    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)),
                );
            }
        }
        ReaderState::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[&str] =
        &["", "plain", "*** Begin Patch\n+\"quoted\"\\\t\u{8}\n", "Grüße 🦀\u{FFFF}", "{\"input\":\"x\"}"];

    fn read(arguments: &str, size: usize) -> String {
        let mut reader = InputReader::default();
        let chars: Vec<char> = arguments.chars().collect();
        let mut text: String =
            chars.chunks(size).map(|piece| reader.push(&piece.iter().collect::<String>())).collect();
        assert!(reader.began(), "{arguments}");
        text.push_str(&reader.finish());
        text
    }

    #[test]
    fn the_text_arrives_however_the_arguments_are_cut() {
        for text in TEXTS {
            let compact = serde_json::json!({ "input": text }).to_string();
            let spaced = compact.replacen("{\"input\":", "{ \n\"input\" :\t ", 1);
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let escaped = format!("{{\"input\":\"{escaped}\"}}");
            for arguments in [&compact, &spaced, &escaped] {
                for size in 1..=arguments.len() {
                    assert_eq!(read(arguments, size), *text, "{arguments} by {size}");
                }
            }
        }
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (arguments, text) in [
            (r#"{"input":"a\ud83eb"}"#, "a\u{FFFD}b"),
            (r#"{"input":"\ud83e"}"#, "\u{FFFD}"),
            (r#"{"input":"\udd80"}"#, "\u{FFFD}"),
            (r#"{"input":"\ud83e\ud83e\udd80"}"#, "\u{FFFD}🦀"),
        ] {
            assert_eq!(read(arguments, 1), text, "{arguments}");
        }
    }

    #[test]
    fn other_forms_lose_no_text() {
        for (arguments, text) in [
            ("{}", ""),
            ("\"bare\"", "bare"),
            (r#"{"patch":"other key"}"#, "other key"),
            (r#"{"a":1,"input":"second"}"#, "second"),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#),
            ("*** Begin Patch", "*** Begin Patch"),
        ] {
            assert_eq!(other_form(arguments), text, "{arguments}");
        }
    }
}
