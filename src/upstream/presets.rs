//! The presets: named sets of options.
//!
//! Each is the JSON that a user would write as `upstream`, with only the options that differ from
//! the preset `generic`. The comment above each gives its source. Hosted services change; these
//! describe November 2026. `docs/upstreams.md` has a section for each preset.

use super::reasoning::one_field;
use serde_json::{Map, Value};

/// The name and the options of each preset, in the order of the documentation.
const PRESETS: &[(&str, &str)] = &[
    ("generic", "{}"),
    // platform.openai.com/docs/api-reference/chat/create
    (
        "openai",
        r#"{
            "system": "keep", "developer_role": true,
            "strict_tools": true, "parallel_tool_calls": true, "schema_dialect": "openai",
            "tool_call_id_chars": 40,
            "allowed_tools": "native", "custom_tools": "native",
            "max_tokens_field": "max_completion_tokens",
            "pass_fields": ["verbosity", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
                "service_tier", "metadata", "user"],
            "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                "high": "high", "xhigh": "xhigh", "max": "max"}}
        }"#,
    ),
    // learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle, the v1 API
    (
        "azure",
        r#"{
            "path": "/openai/v1/chat/completions",
            "system": "keep", "developer_role": true,
            "strict_tools": true, "parallel_tool_calls": true, "schema_dialect": "openai",
            "tool_call_id_chars": 40,
            "max_tokens_field": "max_completion_tokens",
            "pass_fields": ["verbosity", "prompt_cache_key", "metadata", "user"],
            "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                "high": "high", "xhigh": "xhigh"}}
        }"#,
    ),
    // vllm-project/vllm, entrypoints/openai; since 0.16 it reads `reasoning` and drops `reasoning_content` (vllm#33402)
    (
        "vllm",
        r#"{
            "input_tokens_path": "/tokenize",
            "user_messages": "merge",
            "strict_tools": true, "parallel_tool_calls": true, "schema_dialect": "json_schema",
            "json_schema_with_tools": "off",
            "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                "high": "high", "xhigh": "xhigh", "max": "max"}},
            "reasoning_replay": {"field": "reasoning"}
        }"#,
    ),
    // sgl-project/sglang, srt/entrypoints/openai/protocol.py
    (
        "sglang",
        r#"{
            "input_tokens_path": "/tokenize",
            "user_messages": "merge",
            "strict_tools": true, "parallel_tool_calls": true, "schema_dialect": "json_schema",
            "json_schema_with_tools": "off",
            "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                "high": "high", "xhigh": "xhigh", "max": "max"}},
            "reasoning_replay": {"field": "reasoning_content"}
        }"#,
    ),
    // huggingface/text-generation-inference, router/src/lib.rs: it loses the tool calls of a message that also has content
    (
        "tgi",
        r#"{
            "user_messages": "merge", "assistant_content_with_calls": "separate", "schema_dialect": "json_schema"
        }"#,
    ),
    // huggingface/transformers, cli/serving: `tool_choice` and `response_format` are ignored, and a reply ends after
    // 1,024 tokens unless the request sets a limit
    (
        "transformers",
        r#"{
            "user_messages": "merge",
            "tool_choice": ["auto"], "schema_dialect": "json_schema",
            "json_schema": "off",
            "default_max_tokens": 16384,
            "sampling": ["temperature", "top_p"]
        }"#,
    ),
    // ggml-org/llama.cpp, tools/server: any effort is passed to the chat template, whose variable turns thinking on and off.
    // A `tool_choice` that names a tool counts as `required`
    (
        "llamacpp",
        r#"{
            "input_tokens_path": "/v1/chat/completions/input_tokens",
            "user_messages": "merge",
            "named_choice_tools": "named", "parallel_tool_calls": true, "schema_dialect": "json_schema",
            "reasoning": {"efforts": {"none": {"chat_template_kwargs": {"enable_thinking": false}},
                "low": "low", "medium": "medium", "high": "high"}},
            "reasoning_replay": {"field": "reasoning_content"}
        }"#,
    ),
    // abetlen/llama-cpp-python, llama_cpp/server: `json_schema` is a 500, and only a call that `tool_choice` names is parsed
    (
        "llama-cpp-python",
        r#"{
            "user_messages": "merge", "schema_dialect": "json_schema",
            "json_schema": "json_object", "text_tool_calls": true
        }"#,
    ),
    // ollama/ollama, openai/openai.go: `tool_choice` is ignored, `max_completion_tokens` too; early releases lose the tool
    // calls of a message whose content is a string, and releases before 0.22 reject the effort `max`; api/types.go: `$ref`,
    // `oneOf` and `allOf` in a tool's schema are dropped
    (
        "ollama",
        r#"{
            "assistant_content_with_calls": "omit",
            "tool_choice": ["auto"], "json_schema_with_tools": "off",
            "reasoning": {"efforts": {"none": "none", "low": "low", "medium": "medium", "high": "high"}},
            "reasoning_replay": {"field": "reasoning"}
        }"#,
    ),
    // lmstudio.ai/docs/developer/openai-compat; `tool_choice` is a string (lmstudio-bug-tracker#670),
    // several system messages are a 500 (lmstudio-bug-tracker#2298)
    (
        "lmstudio",
        r#"{
            "user_messages": "merge",
            "tool_choice": ["auto", "none", "required"], "schema_dialect": "json_schema",
            "json_schema": "schema_only",
            "reasoning": {"efforts": {"low": "low", "medium": "medium", "high": "high"}}
        }"#,
    ),
    // docs.together.ai/docs/reasoning-overview
    (
        "together",
        r#"{
            "reasoning": {"efforts": {"none": {"reasoning": {"enabled": false}},
                "low": "low", "medium": "medium", "high": "high"}}
        }"#,
    ),
    // docs.fireworks.ai/guides/reasoning and /guides/prompt-caching; unknown fields are a 400
    (
        "fireworks",
        r#"{
            "path": "/inference/v1/chat/completions",
            "pass_fields": ["prompt_cache_key"], "session_header": "x-session-affinity",
            "reasoning": {"efforts": {"none": "none", "low": "low", "medium": "medium", "high": "high"}},
            "reasoning_replay": {"field": "reasoning_content"}
        }"#,
    ),
    // developers.cloudflare.com/workers-ai; the path contains the account, so the user has to set it. Streams of some
    // models have no finish_reason (cloudflare/ai, workers-ai-provider)
    (
        "cloudflare",
        r#"{
            "finish_reason": false,
            "reasoning": {"efforts": {"none": "none", "low": "low", "medium": "medium", "high": "high"}}
        }"#,
    ),
    // api-docs.deepseek.com/guides/thinking_mode: thinking is on by default. While it is on, the model cannot be forced
    // to call a tool, rejects logprobs, and requires its reasoning back in tool loops, even if empty (vercel/ai#13203)
    (
        "deepseek",
        r#"{
            "user_images": "note", "tool_output_images": "drop",
            "tool_choice_while_thinking": ["auto", "none"],
            "json_schema": "json_object",
            "sampling_while_thinking": ["temperature", "top_p"],
            "reasoning": {"efforts": {"none": {"thinking": {"type": "disabled"}},
                "high": "high", "xhigh": "max", "max": "max"}},
            "reasoning_replay": {"field": "reasoning_content", "always_present": true}
        }"#,
    ),
    // openrouter.ai/docs/use-cases/reasoning-tokens: what a model's provider requires back is in `reasoning_details`
    (
        "openrouter",
        r#"{
            "path": "/api/v1/chat/completions",
            "strict_tools": true, "parallel_tool_calls": true,
            "pass_fields": ["verbosity", "user"], "session_header": "x-session-id",
            "reasoning": {"efforts": {
                "none": {"reasoning": {"effort": "none"}}, "minimal": {"reasoning": {"effort": "minimal"}},
                "low": {"reasoning": {"effort": "low"}}, "medium": {"reasoning": {"effort": "medium"}},
                "high": {"reasoning": {"effort": "high"}}, "xhigh": {"reasoning": {"effort": "xhigh"}}}},
            "reasoning_replay": {"field": "reasoning", "details": true}
        }"#,
    ),
    // console.groq.com/docs/openai and /docs/structured-outputs: logprobs are a 400; a response schema and tools cannot be combined
    (
        "groq",
        r#"{
            "path": "/openai/v1/chat/completions",
            "tool_output_images": "drop",
            "strict_tools": true, "parallel_tool_calls": true,
            "json_schema_with_tools": "off",
            "max_tokens_field": "max_completion_tokens",
            "sampling": ["temperature", "top_p"],
            "reasoning": {"efforts": {"low": "low", "medium": "medium", "high": "high"}}
        }"#,
    ),
    // docs.mistral.ai/api: unknown fields are a 422; a user message after a tool's is a 400 (code 3230)
    (
        "mistral",
        r#"{
            "user_messages": "merge", "assistant_after_tools": true,
            "strict_tools": true, "parallel_tool_calls": true,
            "tool_call_id_chars": 9, "tool_call_id_exact": true,
            "sampling": ["temperature", "top_p"],
            "reasoning": {"efforts": {"none": "none", "high": "high"}}
        }"#,
    ),
    // platform.moonshot.ai/docs: a thinking model cannot be forced to call a tool, rejects sampling parameters
    // (simstudio#5716), and requires its reasoning back. The efforts are those of Kimi K3
    (
        "moonshot",
        r#"{
            "tool_choice_while_thinking": ["auto", "none"], "schema_dialect": "moonshot",
            "sampling_while_thinking": [],
            "pass_fields": ["prompt_cache_key"],
            "reasoning": {"efforts": {"none": {"thinking": {"type": "disabled"}},
                "low": "low", "high": "high", "max": "max"}},
            "reasoning_replay": {"field": "reasoning_content", "always_present": true}
        }"#,
    ),
    // www.alibabacloud.com/help/en/model-studio/qwen-api-via-openai-chat-completions
    (
        "dashscope",
        r#"{
            "path": "/compatible-mode/v1/chat/completions",
            "tool_choice": ["auto", "none", "named"], "tool_choice_while_thinking": ["auto", "none"],
            "parallel_tool_calls": true,
            "json_schema": "json_object",
            "reasoning": {"efforts": {"none": {"enable_thinking": false}, "high": {"enable_thinking": true}}}
        }"#,
    ),
    // docs.z.ai/api-reference/llm/chat-completion: only `auto`
    (
        "zai",
        r#"{
            "path": "/api/paas/v4/chat/completions",
            "tool_choice": ["auto"],
            "json_schema": "json_object",
            "sampling": ["temperature", "top_p"],
            "reasoning": {"efforts": {"none": {"thinking": {"type": "disabled"}},
                "low": "low", "high": "high", "max": "max"}},
            "reasoning_replay": {"field": "reasoning_content"}
        }"#,
    ),
    // platform.minimax.io/docs/api-reference/text-openai-api: without `reasoning_split` the reasoning is part of the text
    (
        "minimax",
        r#"{
            "tool_choice": ["auto", "none"],
            "json_schema": "off",
            "sampling": ["temperature", "top_p"],
            "add_fields": {"reasoning_split": true}, "think_tags": "on",
            "reasoning_replay": {"details": true}
        }"#,
    ),
    // docs.x.ai/docs/guides/reasoning
    (
        "xai",
        r#"{
            "parallel_tool_calls": true,
            "reasoning": {"efforts": {"low": "low", "high": "high"}}
        }"#,
    ),
    // inference-docs.cerebras.ai: unknown fields are a 400 `wrong_api_format`, `reasoning_content` too
    (
        "cerebras",
        r#"{
            "user_images": "note", "tool_output_images": "drop",
            "json_schema_with_tools": "off",
            "max_tokens_field": "max_completion_tokens",
            "reasoning": {"efforts": {"low": "low", "medium": "medium", "high": "high"}},
            "reasoning_replay": {"field": "reasoning"}
        }"#,
    ),
    // ai.google.dev/gemini-api/docs/openai and /thought-signatures
    (
        "gemini",
        r#"{
            "path": "/v1beta/openai/chat/completions",
            "schema_dialect": "gemini",
            "json_schema_with_tools": "off",
            "sampling": ["temperature", "top_p"],
            "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                "high": "high"}},
            "reasoning_replay": {"signatures": true,
                "unsigned": {"google": {"thought_signature": "skip_thought_signature_validator"}}}
        }"#,
    ),
];

/// The name of a preset and its options as JSON, or `None` if there is no such preset.
pub fn preset(name: &str) -> Option<(&'static str, &'static str)> {
    PRESETS.iter().find(|(known, _)| *known == name).copied()
}

/// All presets, in the order of the documentation.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// How deep options are merged. The efforts of `reasoning` are merged; the fields that an effort adds are not.
const OWN_LEVELS: usize = 3;

/// Overrides a preset with a user's options. Objects are merged key by key and `null` removes a key of the preset
/// (RFC 7396). Objects that are sent upstream unchanged, such as the fields of an effort, are replaced, not merged.
pub fn override_with(preset: &mut Map<String, Value>, mut options: Map<String, Value>) {
    if let Some(replay) = options.get_mut("reasoning_replay") {
        write_out(replay);
    }
    merge(preset, options, OWN_LEVELS);
}

/// `reasoning_replay` may be written as a word: `off`, or the name of the field.
fn write_out(replay: &mut Value) {
    *replay = match replay.take() {
        Value::String(word) if word == "off" => Value::Null,
        Value::String(field) => one_field("field", field).into(),
        replay => replay,
    };
}

fn merge(below: &mut Map<String, Value>, above: Map<String, Value>, levels: usize) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (_, Value::Null) => drop(below.remove(&key)),
            (Some(Value::Object(below)), Value::Object(above)) if levels > 1 => {
                merge(below, above, levels - 1)
            }
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Options;
    use serde_json::json;

    #[test]
    fn every_preset_is_a_set_of_options() {
        for name in preset_names() {
            let options = serde_json::from_str::<Options>(preset(name).unwrap().1);
            assert!(options.is_ok(), "{name}: {options:?}");
        }
        assert_eq!(
            serde_json::from_str::<Options>(preset("generic").unwrap().1).unwrap(),
            Options::default()
        );
    }

    #[test]
    fn a_preset_lists_only_what_differs_from_generic() {
        let generic = serde_json::to_value(Options::default()).unwrap();
        for name in preset_names() {
            let options: Map<String, Value> = serde_json::from_str(preset(name).unwrap().1).unwrap();
            for (option, value) in options {
                assert_ne!(Some(&value), generic.get(&option), "{name}: {option} is the same as in generic");
            }
        }
    }

    #[test]
    fn options_are_merged_but_fields_for_the_upstream_are_replaced() {
        let preset = json!({
            "reasoning": {"efforts": {"low": "low", "none": {"thinking": {"type": "off"}}}},
            "reasoning_replay": {"field": "reasoning", "always_present": true},
            "sampling": ["top_p"],
        });
        let above = json!({
            "reasoning": {"efforts": {"none": {"think": false}, "max": "max"}},
            "reasoning_replay": {"always_present": null},
            "sampling": ["temperature"],
        });
        let (Value::Object(mut merged), Value::Object(above)) = (preset, above) else { panic!() };
        override_with(&mut merged, above);
        let expected = json!({
            "reasoning": {"efforts": {"low": "low", "none": {"think": false}, "max": "max"}},
            "reasoning_replay": {"field": "reasoning"},
            "sampling": ["temperature"],
        });
        assert_eq!(Value::Object(merged), expected);
    }
}
