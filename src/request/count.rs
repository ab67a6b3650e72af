//! Translates `POST /v1/responses/input_tokens`: how many tokens the prompt of a request has.

use super::target::Target;
use super::{Context, Stored, Translated, translate_stored};
use crate::error::{ApiError, Code};
use crate::response::Reply;

/// Translates the body of `POST /responses/input_tokens`. The upstream gets the body that it would get for `POST /responses`,
/// at the path where it only counts.
///
/// # Errors
/// As [`super::translate`], and 501 if the model's upstream cannot count.
pub fn translate_count(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    translate_count_stored(body, context, None)
}

/// The same. `stored`: what the store has for the request, if responses are stored.
pub(crate) fn translate_count_stored(
    body: &[u8],
    context: &Context<'_>,
    stored: Option<&Stored>,
) -> Result<Translated, ApiError> {
    let translated = translate_stored(body, context, stored)?;
    let options = Target::for_model(context.config, &translated.asked_model)?.options;
    let path = options.input_tokens_path.clone().ok_or_else(cannot_count)?;
    let reply = Reply::count(context.config.limits.reply_bytes);
    Ok(Translated { path, reply, answer: None, conversation: None, ..translated })
}

/// The error for an upstream that cannot count.
pub fn cannot_count() -> ApiError {
    let message = "Counting tokens is not supported, because only the upstream has the tokenizer and it has no endpoint for \
                   that (option `input_tokens_path`): each response reports its `usage`";
    ApiError::of(Code::EndpointNotSupported, message).status(501)
}
