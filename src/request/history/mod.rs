//! Writes the history as Chat Completions requires it: one system message first; reasoning, text and calls of
//! one turn in one assistant message; and right after it one tool message for each of its calls.

mod call_id;
mod messages;
mod pairs;
mod tool_output;

use crate::config::History;
use crate::error::ApiError;
use crate::items::{Call, Entry, Origin, Reasoning, Toolbox};
use crate::json::{JsonStr, JsonText, RawJson};
use crate::report::{Dropped, Report};
use crate::response::context::CallIds;
use crate::tools::call_id::similar_ids;
use crate::upstream::{ContentWithCalls, CustomTools, Options, System, UserImages, UserMessages};
use crate::wire::chat::request::{
    Assistant, AssistantContent, Called, Content, Message, NamedText, Part, ToolCall,
};
use call_id::upstream_call_id;
use messages::{Messages, Role};
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
    entries.iter().filter_map(pairs::call_id).map(|id| &**id).collect()
}

/// What the history is translated with.
pub(super) struct Translation<'a, 'w> {
    pub(super) policy: History,
    pub(super) options: &'a Options,
    pub(super) toolbox: &'w mut Toolbox,
    pub(super) withheld: &'w mut Vec<Origin<'a>>,
    pub(super) report: &'w mut Report,
}

impl<'a> Translation<'a, '_> {
    /// Appends the messages to `out`: first the instructions, then the history.
    ///
    /// # Errors
    /// With [`History::Strict`], 400 if the history lacks something, in OpenAI's words.
    pub(super) fn write(
        self,
        instructions: impl Iterator<Item = JsonStr<'a>>,
        mut entries: Vec<Entry<'a>>,
        out: JsonText,
    ) -> Result<JsonText, ApiError> {
        let Self { policy, options, toolbox, withheld, report } = self;
        pairs::pair(&mut entries, policy, report)?;
        let extras = if options.reasoning_replay.signatures { extras(&mut entries) } else { BTreeMap::new() };
        let mut writer = Writer {
            options,
            toolbox,
            withheld,
            report,
            messages: Messages::after(out, options.content),
            instructions: Content::default(),
            turn: Turn::default(),
            extras,
        };
        instructions.for_each(|text| writer.add_instructions(Content::Text(text)));
        entries.into_iter().for_each(|entry| writer.add(entry));
        Ok(writer.finish())
    }
}

/// `extra_content` of calls, by `call_id`. Reasoning items hold it, before or after the call.
fn extras(entries: &mut [Entry<'_>]) -> BTreeMap<String, RawJson<'static>> {
    let mut extras = BTreeMap::new();
    for entry in entries {
        if let Entry::Reasoning(reasoning) = entry {
            extras.extend(std::mem::take(&mut reasoning.calls));
        }
    }
    extras
}

/// Writes messages entry by entry.
struct Writer<'a, 'w> {
    options: &'a Options,
    toolbox: &'w mut Toolbox,
    withheld: &'w mut Vec<Origin<'a>>,
    report: &'w mut Report,
    messages: Messages<'a>,
    /// The content of the leading system message.
    instructions: Content<'a>,
    turn: Turn<'a>,
    extras: BTreeMap<String, RawJson<'static>>,
}

/// The assistant message that is being collected.
#[derive(Default)]
struct Turn<'a> {
    content: Content<'a>,
    reasoning: Vec<JsonStr<'a>>,
    /// The items of the reasoning and its details.
    origins: Vec<Origin<'a>>,
    details: Vec<RawJson<'static>>,
    /// The calls and their outputs.
    calls: Vec<(ToolCall<'a>, Content<'a>)>,
    /// The ids of all calls but the last. Most turns have one call.
    used_ids: BTreeSet<Cow<'a, str>>,
    /// An output was sent: what follows belongs to the next message.
    answered: bool,
}

impl Turn<'_> {
    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.calls.is_empty()
    }
}

impl<'a> Writer<'a, '_> {
    fn add(&mut self, entry: Entry<'a>) {
        match entry {
            Entry::Instructions(content) => self.add_instructions(content),
            Entry::User(content) => {
                self.end_turn();
                self.push_user(content);
            }
            Entry::Assistant(content) => {
                let content = content.without_empty_texts();
                if !content.is_empty() {
                    self.open_turn().content.append(content);
                }
            }
            Entry::Reasoning(reasoning) => self.add_reasoning(reasoning),
            Entry::Call(call) => self.add_call(call),
            // Its content is in its call. Calls that follow were made after it.
            Entry::Output(_) => self.turn.answered = true,
            Entry::Reference(_) => {}
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

    fn add_instructions(&mut self, content: Content<'a>) {
        let content = content.without_empty_texts();
        if content.is_empty() {
            return;
        }
        let is_leading = self.messages.last().is_none() && self.turn.is_empty();
        match self.options.system {
            System::Merge if is_leading => self.instructions.append(content),
            // Adding later instructions to the first message would invalidate the prompt cache of the entire
            // conversation, and the model would seem to have known them from the beginning.
            System::Merge => {
                self.end_turn();
                let mut user = Content::Text(JsonStr::new(SYSTEM_HEADING));
                user.append(content);
                self.push_user(user);
            }
            System::Keep => {
                self.end_turn();
                self.messages.push_instructions(content, self.options.developer_role);
            }
        }
    }

    /// Writes the leading system message before the first other one.
    fn end_instructions(&mut self) {
        let instructions = std::mem::take(&mut self.instructions);
        if !instructions.is_empty() {
            self.messages.push_instructions(instructions, false);
        }
    }

    fn open_turn(&mut self) -> &mut Turn<'a> {
        if self.turn.answered {
            self.end_turn();
        }
        &mut self.turn
    }

    fn end_turn(&mut self) {
        let mut turn = std::mem::take(&mut self.turn);
        if turn.is_empty() {
            // No upstream accepts a message that has only reasoning.
            if !turn.reasoning.is_empty() || !turn.details.is_empty() {
                self.withhold(turn.origins);
            }
            return;
        }
        self.end_instructions();
        self.sign(&mut turn.calls);
        let has_calls = !turn.calls.is_empty();
        if has_calls && self.options.assistant_content_with_calls == ContentWithCalls::Separate {
            self.push_text(std::mem::take(&mut turn.content));
        }
        let message = Assistant {
            content: self.assistant_content(turn.content, has_calls),
            reasoning: self.replayed(turn.reasoning, has_calls),
            reasoning_details: self.replayed_details(turn.details, has_calls),
        };
        self.messages.push_assistant(&message, turn.calls.iter().map(|(call, _)| call));
        self.push_outputs(&mut turn.calls);
        // The next turn uses the memory again.
        self.turn.calls = turn.calls;
    }

    /// Text for upstreams that would lose the calls beside it.
    fn push_text(&mut self, content: Content<'a>) {
        if !content.is_empty() {
            let content = AssistantContent::Present(self.messages.in_form(content));
            let message = Assistant { content, reasoning: None, reasoning_details: None };
            self.messages.push_assistant(&message, std::iter::empty());
        }
    }

    fn add_call(&mut self, mut call: Call<'a>) {
        let turn = self.open_turn();
        if let Some((last, _)) = turn.calls.last() {
            turn.used_ids.insert(last.id.clone());
        }
        let output = call.output.take().unwrap_or_default();
        let id = self.unused_id(&call.call_id);
        let extra_content = self.extras.remove(&*call.call_id);
        let call = ToolCall { id, called: self.called(call), extra_content };
        self.turn.calls.push((call, output));
    }

    /// If the upstream requires a signature and the client brought none back, it gets the value that skips the
    /// check.
    fn sign(&self, calls: &mut [(ToolCall<'a>, Content<'a>)]) {
        let unsigned = calls.iter().all(|(call, _)| call.extra_content.is_none());
        if let (Some((first, _)), true) = (calls.first_mut(), unsigned) {
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
            Some(input) => Called::Custom { name, input },
            None => Called::Function { name, arguments: call.arguments },
        }
    }

    /// The upstream's id of a call. Calls of one turn that share an id get different ones, because a tool message
    /// refers to its call by the id alone.
    fn unused_id(&self, call_id: &Cow<'a, str>) -> Cow<'a, str> {
        let used = &self.turn.used_ids;
        let first = match call_id {
            Cow::Borrowed(id) => upstream_call_id(id, self.options),
            Cow::Owned(id) => Cow::Owned(upstream_call_id(id, self.options).into_owned()),
        };
        if !used.contains(&first) {
            return first;
        }
        // The first ones probably belong to the calls before.
        let mut similar = similar_ids(call_id, used.len().saturating_sub(1))
            .map(|id| Cow::Owned(upstream_call_id(&id, self.options).into_owned()));
        similar.find(|id| !used.contains(id)).unwrap_or_default()
    }

    fn assistant_content(&self, content: Content<'a>, has_calls: bool) -> AssistantContent<'a> {
        if !content.is_empty() || !has_calls {
            return AssistantContent::Present(self.messages.in_form(content));
        }
        match self.options.assistant_content_with_calls {
            ContentWithCalls::Empty => AssistantContent::Present(Content::Text(JsonStr::default())),
            ContentWithCalls::Null => AssistantContent::Null,
            ContentWithCalls::Omit | ContentWithCalls::Separate => AssistantContent::Absent,
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
    fn push_outputs(&mut self, calls: &mut Vec<(ToolCall<'a>, Content<'a>)>) {
        let mut attachments = Content::default();
        for (ToolCall { id, .. }, output) in calls.drain(..) {
            let images = self.options.tool_output_images;
            let (text, attached) = tool_output::split(&id, output, images, self.report);
            attachments.append(attached);
            self.messages.push_tool(&Message::Tool { tool_call_id: id, content: Content::Text(text) });
        }
        if !attachments.is_empty() {
            self.push_user(attachments);
        }
    }

    /// Writes or extends a user message.
    fn push_user(&mut self, mut content: Content<'a>) {
        self.end_instructions();
        if let (Content::Parts(parts), UserImages::Note) = (&mut content, self.options.user_images) {
            parts.iter_mut().for_each(|part| self.note_image(part));
        }
        if self.options.user_messages == UserMessages::Merge {
            match self.messages.add_to_user(content) {
                Ok(()) => return,
                Err(unused) => content = unused,
            }
        }
        if self.messages.last() == Some(Role::Tool) && self.options.assistant_after_tools {
            let content = AssistantContent::Present(Content::Text(JsonStr::new(BRIDGE)));
            self.messages.push_assistant(&Assistant { content, ..Assistant::default() }, std::iter::empty());
        }
        self.messages.push_user(content);
    }

    /// Replaces an image by a note. A text-only model would reject the image in this request and in all that follow it
    /// in the session.
    fn note_image(&mut self, part: &mut Part<'a>) {
        if matches!(part, Part::ImageUrl { .. }) {
            self.report.dropped(Dropped::Part, part.input_type());
            *part = Part::Text { text: JsonStr::new(NO_IMAGE) };
        }
    }

    fn finish(mut self) -> JsonText {
        self.end_turn();
        self.end_instructions();
        self.messages.ensure_user(CONTINUE);
        self.messages.finish()
    }
}
