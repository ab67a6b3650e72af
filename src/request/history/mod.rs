//! The history as Chat hosts demand it: one leading system message, calls, reasoning and text of one
//! turn in one assistant message, and every tool message right after the call that it answers.

mod call_id;
mod pairs;

use crate::config::History;
use crate::error::ApiError;
use crate::items::Toolbox;
use crate::items::{Call, Entry, Output, Reasoning};
use crate::json::{self, JsonStr};
use crate::report::{Dropped, Repaired, Report};
use crate::upstream::{
    ContentForm, CustomTools, EmptyContent, Options, System, ToolOutputImages, UserMessages,
};
use crate::wire::chat::request::{
    Assistant, Called, Content, CustomCall, FunctionCall, Message, NamedText, Part, ToolCall,
};
use call_id::upstream_call_id;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::vec;

/// Stands for an output that never came.
const NO_OUTPUT: &str = "(no output: the call was interrupted)";
/// Goes before what a tool returned that fits in no tool message.
const ATTACHED: &str = "(attached: see the next user message)";
/// Stands for a user who says nothing. Goes last if nobody asks anything: hosts refuse such a history, or go on with the
/// last message instead of answering. Goes first if the user never said anything: templates look for what was asked.
const GO_ON: &str = "Continue.";
/// Goes before instructions that came later, where only one leading system message is possible.
const INSTRUCTED: &str = "[System message]";

/// Stands between a tool's output and the user, for hosts that let only the assistant speak after a tool.
const BRIDGE: &str = "Noted.";

/// Writes the messages of a conversation.
pub(super) struct Writer<'a, 'w> {
    options: &'a Options,
    toolbox: &'w mut Toolbox,
    report: &'w mut Report,
    messages: Vec<Message<'a>>,
    instructions: Vec<Part<'a>>,
    turn: Turn<'a>,
    /// What the host wants back with a call, by the call's id.
    extras: BTreeMap<String, Box<RawValue>>,
    /// Of the calls that follow.
    outputs: vec::IntoIter<Option<Output<'a>>>,
}

/// The assistant message that is being put together.
#[derive(Default)]
struct Turn<'a> {
    content: Vec<Part<'a>>,
    reasoning: Vec<JsonStr<'a>>,
    details: Vec<Box<RawValue>>,
    calls: Vec<(Call<'a>, Output<'a>)>,
    /// An output was seen: what follows belongs to the next message.
    answered: bool,
}

impl Turn<'_> {
    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.calls.is_empty()
    }
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
    let (mut entries, outputs) = pairs::pair(entries, history, report)?;
    let extras = if options.reasoning_replay.signatures { extras(&mut entries) } else { BTreeMap::new() };
    let mut writer = Writer {
        options,
        toolbox,
        report,
        messages: Vec::with_capacity(entries.len()),
        instructions: Vec::new(),
        turn: Turn::default(),
        extras,
        outputs: outputs.into_iter(),
    };
    entries.into_iter().for_each(|entry| writer.add(entry));
    Ok(writer.finish())
}

/// A reasoning item holds them, before its call or, if they came late, after it.
fn extras(entries: &mut [Entry<'_>]) -> BTreeMap<String, Box<RawValue>> {
    let mut extras = BTreeMap::new();
    for entry in entries {
        if let Entry::Reasoning(thought) = entry {
            extras.extend(std::mem::take(&mut thought.calls));
        }
    }
    extras
}

impl<'a> Writer<'a, '_> {
    fn add(&mut self, entry: Entry<'a>) {
        match entry {
            Entry::Instructions(parts) => self.instruct(parts),
            Entry::User(parts) => {
                self.end_turn();
                self.user(parts);
            }
            Entry::Assistant(parts) => {
                let said: Vec<_> = parts.into_iter().filter(|part| !is_empty(part)).collect();
                if !said.is_empty() {
                    self.open_turn().content.extend(said);
                }
            }
            Entry::Reasoning(thought) => self.think(thought),
            Entry::Call(call) => {
                let output = self.outputs.next().flatten().unwrap_or_else(|| {
                    self.report.repaired(Repaired::ToolCall, &call.name);
                    let parts = vec![Part::Text { text: JsonStr::new(NO_OUTPUT) }];
                    Output { call_id: call.call_id.clone(), parts }
                });
                self.open_turn().calls.push((call, output));
            }
            Entry::Output(_) => self.turn.answered = true,
            Entry::Reference(_) => {}
        }
    }

    fn think(&mut self, thought: Reasoning<'a>) {
        let replay = &self.options.reasoning_replay;
        let Reasoning { text, details, .. } = thought;
        let details = if replay.details { details } else { Vec::new() };
        match (text, replay.field.is_some()) {
            (Some(text), true) => self.open_turn().reasoning.push(text),
            (Some(_), false) if details.is_empty() => self.report.dropped(Dropped::Item, "reasoning"),
            _ => {}
        }
        if !details.is_empty() {
            self.open_turn().details.extend(details);
        }
    }

    fn instruct(&mut self, mut parts: Vec<Part<'a>>) {
        parts.retain(|part| !is_empty(part));
        if parts.is_empty() {
            return;
        }
        let is_leading = self.messages.is_empty() && self.turn.is_empty();
        match self.options.system {
            System::Merge if is_leading => self.instructions.extend(parts),
            // To change the first message would cost the prompt cache of the whole conversation, and tell the
            // model that it had known all along.
            System::Merge => {
                self.end_turn();
                parts.insert(0, Part::Text { text: JsonStr::new(INSTRUCTED) });
                self.user(parts);
            }
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
        if turn.is_empty() {
            // Reasoning alone is no message to any host.
            if !turn.reasoning.is_empty() || !turn.details.is_empty() {
                self.report.dropped(Dropped::Item, "reasoning");
            }
            return;
        }
        let mut ids = BTreeSet::new();
        let mut tool_calls = Vec::with_capacity(turn.calls.len());
        let mut answers = Vec::with_capacity(turn.calls.len());
        let mut calls = turn.calls.into_iter();
        while let Some((call, output)) = calls.next() {
            let id = self.unused_id(&call.call_id, &ids);
            // Most turns have one call, and nobody asks for the last.
            if calls.len() > 0 {
                ids.insert(id.clone());
            }
            let extra_content = self.extras.remove(&*call.call_id);
            let called = self.called(call);
            tool_calls.push(ToolCall { id: id.clone(), called, extra_content });
            answers.push((id, output.parts));
        }
        self.sign(&mut tool_calls);
        let message = Assistant {
            content: self.assistant_content(turn.content, !tool_calls.is_empty()),
            reasoning: self.replayed(turn.reasoning, !tool_calls.is_empty()),
            reasoning_details: self.replayed_details(turn.details, !tool_calls.is_empty()),
            tool_calls,
        };
        self.messages.push(Message::Assistant(message));
        self.answer(answers);
    }

    /// Where a signature is demanded and none came back, the host is told to do without.
    fn sign(&self, tool_calls: &mut [ToolCall<'a>]) {
        let unsigned = tool_calls.iter().all(|call| call.extra_content.is_none());
        if let (Some(first), true) = (tool_calls.first_mut(), unsigned) {
            first.extra_content = self.options.reasoning_replay.unsigned.as_ref().map(json::raw);
        }
    }

    /// The call in the form in which its tool is declared upstream.
    fn called(&mut self, call: Call<'a>) -> Called<'a> {
        let name = match self.toolbox.name_for_call(call.namespace.as_deref(), &call.name, call.kind) {
            upstream if upstream == call.name => call.name,
            upstream => Cow::Owned(upstream.to_owned()),
        };
        match call.input.filter(|_| self.options.custom_tools == CustomTools::Native) {
            Some(input) => Called::Custom { custom: CustomCall { name, input } },
            None => Called::Function { function: FunctionCall { name, arguments: call.arguments } },
        }
    }

    /// The host's id of a call. Of calls that share an id, each but the first gets one of its own, or nobody
    /// could tell which of them a tool message answers.
    fn unused_id(&self, call_id: &Cow<'a, str>, used: &BTreeSet<Cow<'a, str>>) -> Cow<'a, str> {
        let first = match call_id {
            Cow::Borrowed(id) => upstream_call_id(id, self.options),
            Cow::Owned(id) => Cow::Owned(upstream_call_id(id, self.options).into_owned()),
        };
        let numbered = (used.len() + 1..)
            .map(|number| upstream_call_id(&format!("{call_id}_{number}"), self.options).into_owned());
        let numbered = numbered.map(Cow::Owned);
        std::iter::once(first).chain(numbered).find(|id| !used.contains(id)).unwrap_or_default()
    }

    fn assistant_content(&self, parts: Vec<Part<'a>>, has_calls: bool) -> Option<Option<Content<'a>>> {
        if !parts.is_empty() || !has_calls {
            return Some(Some(self.content(parts)));
        }
        match self.options.assistant_content_with_calls {
            EmptyContent::Empty => Some(Some(Content::Text(JsonStr::new("")))),
            EmptyContent::Null => Some(None),
            EmptyContent::Omit => None,
        }
    }

    fn replayed(&self, reasoning: Vec<JsonStr<'a>>, has_calls: bool) -> Option<NamedText<'a>> {
        let replay = &self.options.reasoning_replay;
        let name = replay.field.as_deref()?;
        let wanted = !reasoning.is_empty() || (replay.always_present && has_calls);
        wanted.then(|| NamedText { name, text: JsonStr::joined(reasoning, "\n\n") })
    }

    fn replayed_details(&self, details: Vec<Box<RawValue>>, has_calls: bool) -> Option<Vec<Box<RawValue>>> {
        let replay = &self.options.reasoning_replay;
        let wanted = !details.is_empty() || (replay.details && replay.always_present && has_calls);
        wanted.then_some(details)
    }

    /// The tool messages, and after them what fits in none.
    fn answer(&mut self, answers: Vec<(Cow<'a, str>, Vec<Part<'a>>)>) {
        let mut attachments = Vec::new();
        for (id, parts) in answers {
            let (text, attached) = self.tool_content(&id, parts);
            attachments.extend(attached);
            self.messages.push(Message::Tool { tool_call_id: id, content: Content::Text(text) });
        }
        if !attachments.is_empty() {
            self.user(attachments);
        }
    }

    /// What the user said. It stays in parts until no more can join them.
    fn user(&mut self, parts: Vec<Part<'a>>) {
        match self.messages.last_mut() {
            Some(Message::User { content: Content::Parts(said) })
                if self.options.user_messages == UserMessages::Merge =>
            {
                return said.extend(parts);
            }
            Some(Message::Tool { .. }) if self.options.assistant_after_tools => {
                let content = Some(Some(Content::Text(JsonStr::new(BRIDGE))));
                self.messages.push(Message::Assistant(Assistant { content, ..Assistant::default() }));
            }
            _ => {}
        }
        self.messages.push(Message::User { content: Content::Parts(parts) });
    }

    fn tool_content(&mut self, id: &str, parts: Vec<Part<'a>>) -> (JsonStr<'a>, Vec<Part<'a>>) {
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
                    texts.push(JsonStr::new(ATTACHED));
                    let text = JsonStr::new(&format!("Attached to the output of tool call {id}:"));
                    attached.insert(0, Part::Text { text });
                }
                ToolOutputImages::Drop => {
                    texts.push(JsonStr::new("(what was attached was left out)"));
                    attached.drain(..).for_each(|part| self.report.dropped(Dropped::Part, part.input_type()));
                }
            }
        }
        (JsonStr::joined(texts, "\n"), attached)
    }

    /// Text alone is one string, unless the host wants parts.
    fn content(&self, parts: Vec<Part<'a>>) -> Content<'a> {
        let is_text = parts.iter().all(|part| matches!(part, Part::Text { .. }));
        match is_text && self.options.content == ContentForm::String {
            true => Content::Text(JsonStr::joined(parts.into_iter().filter_map(text_of), "\n\n")),
            false => Content::Parts(parts),
        }
    }

    /// Hosts and their templates want to be asked something.
    fn let_somebody_ask(&mut self) {
        let user = || Message::User { content: Content::Text(JsonStr::new(GO_ON)) };
        let last = self.messages.iter().rfind(|message| !is_instruction(message));
        if !matches!(last, Some(Message::User { .. } | Message::Tool { .. })) {
            self.messages.push(user());
        } else if !self.messages.iter().any(|message| matches!(message, Message::User { .. })) {
            let first = self.messages.iter().take_while(|message| is_instruction(message)).count();
            self.messages.insert(first, user());
        }
    }

    fn finished(&self, message: Message<'a>) -> Message<'a> {
        match message {
            Message::User { content: Content::Parts(parts) } => {
                Message::User { content: self.content(parts) }
            }
            other => other,
        }
    }

    fn finish(mut self) -> Vec<Message<'a>> {
        self.end_turn();
        self.let_somebody_ask();
        if !self.instructions.is_empty() {
            let instructions = std::mem::take(&mut self.instructions);
            let content = self.content(instructions);
            self.messages.insert(0, Message::System { content });
        }
        let messages = std::mem::take(&mut self.messages).into_iter();
        messages.map(|message| self.finished(message)).collect()
    }
}

fn is_instruction(message: &Message<'_>) -> bool {
    matches!(message, Message::System { .. } | Message::Developer { .. })
}

fn is_empty(part: &Part<'_>) -> bool {
    matches!(part, Part::Text { text } if text.is_empty())
}

fn text_of(part: Part<'_>) -> Option<JsonStr<'_>> {
    match part {
        Part::Text { text } => Some(text),
        _ => None,
    }
}
