//! The reply to a request for no output.

use super::context::ReplyContext;
use super::lifecycle::{Ended, Lifecycle};
use super::response_id;
use crate::items::EventWriter;
use crate::wire::responses::Usage;

/// A response that is complete and empty, as events or as a document. No request was sent to the model, so it used no
/// tokens.
pub(crate) fn without_output(context: &ReplyContext, seed: u128, now: u64) -> Vec<u8> {
    let mut writer = EventWriter::new(seed, context.stream);
    let mut lifecycle = Lifecycle::new(response_id(seed), context.kind, now, context.response.echo.clone());
    let usage = Usage::default();
    let ended = Ended { outcome: &Ok(()), completed_at: now, usage: Some(&usage) };
    if !context.stream {
        return lifecycle.document(ended, &[]);
    }
    lifecycle.run(now, &mut writer);
    lifecycle.end(ended, &mut writer);
    let mut events = Vec::new();
    writer.take_frames(&mut events);
    events
}
