//! What a host accepts and how it answers. All that differs between hosts is data in here:
//! [`Options`], and named sets of them, the presets.
//!
//! An option says what a host takes, never what it is called. A preset is written as a user would
//! write it in the configuration, so whatever a preset can say, a user can say too.

mod options;
mod presets;
mod reasoning;
mod schema_dialect;
mod string_enum;

pub use options::{
    AllowedTools, ChoiceForm, ContentForm, CustomTools, EmptyContent, JsonSchema, MaxTokensField, Options,
    Sampling, System, ThinkTags, ToolOutputImages, UserMessages,
};
pub use presets::{override_with, preset, preset_names};
pub use reasoning::{EffortFields, Efforts, Fields, Reasoning, ReasoningReplay};
pub use schema_dialect::{Enums, Nulls, Rules, SchemaDialect};
pub(crate) use string_enum::{OneOf, string_enum};
