//! The markups in which models write what a server should have told apart: thoughts and tool calls.
//!
//! A new one is a row in a table; what the rows mean is for [`super::block`] and [`super`] to know.

/// How one family of models writes tool calls.
#[derive(Debug)]
pub(super) struct Dialect {
    /// What begins a block of calls, and may stand again before each of them.
    pub(super) begin: &'static [&'static str],
    /// What stands around a call's name. Nothing: a JSON object names itself.
    pub(super) name: Option<Name>,
    /// How arguments are written one by one; all of them can also be one JSON object.
    pub(super) pairs: Option<Pairs>,
    /// What may end a call or the block.
    pub(super) end: &'static [&'static str],
}

/// What stands around a call's name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) before: &'static str,
    pub(super) after: &'static [&'static str],
}

/// What stands around the name of an argument and around its value.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) key: &'static str,
    pub(super) key_end: &'static str,
    pub(super) value: &'static str,
    pub(super) value_end: &'static str,
}

/// `<invoke name="f"><parameter name="x">1</parameter></invoke>`, in whatever brackets.
macro_rules! invoke {
    ($prefix:literal, [$($begin:literal),*], [$($end:literal),*]) => {
        Dialect {
            begin: &[$($begin),*],
            name: Some(Name { before: concat!("<", $prefix, "invoke name=\""), after: &["\""] }),
            pairs: Some(Pairs {
                key: concat!("<", $prefix, "parameter name=\""),
                key_end: "\"",
                // Attributes may follow the name.
                value: ">",
                value_end: concat!("</", $prefix, "parameter>"),
            }),
            end: &[concat!("</", $prefix, "invoke>"), $($end),*],
        }
    };
}

/// DeepSeek's, in which `bar` and `gap` are special characters, or the ASCII ones that look like them.
macro_rules! deepseek {
    ($bar:literal, $gap:literal, name: $before:expr, $after:expr) => {
        Dialect {
            begin: &[concat!("<", $bar, "tool", $gap, "calls", $gap, "begin", $bar, ">")],
            name: Some(Name { before: $before, after: &[$after] }),
            pairs: None,
            end: &[
                "```",
                concat!("<", $bar, "tool", $gap, "call", $gap, "end", $bar, ">"),
                concat!("<", $bar, "tool", $gap, "calls", $gap, "end", $bar, ">"),
            ],
        }
    };
    ($bar:literal, $gap:literal, V3) => {
        deepseek!($bar, $gap, name:
            concat!("<", $bar, "tool", $gap, "call", $gap, "begin", $bar, ">function<", $bar, "tool", $gap, "sep", $bar, ">"),
            "\n")
    };
    ($bar:literal, $gap:literal, V31) => {
        deepseek!($bar, $gap, name:
            concat!("<", $bar, "tool", $gap, "call", $gap, "begin", $bar, ">"),
            concat!("<", $bar, "tool", $gap, "sep", $bar, ">"))
    };
}

/// JSON objects that name themselves. The first row: it is also the one for JSON without any markup.
pub(super) const JSON: &Dialect = &Dialect {
    begin: &[
        "<tool_call>",
        "<tool_calls>",
        "<function_call>",
        "<|tool_call|>",
        "<|python_tag|>",
        "[TOOL_CALLS]",
        "<TOOLCALL>",
        "<|START_ACTION|>",
    ],
    name: None,
    pairs: None,
    end: &[
        "</tool_call>",
        "</tool_calls>",
        "</function_call>",
        "<|/tool_call|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "[/TOOL_CALLS]",
        "</TOOLCALL>",
        "<|END_ACTION|>",
        "[",
        "]",
        ",",
        ";",
    ],
};

/// Where two rows fit, the first counts.
pub(super) static DIALECTS: &[&Dialect] = &[
    // Hermes, Qwen, Llama, Mistral, Granite, Phi, Nemotron, Command: `<tool_call>{"name": "f", "arguments": {}}</tool_call>`.
    JSON,
    // Qwen-Coder, Seed: `<tool_call><function=f><parameter=x>1</parameter></function></tool_call>`; Llama: `<function=f>{}</function>`.
    &Dialect {
        begin: &["<tool_call>", "<seed:tool_call>"],
        name: Some(Name { before: "<function=", after: &[">", "=", "{"] }),
        pairs: Some(Pairs { key: "<parameter=", key_end: ">", value: "", value_end: "</parameter>" }),
        end: &["</function>", "</tool_call>", "</seed:tool_call>"],
    },
    // GLM: `<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>`; Hunyuan puts `<tool_sep>` after the name.
    &Dialect {
        begin: &["<tool_call>", "<tool_calls>"],
        name: Some(Name { before: "", after: &["<tool_sep>", "\n", "<arg_key>", "</tool_call>"] }),
        pairs: Some(Pairs {
            key: "<arg_key>",
            key_end: "</arg_key>",
            value: "<arg_value>",
            value_end: "</arg_value>",
        }),
        end: &["</tool_call>", "</tool_calls>"],
    },
    // MiniMax, and Claude's of old.
    &invoke!(
        "",
        ["<minimax:tool_call>", "<function_calls>", "<tool_calls>"],
        ["</minimax:tool_call>", "</function_calls>", "</tool_calls>"]
    ),
    // DeepSeek from V3.2 on.
    &invoke!(
        "｜DSML｜",
        ["<｜DSML｜function_calls>", "<｜DSML｜tool_calls>"],
        ["</｜DSML｜function_calls>", "</｜DSML｜tool_calls>"]
    ),
    &invoke!(
        "|DSML|",
        ["<|DSML|function_calls>", "<|DSML|tool_calls>"],
        ["</|DSML|function_calls>", "</|DSML|tool_calls>"]
    ),
    // DeepSeek before that: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>`.
    &deepseek!("｜", "▁", V3),
    &deepseek!("｜", "▁", V31),
    &deepseek!("|", "_", V3),
    &deepseek!("|", "_", V31),
    // Kimi: `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>`.
    &Dialect {
        begin: &["<|tool_calls_section_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>", after: &["<|tool_call_argument_begin|>"] }),
        pairs: None,
        end: &["<|tool_call_end|>", "<|tool_calls_section_end|>"],
    },
    // Mistral from v11 on: `[TOOL_CALLS]f[ARGS]{}`, with `[CALL_ID]...` between in some versions.
    &Dialect {
        begin: &["[TOOL_CALLS]"],
        name: Some(Name { before: "", after: &["[ARGS]", "[CALL_ID]", "{"] }),
        pairs: None,
        end: &["[/TOOL_CALLS]"],
    },
    // Harmony: `<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>`.
    &Dialect {
        begin: &["<|start|>assistant", "<|channel|>commentary", "<|channel|>analysis"],
        name: Some(Name { before: "to=", after: &[" ", "<"] }),
        pairs: None,
        end: &["<|call|>", "<|end|>"],
    },
];

/// The tags around a thought at the beginning of a text.
pub(super) static THINK: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
];

/// Thoughts of harmony, which stand anywhere.
pub(super) static ANALYSIS: &[(&str, &str)] = &[
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
];

/// What harmony puts around a text that is shown.
pub(super) static FRAMES: &[&str] = &[
    "<|channel|>final<|message|>",
    "<|channel|>commentary<|message|>",
    "<|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>commentary<|message|>",
    "<|end|>",
    "<|return|>",
];
