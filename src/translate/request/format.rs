//! `text.format`: the form that the answer must have.

use crate::chat::request as chat;
use crate::items::Report;
use crate::json::{Raw, Text, Value};
use crate::responses::{ApiError, JsonSchemaFormat, Path, RawObject, Site};
use crate::translate::schema;
use crate::upstream::{JsonSchema, SchemaDialect};
use std::borrow::Cow;

/// `response_format`, and what has to be said in words for want of it.
pub(super) type Format<'a> = (Option<chat::ResponseFormat<'a>>, Option<Text<'static>>);

/// Where it stands.
pub(super) const PATH: Path<'static> = Path::Field(&Path::top("text"), "format");
const TYPES: &[&str] = &["text", "json_object", "json_schema"];

pub(super) fn response_format<'a>(
    format: Option<Value<'a>>,
    json_schema: JsonSchema,
    dialect: SchemaDialect,
    report: &mut Report,
) -> Result<Format<'a>, ApiError> {
    let Some(value) = format else { return Ok((None, None)) };
    let format = Site::new(value, PATH).object()?;
    match &*format.get::<Cow<'_, str>>("type")? {
        "text" => Ok((None, None)),
        "json_object" => Ok(match json_schema {
            JsonSchema::Off => {
                report.dropped("field", "text.format");
                (None, Some(Text::new("Answer with one JSON object, and nothing else.")))
            }
            JsonSchema::SchemaOnly => {
                let schema = Raw::literal(r#"{"type":"object"}"#);
                let name = Text::new("object");
                let json_schema = chat::NamedSchema { name, description: None, schema, strict: None };
                (Some(chat::ResponseFormat::JsonSchema { json_schema }), None)
            }
            JsonSchema::Native | JsonSchema::JsonObject => (Some(chat::ResponseFormat::JsonObject), None),
        }),
        "json_schema" => {
            let JsonSchemaFormat { name, schema: RawObject(schema), description, strict } =
                JsonSchemaFormat::of(&format)?;
            let in_words = || {
                Text::new(&format!(
                    "Answer with one JSON object, and nothing else. It must follow this JSON schema:\n{}",
                    schema.get()
                ))
            };
            Ok(match json_schema {
                JsonSchema::JsonObject => (Some(chat::ResponseFormat::JsonObject), Some(in_words())),
                JsonSchema::Off => (None, Some(in_words())),
                JsonSchema::Native | JsonSchema::SchemaOnly => {
                    let schema = schema::of_answer(schema, dialect);
                    let json_schema = chat::NamedSchema { name, description, schema, strict };
                    (Some(chat::ResponseFormat::JsonSchema { json_schema }), None)
                }
            })
        }
        other => Err(ApiError::wrong_value(format.path_to("type"), other, TYPES)),
    }
}
