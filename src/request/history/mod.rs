//! Writes the history as Chat Completions requires it: one system message first; reasoning, text and calls of
//! one turn in one assistant message; and right after it one tool message for each of its calls.

mod call_id;
mod pairs;
mod tool_output;

use crate::config::History;
use crate::error::ApiError;
use crate::items::{Call, Entry, Origin, Reasoning, Toolbox};
use crate::json::{JsonStr, RawJson};
use crate::report::{Dropped, Report};
use crate::response::context::CallIds;
use crate::tools::call_id::similar_ids;
use crate::upstream::{ContentForm, CustomTools, EmptyContent, Options, System, UserImages, UserMessages};
use crate::wire::chat::request::{
    Assistant, AssistantContent, Called, Content, CustomCall, FunctionCall, Message, NamedText, Part,
    ToolCall,
};
use call_id::upstream_call_id;
use pairs::Step;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A user message for histories that lack one. If the last message is the model's, upstreams reject the history or
/// continue that message. Without any user message, some chat templates fail.
const CONTINUE: &str = "Continue.";

/// Precedes instructions in a user message, for upstreams that accept a system message only at the beginning.
const SYSTEM_HEADING: &str = "[System message]";

/// An assistant message between tool output and user, for upstreams that require one there.
const BRIDGE: &str = "Noted.";

/// Replaces an image that the model cannot see.
const NO_IMAGE: &str = "(an image was left out: the model accepts only text)";

/// The ids of all calls. The calls of the reply must not reuse them.
pub(super) fn call_ids(entries: &[Entry<'_>]) -> CallIds {
    let mut ids = CallIds::default();
    for id in entries.iter().filter_map(pairs::call_id) {
        ids.insert(id);
    }
    ids
}

/// Translates the history into messages.
///
/// # Errors
/// With [`History::Strict`], 400 if the history lacks something, in OpenAI's words.
pub(super) fn messages<'a>(
    entries: Vec<Entry<'a>>,
    policy: History,
    options: &'a Options,
    toolbox: &mut Toolbox,
    withheld: &mut Vec<Origin<'a>>,
    report: &mut Report,
) -> Result<Vec<Message<'a>>, ApiError> {
    let mut steps = pairs::pair(entries, policy, report)?;
    let extras = if options.reasoning_replay.signatures { extras(&mut steps) } else { BTreeMap::new() };
    let mut writer = Writer {
        options,
        toolbox,
        withheld,
        report,
        messages: Vec::with_capacity(steps.len()),
        instructions: Vec::new(),
        turn: Turn::default(),
        extras,
    };
    steps.into_iter().for_each(|step| writer.add(step));
    Ok(writer.finish())
}

/// `extra_content` of calls, by `call_id`. Reasoning items hold it, before or after the call.
fn extras(steps: &mut [Step<'_>]) -> BTreeMap<String, RawJson<'static>> {
    let mut extras = BTreeMap::new();
    for step in steps {
        if let Step::Reasoning(reasoning) = step {
            extras.extend(std::mem::take(&mut reasoning.calls));
        }
    }
    extras
}

/// Writes messages step by step.
struct Writer<'a, 'w> {
    options: &'a Options,
    toolbox: &'w mut Toolbox,
    withheld: &'w mut Vec<Origin<'a>>,
    report: &'w mut Report,
    messages: Vec<Message<'a>>,
    /// The content of the leading system message.
    instructions: Vec<Part<'a>>,
    turn: Turn<'a>,
    extras: BTreeMap<String, RawJson<'static>>,
}

/// Outputs, each with the upstream's id of its call.
type Outputs<'a> = Vec<(Cow<'a, str>, Vec<Part<'a>>)>;

/// The assistant message that is being collected.
#[derive(Default)]
struct Turn<'a> {
    content: Vec<Part<'a>>,
    reasoning: Vec<JsonStr<'a>>,
    /// The items of the reasoning and its details.
    origins: Vec<Origin<'a>>,
    details: Vec<RawJson<'static>>,
    calls: Vec<(Call<'a>, Vec<Part<'a>>)>,
    /// An output was sent: what follows belongs to the next message.
    answered: bool,
}

impl Turn<'_> {
    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.calls.is_empty()
    }
}

impl<'a> Writer<'a, '_> {
    fn add(&mut self, step: Step<'a>) {
        match step {
            Step::Instructions(parts) => self.add_instructions(parts),
            Step::User(parts) => {
                self.end_turn();
                self.push_user(parts);
            }
            Step::Assistant(parts) => {
                let parts: Vec<_> = parts.into_iter().filter(|part| !is_empty(part)).collect();
                if !parts.is_empty() {
                    self.open_turn().content.extend(parts);
                }
            }
            Step::Reasoning(reasoning) => self.add_reasoning(reasoning),
            Step::Call(call, output) => self.open_turn().calls.push((call, output)),
            Step::OutputSent => self.turn.answered = true,
        }
    }

    fn add_reasoning(&mut self, reasoning: Reasoning<'a>) {
        let replay = &self.options.reasoning_replay;
        let Reasoning { origin, text, details, .. } = reasoning;
        let details = if replay.details { details } else { Vec::new() };
        match (text, replay.field.is_some()) {
            (Some(text), true) => self.open_turn().reasoning.push(text),
            (Some(_), false) if details.is_empty() => return self.withhold([origin]),
            _ => {}
        }
        let turn = self.open_turn();
        turn.origins.push(origin);
        turn.details.extend(details);
    }

    /// The model does not get the reasoning of these items.
    fn withhold(&mut self, origins: impl IntoIterator<Item = Origin<'a>>) {
        self.report.dropped(Dropped::Item, "reasoning");
        self.withheld.extend(origins);
    }

    fn add_instructions(&mut self, mut parts: Vec<Part<'a>>) {
        parts.retain(|part| !is_empty(part));
        if parts.is_empty() {
            return;
        }
        let is_leading = self.messages.is_empty() && self.turn.is_empty();
        match self.options.system {
            System::Merge if is_leading => self.instructions.extend(parts),
            // Adding later instructions to the first message would invalidate the prompt cache of the entire
            // conversation, and the model would seem to have known them from the beginning.
            System::Merge => {
                self.end_turn();
                parts.insert(0, Part::Text { text: JsonStr::new(SYSTEM_HEADING) });
                self.push_user(parts);
            }
            System::Keep => {
                self.end_turn();
                let content = self.content(parts);
                self.messages.push(if self.options.developer_role {
                    Message::Developer { content }
                } else {
                    Message::System { content }
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
            // No upstream accepts a message that has only reasoning.
            if !turn.reasoning.is_empty() || !turn.details.is_empty() {
                self.withhold(turn.origins);
            }
            return;
        }
        let (tool_calls, outputs) = self.tool_calls(turn.calls);
        let message = Assistant {
            content: self.assistant_content(turn.content, !tool_calls.is_empty()),
            reasoning: self.replayed(turn.reasoning, !tool_calls.is_empty()),
            reasoning_details: self.replayed_details(turn.details, !tool_calls.is_empty()),
            tool_calls,
        };
        self.messages.push(Message::Assistant(message));
        self.push_outputs(outputs);
    }

    /// The calls of a turn, and their outputs by the upstream's call ids.
    fn tool_calls(&mut self, calls: Vec<(Call<'a>, Vec<Part<'a>>)>) -> (Vec<ToolCall<'a>>, Outputs<'a>) {
        let mut used = BTreeSet::new();
        let mut tool_calls = Vec::with_capacity(calls.len());
        let mut outputs = Vec::with_capacity(calls.len());
        let mut calls = calls.into_iter();
        while let Some((call, output)) = calls.next() {
            let id = self.unused_id(&call.call_id, &used);
            // Most turns have one call, so the last id is not noted.
            if calls.len() > 0 {
                used.insert(id.clone());
            }
            let extra_content = self.extras.remove(&*call.call_id);
            tool_calls.push(ToolCall { id: id.clone(), called: self.called(call), extra_content });
            outputs.push((id, output));
        }
        self.sign(&mut tool_calls);
        (tool_calls, outputs)
    }

    /// If the upstream requires a signature and the client brought none back, it gets the value that skips the
    /// check.
    fn sign(&self, tool_calls: &mut [ToolCall<'a>]) {
        let unsigned = tool_calls.iter().all(|call| call.extra_content.is_none());
        if let (Some(first), true) = (tool_calls.first_mut(), unsigned) {
            first.extra_content = self.options.reasoning_replay.unsigned.as_ref().map(RawJson::new);
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

    /// The upstream's id of a call. Calls of one turn that share an id get different ones, because a tool message
    /// refers to its call by the id alone.
    fn unused_id(&self, call_id: &Cow<'a, str>, used: &BTreeSet<Cow<'a, str>>) -> Cow<'a, str> {
        let first = match call_id {
            Cow::Borrowed(id) => upstream_call_id(id, self.options),
            Cow::Owned(id) => Cow::Owned(upstream_call_id(id, self.options).into_owned()),
        };
        // The first ones probably belong to the calls before.
        let similar = similar_ids(call_id, used.len().saturating_sub(1))
            .map(|id| Cow::Owned(upstream_call_id(&id, self.options).into_owned()));
        std::iter::once(first).chain(similar).find(|id| !used.contains(id)).unwrap_or_default()
    }

    fn assistant_content(&self, parts: Vec<Part<'a>>, has_calls: bool) -> AssistantContent<'a> {
        if !parts.is_empty() || !has_calls {
            return AssistantContent::Present(self.content(parts));
        }
        match self.options.assistant_content_with_calls {
            EmptyContent::Empty => AssistantContent::Present(Content::Text(JsonStr::default())),
            EmptyContent::Null => AssistantContent::Null,
            EmptyContent::Omit => AssistantContent::Absent,
        }
    }

    fn replayed(&self, reasoning: Vec<JsonStr<'a>>, has_calls: bool) -> Option<NamedText<'a>> {
        let replay = &self.options.reasoning_replay;
        let name = replay.field.as_deref()?;
        let wanted = !reasoning.is_empty() || (replay.always_present && has_calls);
        wanted.then(|| NamedText { name, text: JsonStr::joined(reasoning, "\n\n") })
    }

    fn replayed_details(
        &self,
        details: Vec<RawJson<'static>>,
        has_calls: bool,
    ) -> Option<Vec<RawJson<'static>>> {
        let replay = &self.options.reasoning_replay;
        let wanted = !details.is_empty() || (replay.details && replay.always_present && has_calls);
        wanted.then_some(details)
    }

    /// Writes one tool message for each output, and then a user message with the parts that tool messages cannot hold.
    fn push_outputs(&mut self, outputs: Outputs<'a>) {
        let mut attachments = Vec::new();
        for (id, parts) in outputs {
            let (text, attached) =
                tool_output::split(&id, parts, self.options.tool_output_images, self.report);
            attachments.extend(attached);
            self.messages.push(Message::Tool { tool_call_id: id, content: Content::Text(text) });
        }
        if !attachments.is_empty() {
            self.push_user(attachments);
        }
    }

    /// Writes or extends a user message. Its content remains a list of parts until the end, so that later parts can
    /// be added.
    fn push_user(&mut self, mut parts: Vec<Part<'a>>) {
        if self.options.user_images == UserImages::Note {
            parts.iter_mut().for_each(|part| self.note_image(part));
        }
        match self.messages.last_mut() {
            Some(Message::User { content: Content::Parts(previous) })
                if self.options.user_messages == UserMessages::Merge =>
            {
                return previous.extend(parts);
            }
            Some(Message::Tool { .. }) if self.options.assistant_after_tools => {
                let content = AssistantContent::Present(Content::Text(JsonStr::new(BRIDGE)));
                self.messages.push(Message::Assistant(Assistant { content, ..Assistant::default() }));
            }
            _ => {}
        }
        self.messages.push(Message::User { content: Content::Parts(parts) });
    }

    /// Replaces an image by a note. A text-only model would reject the image in this request and in all that follow it
    /// in the session.
    fn note_image(&mut self, part: &mut Part<'a>) {
        if matches!(part, Part::ImageUrl { .. }) {
            self.report.dropped(Dropped::Part, part.input_type());
            *part = Part::Text { text: JsonStr::new(NO_IMAGE) };
        }
    }

    /// Text is one string, unless the upstream wants parts.
    fn content(&self, parts: Vec<Part<'a>>) -> Content<'a> {
        let is_text = parts.iter().all(|part| matches!(part, Part::Text { .. }));
        if is_text && self.options.content == ContentForm::String {
            Content::Text(JsonStr::joined(parts.into_iter().filter_map(text_of), "\n\n"))
        } else {
            Content::Parts(parts)
        }
    }

    /// Adds a user message where upstreams and their chat templates require one.
    fn ensure_user_message(&mut self) {
        let user = || Message::User { content: Content::Text(JsonStr::new(CONTINUE)) };
        let last = self.messages.iter().rfind(|message| !is_instruction(message));
        if !matches!(last, Some(Message::User { .. } | Message::Tool { .. })) {
            self.messages.push(user());
        } else if !self.messages.iter().any(|message| matches!(message, Message::User { .. })) {
            let first = self.messages.iter().take_while(|message| is_instruction(message)).count();
            self.messages.insert(first, user());
        }
    }

    fn finish(mut self) -> Vec<Message<'a>> {
        self.end_turn();
        self.ensure_user_message();
        if !self.instructions.is_empty() {
            let instructions = std::mem::take(&mut self.instructions);
            let content = self.content(instructions);
            self.messages.insert(0, Message::System { content });
        }
        let messages = std::mem::take(&mut self.messages).into_iter();
        messages.map(|message| self.finished(message)).collect()
    }

    fn finished(&self, message: Message<'a>) -> Message<'a> {
        match message {
            Message::User { content: Content::Parts(parts) } => {
                Message::User { content: self.content(parts) }
            }
            other => other,
        }
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
