//! `messages`, written one after the other into the upstream's request.

use crate::json::{JsonStr, JsonText};
use crate::upstream::ContentForm;
use crate::wire::chat::request::{Assistant, Content, Message, Part, ToolCall};

/// The messages that were written so far. The last one is held back if it is the user's: parts may be added to it.
pub(super) struct Messages<'a> {
    out: JsonText,
    form: ContentForm,
    user: Option<Content<'a>>,
    /// Where the array begins.
    begin: usize,
    /// Where the leading instructions end.
    instructions_end: usize,
    has_user: bool,
    last: Option<Role>,
    /// Without instructions.
    last_of_turn: Option<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Instructions,
    User,
    Assistant,
    Tool,
}

impl<'a> Messages<'a> {
    /// Continues a text that ends where the first message belongs.
    pub(super) fn after(out: JsonText, form: ContentForm) -> Self {
        let begin = out.len();
        Self {
            out,
            form,
            user: None,
            begin,
            instructions_end: begin,
            has_user: false,
            last: None,
            last_of_turn: None,
        }
    }

    pub(super) fn last(&self) -> Option<Role> {
        self.last
    }

    pub(super) fn push_instructions(&mut self, content: Content<'a>, as_developer: bool) {
        let content = self.in_form(content);
        let is_leading = self.last_of_turn.is_none();
        let message = if as_developer { Message::Developer { content } } else { Message::System { content } };
        self.push(Role::Instructions, &message);
        if is_leading {
            self.instructions_end = self.out.len();
        }
    }

    pub(super) fn push_user(&mut self, content: Content<'a>) {
        self.begin_message(Role::User);
        self.has_user = true;
        self.user = Some(content);
    }

    /// Adds parts to the user's message, if it is the last one. Otherwise they are returned.
    pub(super) fn add_to_user(&mut self, content: Content<'a>) -> Result<(), Content<'a>> {
        match &mut self.user {
            Some(user) => {
                user.append(content);
                Ok(())
            }
            None => Err(content),
        }
    }

    pub(super) fn push_assistant<'c>(
        &mut self,
        message: &Assistant<'_>,
        calls: impl Iterator<Item = &'c ToolCall<'a>>,
    ) where
        'a: 'c,
    {
        self.begin_message(Role::Assistant);
        message.write(calls, &mut self.out);
    }

    pub(super) fn push_tool(&mut self, message: &Message<'_>) {
        self.push(Role::Tool, message);
    }

    /// Adds a user message where upstreams and their chat templates require one.
    pub(super) fn ensure_user(&mut self, text: &str) {
        let content = || Content::Text(JsonStr::new(text));
        if !matches!(self.last_of_turn, Some(Role::User | Role::Tool)) {
            self.push_user(content());
        } else if !self.has_user {
            let mut message = JsonText::default();
            let is_first = self.instructions_end == self.begin;
            message.raw(if is_first { "" } else { "," });
            Message::User { content: self.in_form(content()) }.write(&mut message);
            message.raw(if is_first { "," } else { "" });
            self.out.insert(self.instructions_end, message);
        }
    }

    pub(super) fn finish(mut self) -> JsonText {
        self.end_user();
        self.out
    }

    fn push(&mut self, role: Role, message: &Message<'_>) {
        self.begin_message(role);
        message.write(&mut self.out);
    }

    fn begin_message(&mut self, role: Role) {
        self.end_user();
        self.last = Some(role);
        if role != Role::Instructions {
            self.last_of_turn = Some(role);
        }
        if role != Role::User {
            self.separate();
        }
    }

    fn end_user(&mut self) {
        if let Some(content) = self.user.take() {
            let content = self.in_form(content);
            self.separate();
            Message::User { content }.write(&mut self.out);
        }
    }

    fn separate(&mut self) {
        if self.out.len() > self.begin {
            self.out.raw(",");
        }
    }

    /// Text is one string, unless the upstream wants parts.
    pub(super) fn in_form<'c>(&self, content: Content<'c>) -> Content<'c> {
        let is_text = |parts: &[Part<'_>]| parts.iter().all(|part| matches!(part, Part::Text { .. }));
        match (content, self.form) {
            (Content::Parts(parts), ContentForm::String) if is_text(&parts) => {
                Content::Text(JsonStr::joined(parts.into_iter().filter_map(text_of), "\n\n"))
            }
            (content, ContentForm::String) => content,
            (content, ContentForm::Parts) => Content::Parts(content.into_parts()),
        }
    }
}

fn text_of(part: Part<'_>) -> Option<JsonStr<'_>> {
    match part {
        Part::Text { text } => Some(text),
        _ => None,
    }
}
