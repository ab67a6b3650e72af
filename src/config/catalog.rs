//! What a rule of `models` tells clients about its model. [`crate::catalog`] makes the answer to `GET /models` of it.

use super::{Config, Rule};
use crate::upstream::{UserImages, effort_names, string_enum};
use serde::Deserialize;

/// The description of a model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Catalog {
    /// The name for people. If absent, the rule's `match`.
    pub display_name: Option<String>,
    /// The context window, in tokens.
    pub context_window: Option<u64>,
    /// How many tokens a conversation may have before Codex summarizes it. If absent, four fifths of `context_window`, which leaves
    /// room for an answer.
    pub auto_compact_token_limit: Option<u64>,
    /// The reasoning efforts to offer. If absent, those of the upstream's `reasoning.efforts`.
    pub efforts: Option<Vec<String>>,
    /// What the model reads. If absent, text and images, or text alone if the upstream's `user_images` is `note`.
    pub input_modalities: Option<Vec<Modality>>,
    /// Whether Codex offers its tool `apply_patch`. If not, Codex patches files with a shell command.
    pub apply_patch: bool,
    /// The model's base instructions. They replace Codex's own prompt, so without them Codex does not get the entry.
    pub instructions: Option<String>,
}

string_enum! {
    /// A kind of input.
    Modality {
        /// Text.
        Text = "text",
        /// Images.
        Image = "image",
    }
}

/// A described model, with what follows from its upstream.
#[derive(Debug, Clone)]
pub struct Described<'a> {
    /// The name under which clients request it.
    pub name: &'a str,
    /// What the rule says.
    pub catalog: &'a Catalog,
    /// The reasoning efforts, in ascending order if the upstream's options list them.
    pub efforts: Vec<&'a str>,
    /// What it reads.
    pub input_modalities: &'a [Modality],
    /// Whether the upstream gets `text.verbosity`.
    pub verbosity: bool,
}

impl<'a> Described<'a> {
    pub(super) fn of(rule: &'a Rule, catalog: &'a Catalog, config: &'a Config) -> Self {
        let options = rule.upstream_in(config).options();
        let known =
            |effort: &&str| options.is_some_and(|options| options.reasoning.efforts.contains_key(*effort));
        let efforts = match &catalog.efforts {
            Some(efforts) => efforts.iter().map(String::as_str).collect(),
            None => effort_names().filter(known).collect(),
        };
        let text_only = options.is_some_and(|options| options.user_images == UserImages::Note);
        let by_default: &[Modality] =
            if text_only { &[Modality::Text] } else { &[Modality::Text, Modality::Image] };
        Self {
            name: &rule.pattern,
            catalog,
            efforts,
            input_modalities: catalog.input_modalities.as_deref().unwrap_or(by_default),
            // A native upstream gets the request as it is.
            verbosity: options
                .is_none_or(|options| options.pass_fields.iter().any(|field| field == "verbosity")),
        }
    }
}
