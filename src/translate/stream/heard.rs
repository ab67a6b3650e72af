//! The text as the host sends it, on its way through the [`Scanner`](crate::translate::markup::Scanner) if the
//! options ask for it.

use super::{Live, Machine};
use crate::items::Said;
use crate::json::{self, Text};
use crate::responses::Status;
use crate::translate::calls::Piece;
use crate::translate::markup::Heard;
use serde_json::value::RawValue;

impl Machine {
    /// The next piece of the text.
    pub(super) fn hear(&mut self, piece: &Text<'_>, logprobs: &[Box<RawValue>]) {
        match &mut self.plan.scanner {
            Some(scanner) if !scanner.lets_pass(piece.escaped()) => {
                let heard = scanner.push(&piece.decode());
                self.all_heard(heard);
            }
            _ => self.say(Said::Text, piece, logprobs),
        }
    }

    /// Something else comes, or nothing more: what may have been markup is none.
    pub(super) fn flush_markup(&mut self) {
        if let Some(scanner) = &mut self.plan.scanner {
            let heard = scanner.flush();
            self.all_heard(heard);
        }
    }

    fn all_heard(&mut self, heard: Vec<Heard>) {
        for heard in heard {
            match heard {
                Heard::Text(text) => self.say(Said::Text, &Text::new(&text), &[]),
                // A host that shows its thoughts in a field, too, has sent this one already.
                Heard::Thought(_) if self.thinks_in_fields => {}
                Heard::Thought(thought) => self.think(&Text::new(&thought)),
                Heard::Call { name, arguments } => {
                    let arguments = json::raw(&arguments);
                    self.piece(&Piece::spoken(self.spoken_calls, &name, &arguments));
                    self.spoken_calls += 1;
                }
                Heard::Break if matches!(self.live, Live::Message(_)) => self.close_live(Status::Completed),
                Heard::Break => {}
            }
        }
    }
}
