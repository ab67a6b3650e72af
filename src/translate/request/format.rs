//! `text.format`: the form that the answer must have.

use crate::chat::request as chat;
use crate::items::{Report, Site};
use crate::json::Text;
use crate::responses::{ApiError, JsonSchemaFormat, Request, Tagged};
use crate::upstream::{JsonSchema, Options};

/// `response_format`, and what has to be said in words for want of it.
pub(super) type Format<'a> = (Option<chat::ResponseFormat<'a>>, Option<Text<'static>>);

pub(super) fn response_format<'a>(
    request: &Request<'a>,
    options: &Options,
    report: &mut Report,
) -> Result<Format<'a>, ApiError> {
    let Some(raw) = request.text.as_ref().and_then(|text| text.format) else { return Ok((None, None)) };
    let site = Site::new(raw, "text.format");
    match site.read::<Tagged>()?.r#type.as_deref() {
        Some("text") => Ok((None, None)),
        Some("json_object") => match options.json_schema {
            JsonSchema::Off => {
                report.dropped("field", "text.format");
                Ok((None, Some(Text::new("Answer with one JSON object, and nothing else."))))
            }
            _ => Ok((Some(chat::ResponseFormat::JsonObject), None)),
        },
        Some("json_schema") => {
            let format: JsonSchemaFormat<'a> = site.read()?;
            let in_words = || {
                Text::new(&format!(
                    "Answer with one JSON object, and nothing else. It must follow this JSON schema:\n{}",
                    format.schema.get()
                ))
            };
            Ok(match options.json_schema {
                JsonSchema::JsonObject => (Some(chat::ResponseFormat::JsonObject), Some(in_words())),
                JsonSchema::Off => (None, Some(in_words())),
                JsonSchema::Native => {
                    let JsonSchemaFormat { name, schema, description, strict } = format;
                    let json_schema = chat::NamedSchema { name, description, schema, strict };
                    (Some(chat::ResponseFormat::JsonSchema { json_schema }), None)
                }
            })
        }
        other => Err(ApiError::invalid(format!(
            "Invalid value: '{}'. Supported values are: 'text', 'json_object', and 'json_schema'.",
            other.unwrap_or_default()
        ))
        .code("invalid_value")
        .at("text.format.type")),
    }
}
