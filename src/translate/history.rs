//! The history as Chat hosts demand it: one leading system message, calls, reasoning and text of one
//! turn in one assistant message, and every tool message right after the call that it answers.

use super::toolbox::{Toolbox, host_call_id};
use crate::chat::request::{Assistant, Content, FunctionCall, Message, NamedText, Part, ToolCall};
use crate::config::History;
use crate::items::{Call, Entry, Output, Report};
use crate::json::{Text, TextBuilder};
use crate::responses::ApiError;
use crate::upstream::{ContentForm, EmptyContent, Options, System, ToolOutputImages};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Stands for an output that never came.
const NO_OUTPUT: &str = "(no output: the call was interrupted)";
/// Goes before what a tool returned that fits in no tool message.
const ATTACHED: &str = "(attached: see the next user message)";
/// Goes last if nobody asks anything: hosts refuse such a history, or go on with the last message instead of answering.
const GO_ON: &str = "Continue.";

/// Writes the messages of a conversation.
pub(super) struct Writer<'a, 'w> {
    options: &'a Options,
    toolbox: &'w mut Toolbox,
    report: &'w mut Report,
    messages: Vec<Message<'a>>,
    instructions: Vec<Part<'a>>,
    turn: Turn<'a>,
}

/// The assistant message that is being put together.
#[derive(Default)]
struct Turn<'a> {
    content: Vec<Part<'a>>,
    reasoning: Vec<Text<'a>>,
    calls: Vec<(Call<'a>, Output<'a>)>,
    /// An output was seen: what follows belongs to the next message.
    answered: bool,
}

/// The Chat form of a conversation.
///
/// # Errors
/// With [`History::Strict`], 400 for a call without output or an output without call, in OpenAI's words.
pub(super) fn messages<'a>(
    entries: Vec<Entry<'a>>,
    options: &'a Options,
    history: History,
    toolbox: &mut Toolbox,
    report: &mut Report,
) -> Result<Vec<Message<'a>>, ApiError> {
    let (entries, mut outputs) = pair(entries, history, report)?;
    let mut writer = Writer {
        options,
        toolbox,
        report,
        messages: Vec::new(),
        instructions: Vec::new(),
        turn: Turn::default(),
    };
    for entry in entries {
        writer.add(entry, &mut outputs);
    }
    Ok(writer.finish())
}

/// Outputs by the call that they answer; several for an id that was used again.
type Outputs<'a> = BTreeMap<Cow<'a, str>, VecDeque<Output<'a>>>;

/// Finds the output of each call. What remains among the entries are outputs' places, for the order.
fn pair<'a>(
    entries: Vec<Entry<'a>>,
    history: History,
    report: &mut Report,
) -> Result<(Vec<Entry<'a>>, Outputs<'a>), ApiError> {
    let mut open: BTreeMap<Cow<'a, str>, usize> = BTreeMap::new();
    for entry in &entries {
        if let Entry::Call(call) = entry {
            *open.entry(call.call_id.clone()).or_default() += 1;
        }
    }
    let mut outputs = Outputs::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Output(output) = entry else {
            kept.push(entry);
            continue;
        };
        match open.get_mut(&output.call_id).filter(|calls| **calls > 0) {
            Some(calls) => {
                *calls -= 1;
                kept.push(Entry::Output(Output { call_id: output.call_id.clone(), parts: Vec::new() }));
                outputs.entry(output.call_id.clone()).or_default().push_back(output);
            }
            None if history == History::Strict => {
                return Err(orphan(&output.call_id));
            }
            // What a tool said is worth something even if nobody knows what it was asked.
            None => {
                report.repaired("call_output", &output.call_id);
                kept.push(Entry::User(output.parts));
            }
        }
    }
    let unanswered = open.into_iter().find(|(_, calls)| *calls > 0);
    match unanswered {
        Some((call_id, _)) if history == History::Strict => {
            Err(ApiError::invalid(format!("No tool output found for function call {call_id}.")).at("input"))
        }
        _ => Ok((kept, outputs)),
    }
}

fn orphan(call_id: &str) -> ApiError {
    ApiError::invalid(format!("No tool call found for function call output with call_id {call_id}."))
        .at("input")
}

impl<'a> Writer<'a, '_> {
    fn add(&mut self, entry: Entry<'a>, outputs: &mut Outputs<'a>) {
        match entry {
            Entry::Instructions(parts) => self.instruct(parts),
            Entry::User(parts) => {
                self.end_turn();
                let content = self.content(parts);
                self.messages.push(Message::User { content });
            }
            Entry::Assistant(parts) => self.open_turn().content.extend(parts),
            Entry::Reasoning(text) => match self.options.reasoning_replay.field {
                Some(_) => self.open_turn().reasoning.push(text),
                None => self.report.dropped("item", "reasoning"),
            },
            Entry::Call(call) => {
                let output = outputs.get_mut(&call.call_id).and_then(VecDeque::pop_front);
                let output = output.unwrap_or_else(|| {
                    self.report.repaired("tool_call", &call.name);
                    let parts = vec![Part::Text { text: Text::new(NO_OUTPUT) }];
                    Output { call_id: call.call_id.clone(), parts }
                });
                self.open_turn().calls.push((call, output));
            }
            Entry::Output(_) => self.turn.answered = true,
        }
    }

    fn instruct(&mut self, parts: Vec<Part<'a>>) {
        match self.options.system {
            System::Merge => self.instructions.extend(parts),
            System::Keep => {
                self.end_turn();
                let content = self.content(parts);
                self.messages.push(match self.options.developer_role {
                    true => Message::Developer { content },
                    false => Message::System { content },
                });
            }
        }
    }

    fn open_turn(&mut self) -> &mut Turn<'a> {
        if self.turn.answered {
            self.end_turn();
        }
        &mut self.turn
    }

    fn end_turn(&mut self) {
        let turn = std::mem::take(&mut self.turn);
        if turn.content.is_empty() && turn.calls.is_empty() {
            // Reasoning alone is no message to any host.
            return;
        }
        let mut tool_calls = Vec::with_capacity(turn.calls.len());
        let mut answers = Vec::with_capacity(turn.calls.len());
        for (call, output) in turn.calls {
            let id = host_call_id(&call.call_id, self.options.tool_call_id_chars).into_owned();
            let name = self.toolbox.upstream_name(call.namespace.as_deref(), &call.name, call.form);
            let function = FunctionCall { name: Cow::Owned(name), arguments: call.arguments };
            tool_calls.push(ToolCall { id: Cow::Owned(id.clone()), r#type: "function", function });
            answers.push((id, output.parts));
        }
        let message = Assistant {
            content: self.assistant_content(turn.content, !tool_calls.is_empty()),
            reasoning: self.replayed(turn.reasoning, !tool_calls.is_empty()),
            tool_calls,
        };
        self.messages.push(Message::Assistant(message));
        self.answer(answers);
    }

    fn assistant_content(&self, parts: Vec<Part<'a>>, has_calls: bool) -> Option<Option<Content<'a>>> {
        if !parts.is_empty() || !has_calls {
            return Some(Some(self.content(parts)));
        }
        match self.options.assistant_content_with_calls {
            EmptyContent::Empty => Some(Some(Content::Text(Text::new("")))),
            EmptyContent::Null => Some(None),
            EmptyContent::Omit => None,
        }
    }

    fn replayed(&self, reasoning: Vec<Text<'a>>, has_calls: bool) -> Option<NamedText<'a>> {
        let replay = &self.options.reasoning_replay;
        let name = replay.field.as_deref()?;
        let wanted = !reasoning.is_empty() || (replay.always_present && has_calls);
        wanted.then(|| NamedText { name, text: joined(reasoning, "\n\n") })
    }

    /// The tool messages, and after them what fits in none.
    fn answer(&mut self, answers: Vec<(String, Vec<Part<'a>>)>) {
        let mut attachments = Vec::new();
        for (id, parts) in answers {
            let (text, attached) = self.tool_content(&id, parts);
            attachments.extend(attached);
            self.messages.push(Message::Tool { tool_call_id: Cow::Owned(id), content: Content::Text(text) });
        }
        if !attachments.is_empty() {
            self.messages.push(Message::User { content: Content::Parts(attachments) });
        }
    }

    fn tool_content(&mut self, id: &str, parts: Vec<Part<'a>>) -> (Text<'a>, Vec<Part<'a>>) {
        let (mut texts, mut attached) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Text { text } => texts.push(text),
                other => attached.push(other),
            }
        }
        if !attached.is_empty() {
            match self.options.tool_output_images {
                ToolOutputImages::UserMessage => {
                    texts.push(Text::new(ATTACHED));
                    let text = Text::new(&format!("Attached to the output of tool call {id}:"));
                    attached.insert(0, Part::Text { text });
                }
                ToolOutputImages::Drop => {
                    texts.push(Text::new("(an image was left out)"));
                    self.report.dropped("part", "input_image");
                    attached.clear();
                }
            }
        }
        (joined(texts, "\n"), attached)
    }

    /// Text alone is one string, unless the host wants parts.
    fn content(&self, parts: Vec<Part<'a>>) -> Content<'a> {
        let is_text = parts.iter().all(|part| matches!(part, Part::Text { .. }));
        match is_text && self.options.content == ContentForm::String {
            true => Content::Text(joined(parts.into_iter().filter_map(text_of).collect(), "\n\n")),
            false => Content::Parts(parts),
        }
    }

    fn finish(mut self) -> Vec<Message<'a>> {
        self.end_turn();
        if !self.instructions.is_empty() {
            let instructions = std::mem::take(&mut self.instructions);
            let content = self.content(instructions);
            self.messages.insert(0, Message::System { content });
        }
        if !matches!(self.messages.last(), Some(Message::User { .. } | Message::Tool { .. })) {
            self.messages.push(Message::User { content: Content::Text(Text::new(GO_ON)) });
        }
        self.messages
    }
}

fn text_of(part: Part<'_>) -> Option<Text<'_>> {
    match part {
        Part::Text { text } => Some(text),
        _ => None,
    }
}

fn joined<'a>(texts: Vec<Text<'a>>, separator: &str) -> Text<'a> {
    let separator = Text::new(separator);
    let mut texts = texts.into_iter();
    let Some(first) = texts.next() else { return Text::new("") };
    let mut rest = texts.peekable();
    if rest.peek().is_none() {
        return first;
    }
    let mut whole = TextBuilder::default();
    whole.push(&first);
    for text in rest {
        whole.push(&separator);
        whole.push(&text);
    }
    whole.finish()
}
