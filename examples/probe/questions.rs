//! The questions. Each is a request that differs in one detail from a request that the upstream accepted.

use super::requests::{
    ID, PIXEL, Settled, effort, format_of, history, replayed, schema, strict_tool, system, tool, tools,
    two_tools, user, with,
};
use super::upstream::Answer;
use serde_json::{Value, json};

/// A question: what it asks, the request that it sends, and which answers mean yes.
pub(super) struct Question {
    pub(super) asks: &'static str,
    pub(super) fields: fn(&Settled) -> Value,
    pub(super) says_yes: fn(&Answer) -> bool,
}

const GOOD: fn(&Answer) -> bool = Answer::is_good;

/// The questions in the order in which they are asked. `advice` finds an answer by the text of `asks`.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        asks: "streams",
        fields: |s| with(s, json!({"stream": true})),
        says_yes: |answer| answer.is_good() && answer.text.contains("data:"),
    },
    Question {
        asks: "ends a stream with a finish_reason",
        fields: |s| with(s, json!({"stream": true})),
        says_yes: |answer| {
            let chunks = answer.values();
            chunks.iter().filter_map(|chunk| chunk.pointer("/choices/0/finish_reason")).any(Value::is_string)
        },
    },
    Question {
        asks: "accepts stream_options",
        fields: |s| with(s, json!({"stream": true, "stream_options": {"include_usage": true}})),
        says_yes: GOOD,
    },
    Question {
        asks: "counts the tokens of a stream",
        fields: |s| with(s, json!({"stream": true, "stream_options": {"include_usage": true}})),
        says_yes: |answer| {
            answer.values().iter().any(|value| value.get("usage").is_some_and(Value::is_object))
        },
    },
    Question {
        asks: "counts the tokens of a stream unasked",
        fields: |s| with(s, json!({"stream": true})),
        says_yes: |answer| {
            answer.values().iter().any(|value| value.get("usage").is_some_and(Value::is_object))
        },
    },
    Question {
        asks: "calls a tool",
        fields: |s| with(s, json!({"messages": [user("Call get_weather for Paris.")], "tools": tools()})),
        says_yes: Answer::calls_a_tool,
    },
    Question {
        asks: "accepts tool_choice auto",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "auto"})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts tool_choice none",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "none"})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts tool_choice required",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "required"})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts a named tool_choice",
        fields: |s| {
            let named = json!({"type": "function", "function": {"name": "get_weather"}});
            with(s, json!({"tools": tools(), "tool_choice": named}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "obeys a named tool_choice",
        fields: |s| {
            let named = json!({"type": "function", "function": {"name": "list_files"}});
            let messages = [user("Call get_weather for Paris.")];
            with(s, json!({"messages": messages, "tools": two_tools(), "tool_choice": named}))
        },
        says_yes: |answer| answer.calls("list_files"),
    },
    Question {
        asks: "obeys tool_choice required",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "required"})),
        says_yes: Answer::calls_a_tool,
    },
    Question {
        asks: "accepts parallel_tool_calls",
        fields: |s| with(s, json!({"tools": tools(), "parallel_tool_calls": false})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts strict functions",
        fields: |s| with(s, json!({"tools": strict_tool()})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts $ref and tuples in a schema",
        fields: |s| {
            let parameters = json!({
                "type": "object", "$defs": {"city": {"type": "string"}},
                "properties": {"city": {"$ref": "#/$defs/city"}, "at": {"type": "array", "items": [{"type": "number"}, {"type": "number"}]}}
            });
            with(s, json!({"tools": tool(parameters)}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts anyOf at the root of a schema",
        fields: |s| {
            let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
            with(s, json!({"tools": tool(json!({"type": "object", "anyOf": [city]}))}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts a list of types in a schema",
        fields: |s| {
            let parameters = json!({"type": "object", "properties": {"city": {"type": ["string", "null"]}}});
            with(s, json!({"tools": tool(parameters)}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts additionalProperties in a schema",
        fields: |s| with(s, json!({"tools": tool(schema())})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts a second system message",
        fields: |s| with(s, json!({"messages": [system("Be brief."), system("Be kind."), user("Say ok.")]})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts a late system message",
        fields: |s| {
            with(
                s,
                json!({"messages": [system("Be brief."), user("Say ok."), system("Be kind."), user("Say ok.")]}),
            )
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts the role developer",
        fields: |s| {
            with(s, json!({"messages": [{"role": "developer", "content": "Be brief."}, user("Say ok.")]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts two user messages in a row",
        fields: |s| with(s, json!({"messages": [user("I have a question."), user("Say ok.")]})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts a user message after a tool's",
        fields: |s| with(s, history(s, ID, &[user("And now?")])),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts reasoning_content in the history",
        fields: |s| with(s, replayed(s, "reasoning_content")),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts reasoning in the history",
        fields: |s| with(s, replayed(s, "reasoning")),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts content as parts",
        fields: |s| {
            with(s, json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Say ok."}]}]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts an image",
        fields: |s| {
            let parts = json!([{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]);
            with(s, json!({"messages": [{"role": "user", "content": parts}]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts json_schema",
        fields: |s| with(s, json!({"response_format": format_of("json_schema")})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts json_schema beside tools",
        fields: |s| with(s, json!({"response_format": format_of("json_schema"), "tools": tools()})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts json_object",
        fields: |s| {
            let messages = json!([user("Answer in JSON: say ok.")]);
            with(s, json!({"response_format": format_of("json_object"), "messages": messages}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "accepts temperature",
        fields: |s| with(s, json!({"temperature": 0.5})),
        says_yes: GOOD,
    },
    Question { asks: "accepts top_p", fields: |s| with(s, json!({"top_p": 0.9})), says_yes: GOOD },
    Question {
        asks: "accepts logprobs",
        fields: |s| with(s, json!({"logprobs": true, "top_logprobs": 1})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts any field",
        fields: |s| with(s, json!({"no_such_field_as_this": true})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts prompt_cache_key",
        fields: |s| with(s, json!({"prompt_cache_key": "probe"})),
        says_yes: GOOD,
    },
    Question { asks: "accepts user", fields: |s| with(s, json!({"user": "probe"})), says_yes: GOOD },
    Question {
        asks: "accepts metadata",
        fields: |s| with(s, json!({"metadata": {"from": "probe"}})),
        says_yes: GOOD,
    },
    Question {
        asks: "accepts service_tier",
        fields: |s| with(s, json!({"service_tier": "auto"})),
        says_yes: GOOD,
    },
    Question { asks: "accepts verbosity", fields: |s| with(s, json!({"verbosity": "low"})), says_yes: GOOD },
    Question { asks: "accepts effort none", fields: |s| with(s, effort("none")), says_yes: GOOD },
    Question { asks: "accepts effort minimal", fields: |s| with(s, effort("minimal")), says_yes: GOOD },
    Question { asks: "accepts effort low", fields: |s| with(s, effort("low")), says_yes: GOOD },
    Question { asks: "accepts effort medium", fields: |s| with(s, effort("medium")), says_yes: GOOD },
    Question { asks: "accepts effort high", fields: |s| with(s, effort("high")), says_yes: GOOD },
    Question { asks: "accepts effort xhigh", fields: |s| with(s, effort("xhigh")), says_yes: GOOD },
    Question { asks: "accepts effort max", fields: |s| with(s, effort("max")), says_yes: GOOD },
    Question { asks: "accepts any effort", fields: |s| with(s, effort("no-such-effort")), says_yes: GOOD },
];
