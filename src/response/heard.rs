//! The text as the host sends it, on its way through the [`Scanner`](crate::markup::Scanner) if the
//! options ask for it.

use super::{Live, ResponseStream};
use crate::items::ContentKind;
use crate::json::{self, JsonStr};
use crate::markup::Segment;
use crate::response::call_assembler::CallFragment;
use crate::wire::responses::Status;
use serde_json::value::RawValue;

impl ResponseStream {
    /// The next piece of the text.
    pub(super) fn hear(&mut self, piece: &JsonStr<'_>, logprobs: &[Box<RawValue>]) {
        match &mut self.plan.scanner {
            Some(scanner) if !scanner.lets_pass(piece.escaped()) => {
                let heard = scanner.push(&piece.decode());
                self.all_heard(heard);
            }
            _ => self.say(ContentKind::Text, piece, logprobs),
        }
    }

    /// Something else comes, or nothing more: what may have been markup is none.
    pub(super) fn flush_markup(&mut self) {
        if let Some(scanner) = &mut self.plan.scanner {
            let heard = scanner.flush();
            self.all_heard(heard);
        }
    }

    fn all_heard(&mut self, heard: Vec<Segment>) {
        for heard in heard {
            match heard {
                Segment::Text(text) => self.say(ContentKind::Text, &JsonStr::new(&text), &[]),
                // A host that shows its thoughts in a field, too, has sent this one already.
                Segment::Reasoning(_) if self.thinks_in_fields => {}
                Segment::Reasoning(thought) => self.think(&JsonStr::new(&thought)),
                Segment::ToolCall { name, arguments } => {
                    let arguments = json::raw(&arguments);
                    self.piece(&CallFragment::from_text(self.text_calls, &name, &arguments));
                    self.text_calls += 1;
                }
                Segment::Retract if matches!(self.live, Live::Message(_)) => {
                    self.close_live(Status::Completed)
                }
                Segment::Retract => {}
            }
        }
    }
}
