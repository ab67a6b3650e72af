//! The items that wait until the open call is complete.

use super::calls::QueuedCall;
use super::waiting_text::WaitingText;
use crate::items::ContentKind;
use crate::json::{JsonStr, JsonStrBuilder, RawJson};
use crate::response::delta::CallDelta;
use std::collections::VecDeque;

/// Items that are not open yet, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Queued>);

/// A queued item.
#[derive(Debug)]
pub(super) enum Queued {
    Reasoning(JsonStrBuilder),
    Content(ContentKind, WaitingText),
    Call(QueuedCall),
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn front(&self) -> Option<&Queued> {
        self.0.front()
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        self.0.pop_front()
    }

    pub(super) fn push_reasoning(&mut self, text: &JsonStr<'_>) {
        if let Some(Queued::Reasoning(queued)) = self.0.back_mut() {
            queued.push(text);
        } else {
            let mut queued = JsonStrBuilder::default();
            queued.push(text);
            self.0.push_back(Queued::Reasoning(queued));
        }
    }

    pub(super) fn push_content(
        &mut self,
        kind: ContentKind,
        text: &JsonStr<'_>,
        logprobs: &[RawJson<'static>],
    ) {
        if let Some(Queued::Content(queued_kind, queued)) = self.0.back_mut()
            && *queued_kind == kind
        {
            return queued.push(text, logprobs);
        }
        let mut queued = WaitingText::default();
        queued.push(text, logprobs);
        self.0.push_back(Queued::Content(kind, queued));
    }

    /// Adds a fragment to its call, which is queued if it is new.
    pub(super) fn push_call(&mut self, delta: &CallDelta<'_>) {
        let mut calls = self.0.iter_mut().filter_map(|queued| match queued {
            Queued::Call(call) => Some(call),
            Queued::Reasoning(_) | Queued::Content(..) => None,
        });
        match calls.find(|call| call.is(delta)) {
            Some(call) => call.add(delta),
            None => self.0.push_back(Queued::Call(QueuedCall::new(delta))),
        }
    }

    /// Whether anything is queued besides calls whose arguments are `{}` unless others follow.
    pub(super) fn has_more_than_placeholders(&self) -> bool {
        self.0.iter().any(|queued| !matches!(queued, Queued::Call(call) if call.is_placeholder()))
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &QueuedCall> {
        self.0.iter().filter_map(|queued| match queued {
            Queued::Call(call) => Some(call),
            Queued::Reasoning(_) | Queued::Content(..) => None,
        })
    }
}
