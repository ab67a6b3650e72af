//! How upstreams differ, as data: [`Options`], and the presets, which are named sets of options.
//!
//! An option describes what an upstream accepts; no code asks for a provider by name. A preset is
//! written exactly as a user would write it in the configuration, so a preset cannot do anything
//! that a user's own configuration cannot.

mod options;
mod presets;
mod reasoning;
mod schema_dialect;
mod string_enum;

pub use options::{
    AllowedTools, ChoiceForm, ContentForm, ContentWithCalls, CustomTools, JsonSchema, MaxTokensField,
    NamedChoiceTools, Options, Sampling, System, ThinkTags, ToolOutputImages, UserImages, UserMessages,
};
pub use presets::{override_with, preset, preset_names};
pub use reasoning::{EffortFields, Efforts, Fields, Reasoning, ReasoningReplay, effort_names};
pub use schema_dialect::{Enums, Nulls, Rules, SchemaDialect};
pub(crate) use string_enum::{OneOf, string_enum};
