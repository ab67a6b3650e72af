//! The named sets of options, each with its source.

/// Name, options that differ from [`super::Options::default`], as JSON.
const PRESETS: &[(&str, &str)] = &[
    ("generic", "{}"),
    // platform.openai.com, API reference of Chat Completions.
    (
        "openai",
        r#"{
            "developer_role": true, "system": "keep", "max_tokens_field": "max_completion_tokens",
            "strict_tools": true, "parallel_tool_calls": true,
            "pass_fields": ["verbosity", "prompt_cache_key", "safety_identifier", "service_tier", "metadata"],
            "reasoning": {"efforts": {
                "none": {"reasoning_effort": "none"}, "minimal": {"reasoning_effort": "minimal"},
                "low": {"reasoning_effort": "low"}, "medium": {"reasoning_effort": "medium"},
                "high": {"reasoning_effort": "high"}, "xhigh": {"reasoning_effort": "xhigh"}
            }, "unknown": {"reasoning_effort": "xhigh"}}
        }"#,
    ),
    // vllm/entrypoints/openai: effort tiers; since 0.16 `reasoning` is the field that is read back.
    (
        "vllm",
        r#"{
            "strict_tools": true, "parallel_tool_calls": true,
            "reasoning_replay": {"field": "reasoning"},
            "reasoning": {"efforts": {
                "none": {"reasoning_effort": "none"}, "minimal": {"reasoning_effort": "minimal"},
                "low": {"reasoning_effort": "low"}, "medium": {"reasoning_effort": "medium"},
                "high": {"reasoning_effort": "high"}, "xhigh": {"reasoning_effort": "xhigh"},
                "max": {"reasoning_effort": "max"}
            }, "unknown": {"reasoning_effort": "max"}}
        }"#,
    ),
    // llama.cpp, tools/server: any effort is taken and handed to the template.
    (
        "llamacpp",
        r#"{
            "parallel_tool_calls": true,
            "reasoning_replay": {"field": "reasoning_content"},
            "reasoning": {"efforts": {
                "none": {"chat_template_kwargs": {"enable_thinking": false}},
                "minimal": {"reasoning_effort": "low"},
                "low": {"reasoning_effort": "low"}, "medium": {"reasoning_effort": "medium"},
                "high": {"reasoning_effort": "high"}
            }, "unknown": {"reasoning_effort": "high"}}
        }"#,
    ),
    // ollama/openai: efforts none to max; `max_tokens` only; reads `reasoning`.
    (
        "ollama",
        r#"{
            "reasoning_replay": {"field": "reasoning"},
            "reasoning": {"efforts": {
                "none": {"reasoning_effort": "none"}, "minimal": {"reasoning_effort": "low"},
                "low": {"reasoning_effort": "low"}, "medium": {"reasoning_effort": "medium"},
                "high": {"reasoning_effort": "high"}
            }, "unknown": {"reasoning_effort": "max"}}
        }"#,
    ),
    // huggingface/text-generation-inference: content beside tool calls makes it drop the calls.
    ("tgi", r#"{"assistant_content_with_calls": "omit"}"#),
    // docs.together.ai: reasoning models take low, medium, high.
    (
        "together",
        r#"{
            "reasoning": {"efforts": {
                "minimal": {"reasoning_effort": "low"}, "low": {"reasoning_effort": "low"},
                "medium": {"reasoning_effort": "medium"}, "high": {"reasoning_effort": "high"}
            }, "unknown": {"reasoning_effort": "high"}}
        }"#,
    ),
    // api-docs.deepseek.com: thinking mode; in tool turns the reasoning must come back, even if empty.
    (
        "deepseek",
        r#"{
            "json_schema": "json_object",
            "reasoning_replay": {"field": "reasoning_content", "always_present": true},
            "reasoning": {"efforts": {
                "none": {"thinking": {"type": "disabled"}}, "minimal": {"thinking": {"type": "disabled"}},
                "low": {"reasoning_effort": "high"}, "medium": {"reasoning_effort": "high"},
                "high": {"reasoning_effort": "high"}
            }, "unknown": {"reasoning_effort": "max"}}
        }"#,
    ),
];

/// The options of a preset, as a JSON object; nothing if there is no such preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, options)| *options)
}

/// All presets, in the order of the documentation.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Options;

    #[test]
    fn every_preset_is_a_set_of_options() {
        for name in preset_names() {
            let options = serde_json::from_str::<Options>(preset(name).unwrap());
            assert!(options.is_ok(), "{name}: {options:?}");
        }
        assert_eq!(serde_json::from_str::<Options>(preset("generic").unwrap()).unwrap(), Options::default());
    }
}
