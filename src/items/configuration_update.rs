//! `configuration_update`: a different effort or form of the answer, from this point of the conversation on.
//!
//! ```json
//! {"type": "configuration_update", "reasoning": {"effort": "high"}, "text": {"format": {"type": "text"}}}
//! ```

use super::Conversation;
use crate::error::ApiError;
use crate::wire::responses::ConfigurationUpdate;
use crate::wire::typed::Object;

/// Reads a `configuration_update`. Settings that it omits do not change.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let ConfigurationUpdate { reasoning, text } = ConfigurationUpdate::of(item)?;
    let settings = &mut conversation.settings;
    if let Some(effort) = reasoning.and_then(|reasoning| reasoning.effort) {
        settings.effort = Some(effort);
    }
    if let Some(format) = text.and_then(|text| text.format) {
        settings.format = Some(format);
    }
    Ok(())
}
