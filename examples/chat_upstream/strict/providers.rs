//! What each provider is known to reject. A script names a provider to behave like it. An unknown name is an error.

/// The name of each provider, which is also its preset's, and its demands as JSON. The comments in
/// `src/upstream/presets.rs` give the sources.
pub(super) const PROVIDERS: &[(&str, &str)] = &[
    ("generic", r#"{"allow_fields": ["logprobs", "top_logprobs"]}"#),
    ("openai", OPENAI),
    ("azure", OPENAI),
    ("vllm", VLLM),
    ("sglang", VLLM),
    (
        "tgi",
        r#"{"ignores_unknown": true, "any_schema": true, "strict_tools": true, "content_hides_calls": true}"#,
    ),
    (
        "transformers",
        r#"{"any_schema": true, "strict_tools": true, "tool_choices": ["auto"], "response_formats": ["text"]}"#,
    ),
    (
        "llamacpp",
        r#"{"ignores_unknown": true, "any_schema": true, "strict_tools": true, "null_content": true}"#,
    ),
    (
        "llama-cpp-python",
        r#"{"ignores_unknown": true, "any_schema": true, "strict_tools": true, "null_content": true,
            "response_formats": ["text", "json_object"]}"#,
    ),
    (
        "ollama",
        r#"{"ignores_unknown": true, "strict_tools": true, "null_content": true,
            "reasoning_efforts": ["none", "low", "medium", "high"]}"#,
    ),
    (
        "lmstudio",
        r#"{"ignores_unknown": true, "any_schema": true, "strict_tools": true, "null_content": true,
            "tool_choices": ["auto", "none", "required"], "response_formats": ["text", "json_schema"]}"#,
    ),
    (
        "together",
        r#"{"allow_fields": ["reasoning_effort", "reasoning", "logprobs", "top_logprobs"],
            "reasoning_efforts": ["low", "medium", "high"]}"#,
    ),
    (
        "fireworks",
        r#"{"allow_fields": ["reasoning_effort", "prompt_cache_key", "user", "logprobs", "top_logprobs"],
            "assistant_fields": ["reasoning_content"],
            "reasoning_efforts": ["none", "low", "medium", "high", "xhigh", "max"]}"#,
    ),
    (
        "cloudflare",
        r#"{"allow_fields": ["reasoning_effort", "logprobs", "top_logprobs"],
            "reasoning_efforts": ["none", "low", "medium", "high", "max"]}"#,
    ),
    (
        "deepseek",
        r#"{"allow_fields": ["reasoning_effort", "thinking", "logprobs", "top_logprobs"], "images": false,
            "assistant_fields": ["reasoning_content"], "assistant_must_have": ["reasoning_content"],
            "response_formats": ["text", "json_object"], "reasoning_efforts": ["high", "max"],
            "while_thinking": {"unless": {"thinking": {"type": "disabled"}}, "tool_choices": ["auto", "none"],
                "refuse_fields": ["logprobs", "top_logprobs"]}}"#,
    ),
    ("openrouter", r#"{"ignores_unknown": true, "strict_tools": true, "null_content": true}"#),
    (
        "groq",
        r#"{"allow_fields": ["reasoning_effort", "max_completion_tokens", "user"], "strict_tools": true,
            "null_content": true, "images": false, "json_with_tools": false,
            "reasoning_efforts": ["low", "medium", "high"]}"#,
    ),
    (
        "mistral",
        r#"{"allow_fields": ["reasoning_effort"], "strict_tools": true, "id_length": 9, "user_after_tool": false,
            "reasoning_efforts": ["none", "high"]}"#,
    ),
    (
        "moonshot",
        r#"{"allow_fields": ["reasoning_effort", "thinking", "prompt_cache_key"], "one_type": true,
            "assistant_fields": ["reasoning_content"], "assistant_must_have": ["reasoning_content"],
            "reasoning_efforts": ["low", "high", "max"],
            "while_thinking": {"unless": {"thinking": {"type": "disabled"}}, "tool_choices": ["auto", "none"],
                "refuse_fields": ["temperature", "top_p"]}}"#,
    ),
    (
        "dashscope",
        r#"{"allow_fields": ["enable_thinking", "logprobs", "top_logprobs"], "tool_choices": ["auto", "none", "function"],
            "response_formats": ["text", "json_object"],
            "while_thinking": {"unless": {"enable_thinking": false}, "tool_choices": ["auto", "none"]}}"#,
    ),
    (
        "zai",
        r#"{"allow_fields": ["reasoning_effort", "thinking"], "assistant_fields": ["reasoning_content"],
            "tool_choices": ["auto"], "response_formats": ["text", "json_object"],
            "reasoning_efforts": ["low", "high", "max"]}"#,
    ),
    (
        "minimax",
        r#"{"allow_fields": ["reasoning_split"], "assistant_fields": ["reasoning_details"],
            "tool_choices": ["auto", "none"], "response_formats": ["text"]}"#,
    ),
    (
        "xai",
        r#"{"allow_fields": ["reasoning_effort", "logprobs", "top_logprobs"], "reasoning_efforts": ["low", "high"]}"#,
    ),
    (
        "cerebras",
        r#"{"allow_fields": ["reasoning_effort", "max_completion_tokens", "logprobs", "top_logprobs"],
            "refuse_fields": ["parallel_tool_calls"], "assistant_fields": ["reasoning"], "images": false,
            "json_with_tools": false, "reasoning_efforts": ["low", "medium", "high"]}"#,
    ),
    (
        "gemini",
        r##"{"allow_fields": ["reasoning_effort"], "json_with_tools": false, "one_type": true,
            "tool_call_fields": ["extra_content"], "tool_call_must_have": ["extra_content"],
            "schema_refuses": ["$schema", "$ref", "$defs", "additionalProperties", "propertyNames",
                "patternProperties", "const", "oneOf", "allOf", "not", "exclusiveMinimum", "exclusiveMaximum"],
            "reasoning_efforts": ["none", "minimal", "low", "medium", "high"]}"##,
    ),
];

const OPENAI: &str = r#"{
    "allow_fields": ["reasoning_effort", "max_completion_tokens", "verbosity", "prompt_cache_key",
        "prompt_cache_retention", "safety_identifier", "service_tier", "metadata", "user", "store", "logprobs",
        "top_logprobs"],
    "refuse_fields": ["max_tokens"],
    "roles": ["system", "developer", "user", "assistant", "tool"],
    "parts_in": ["system", "developer", "user", "assistant", "tool"],
    "null_content": true, "late_system": true, "prefill": true, "repeated_ids": true, "longest_id": 40,
    "strict_tools": true, "custom_tools": true, "any_schema": true, "composed_root": false,
    "tool_choices": ["auto", "none", "required", "function", "custom", "allowed_tools"],
    "reasoning_efforts": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]}"#;

const VLLM: &str = r#"{
    "ignores_unknown": true, "any_schema": true, "strict_tools": true, "null_content": true,
    "reasoning_efforts": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]}"#;
