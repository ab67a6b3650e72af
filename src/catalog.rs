//! The answer to `GET /models`: the models that the configuration describes.
//!
//! Every client gets OpenAI's list, `data`. Codex, which names itself by the query `client_version`, gets its own form besides,
//! `models`: with it Codex knows the context window, the efforts and the tools of a model that it has never heard of. An
//! entry's `base_instructions` replace the prompt that makes an agent of such a model, so a model without instructions of
//! its own is only in `data`.

use crate::config::{Config, Described};
use serde::Serialize;

/// The list of models, in JSON. `for_codex`: with Codex's form.
pub(crate) fn list(config: &Config, for_codex: bool) -> Vec<u8> {
    let list = List {
        object: "list",
        data: config.described().map(|model| Model::of(&model)).collect(),
        models: for_codex.then(|| config.described().enumerate().filter_map(CodexModel::of).collect()),
    };
    serde_json::to_vec(&list).unwrap_or_default()
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<CodexModel<'a>>>,
}

/// OpenAI's form. It has no context window; this is Groq's name for it.
#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
}

impl<'a> Model<'a> {
    fn of(model: &Described<'a>) -> Self {
        Self {
            id: model.name,
            object: "model",
            created: 0,
            owned_by: "transponder",
            context_window: model.catalog.context_window,
        }
    }
}

/// Codex's form. Codex rejects the whole document if an entry lacks one of the first eleven keys.
#[derive(Serialize)]
struct CodexModel<'a> {
    slug: &'a str,
    display_name: &'a str,
    supported_reasoning_levels: Vec<Level<'a>>,
    shell_type: &'static str,
    visibility: &'static str,
    supported_in_api: bool,
    priority: usize,
    base_instructions: &'a str,
    support_verbosity: bool,
    truncation_policy: Truncation,
    experimental_supported_tools: [&'static str; 0],
    supports_reasoning_summaries: bool,
    supports_parallel_tool_calls: bool,
    input_modalities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_patch_tool_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_compact_token_limit: Option<u64>,
}

#[derive(Serialize)]
struct Level<'a> {
    effort: &'a str,
    description: &'a str,
}

/// How much of a tool's output Codex keeps.
#[derive(Serialize)]
struct Truncation {
    mode: &'static str,
    limit: u32,
}

/// Codex's own limit for its models, in tokens.
const TOOL_OUTPUT_TOKENS: u32 = 10_000;

impl<'a> CodexModel<'a> {
    /// `priority`: its place in Codex's list of models.
    fn of((priority, model): (usize, Described<'a>)) -> Option<Self> {
        let Described { name, catalog, efforts, input_modalities, verbosity } = model;
        Some(Self {
            slug: name,
            display_name: catalog.display_name.as_deref().unwrap_or(name),
            supports_reasoning_summaries: !efforts.is_empty(),
            supported_reasoning_levels: efforts
                .into_iter()
                .map(|effort| Level { effort, description: effort })
                .collect(),
            shell_type: "unified_exec",
            visibility: "list",
            supported_in_api: true,
            priority,
            base_instructions: catalog.instructions.as_deref()?,
            support_verbosity: verbosity,
            truncation_policy: Truncation { mode: "tokens", limit: TOOL_OUTPUT_TOKENS },
            experimental_supported_tools: [],
            supports_parallel_tool_calls: true,
            input_modalities: input_modalities.iter().map(|modality| modality.word()).collect(),
            apply_patch_tool_type: catalog.apply_patch.then_some("freeform"),
            context_window: catalog.context_window,
            auto_compact_token_limit: catalog
                .auto_compact_token_limit
                .or(catalog.context_window.map(|tokens| tokens / 5 * 4)),
        })
    }
}
