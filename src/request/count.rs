//! `POST /v1/responses/input_tokens`: how many tokens the prompt of a request has.

use super::Translated;
use super::target::Target;
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::response::Reply;

/// Sends the translated request to the path where the upstream only counts.
///
/// # Errors
/// 501 if the model's upstream cannot count.
pub(super) fn only(translated: Translated, config: &Config) -> Result<Translated, ApiError> {
    let options = Target::for_model(config, &translated.asked_model)?.options;
    let path = options.input_tokens_path.clone().ok_or_else(cannot_count)?;
    let reply = Reply::count(config.limits.reply_bytes);
    Ok(Translated { path, reply, answer: None, conversation: None, ..translated })
}

/// The error for an upstream that cannot count.
pub(crate) fn cannot_count() -> ApiError {
    let message = "Counting tokens is not supported, because only the upstream has the tokenizer and it has no endpoint for \
                   that (option `input_tokens_path`): each response reports its `usage`";
    ApiError::of(Code::EndpointNotSupported, message).status(501)
}
