//! `text.format`: the form that the answer must have.

use crate::error::{ApiError, Path};
use crate::json::{JsonStr, RawJson, TapeValue};
use crate::report::{Dropped, Report};
use crate::tools::schema;
use crate::upstream::{JsonSchema, SchemaDialect};
use crate::wire::chat::request as chat;
use crate::wire::responses::JsonSchemaFormat;
use crate::wire::typed::{Located, RawObject};
use std::borrow::Cow;

/// `response_format`, and what has to be said in words for want of it.
pub(super) type Format<'a> = (Option<chat::ResponseFormat<'a>>, Option<JsonStr<'static>>);

/// Where it stands.
pub(super) const PATH: Path<'static> = Path::Field(&Path::top("text"), "format");
const TYPES: &[&str] = &["text", "json_object", "json_schema"];

pub(super) fn response_format<'a>(
    format: Option<TapeValue<'a>>,
    json_schema: JsonSchema,
    dialect: SchemaDialect,
    report: &mut Report,
) -> Result<Format<'a>, ApiError> {
    let Some(value) = format else { return Ok((None, None)) };
    let format = Located::new(value, PATH).object()?;
    match &*format.get::<Cow<'_, str>>("type")? {
        "text" => Ok((None, None)),
        "json_object" => Ok(match json_schema {
            JsonSchema::Off => {
                report.dropped(Dropped::Field, "text.format");
                (None, Some(JsonStr::new("Answer with one JSON object, and nothing else.")))
            }
            JsonSchema::SchemaOnly => {
                let schema = RawJson::literal(r#"{"type":"object"}"#);
                let name = JsonStr::new("object");
                let json_schema = chat::NamedSchema { name, description: None, schema, strict: None };
                (Some(chat::ResponseFormat::JsonSchema { json_schema }), None)
            }
            JsonSchema::Native | JsonSchema::JsonObject => (Some(chat::ResponseFormat::JsonObject), None),
        }),
        "json_schema" => {
            let JsonSchemaFormat { name, schema: RawObject(schema), description, strict } =
                JsonSchemaFormat::of(&format)?;
            let in_words = || {
                JsonStr::new(&format!(
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
