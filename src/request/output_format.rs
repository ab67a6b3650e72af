//! `text.format`: the form of the answer.

use super::tools::ToolPlan;
use crate::json::{JsonStr, RawJson, TapeValue};
use crate::report::{Dropped, Report};
use crate::tools::schema;
use crate::upstream::{JsonSchema, Options};
use crate::wire::chat::request::{NamedSchema, ResponseFormat};
use crate::wire::responses::{JsonSchemaFormat, TextFormat};
use crate::wire::typed::RawObject;

/// How the format is requested from the upstream.
#[derive(Default)]
pub(super) struct OutputFormat<'a> {
    pub(super) response_format: Option<ResponseFormat<'a>>,
    /// The part that `response_format` cannot express, as a system instruction.
    pub(super) instruction: Option<JsonStr<'static>>,
}

impl<'a> OutputFormat<'a> {
    /// Translates `text.format`. Some upstreams cannot combine a schema with tools. If the model must call one, its
    /// reply cannot have the format, and upstreams that enforce both prevent the call.
    pub(super) fn build(
        format: Option<&TextFormat<'a>>,
        tools: &ToolPlan<'_>,
        options: &Options,
        report: &mut Report,
    ) -> Self {
        let accepted = options.json_schema(!tools.offered.is_empty());
        match format {
            None | Some(TextFormat::Text) => Self::default(),
            Some(_) if tools.must_call() => {
                report.dropped(Dropped::Field, "text.format");
                Self::default()
            }
            Some(TextFormat::JsonObject) => Self::json_object(accepted, report),
            Some(TextFormat::JsonSchema(format)) => {
                let is_enforced = matches!(accepted, JsonSchema::Native | JsonSchema::SchemaOnly);
                if format.strict == Some(true) && !is_enforced {
                    report.dropped(Dropped::Field, "text.format.strict");
                }
                Self::json_schema(format.clone(), accepted, options)
            }
        }
    }

    fn json_object(accepted: JsonSchema, report: &mut Report) -> Self {
        match accepted {
            JsonSchema::Off => {
                report.dropped(Dropped::Field, "text.format");
                let instruction = JsonStr::new("Answer with one JSON object, and nothing else.");
                Self { response_format: None, instruction: Some(instruction) }
            }
            JsonSchema::SchemaOnly => Self::of(ResponseFormat::JsonSchema {
                json_schema: NamedSchema {
                    name: JsonStr::new("object"),
                    description: None,
                    schema: RawJson::literal(r#"{"type":"object"}"#),
                    strict: None,
                },
            }),
            JsonSchema::Native | JsonSchema::JsonObject => Self::of(ResponseFormat::JsonObject),
        }
    }

    fn json_schema(format: JsonSchemaFormat<'a>, accepted: JsonSchema, options: &Options) -> Self {
        let JsonSchemaFormat { name, schema: RawObject(schema), description, strict } = format;
        match accepted {
            JsonSchema::JsonObject => {
                Self { instruction: Some(in_words(schema)), ..Self::of(ResponseFormat::JsonObject) }
            }
            JsonSchema::Off => Self { response_format: None, instruction: Some(in_words(schema)) },
            JsonSchema::Native | JsonSchema::SchemaOnly => {
                let schema = schema::of_answer(schema, options.schema_dialect);
                Self::of(ResponseFormat::JsonSchema {
                    json_schema: NamedSchema { name, description, schema, strict },
                })
            }
        }
    }

    fn of(response_format: ResponseFormat<'a>) -> Self {
        Self { response_format: Some(response_format), instruction: None }
    }
}

fn in_words(schema: TapeValue<'_>) -> JsonStr<'static> {
    JsonStr::new(&format!(
        "Answer with one JSON object, and nothing else. It must follow this JSON schema:\n{}",
        schema.get()
    ))
}
