//! The markups in which models write reasoning and tool calls. A new one is a row in a table.

/// How a family of models writes tool calls.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Tags that open a block of calls, and may be repeated before each call.
    pub(super) open: &'static [&'static str],
    /// The markup around a call's name. None: a call is a JSON object that holds its name.
    pub(super) name: Option<Name>,
    /// The markup of single arguments. All arguments can also be one JSON object.
    pub(super) arguments: Option<Arguments>,
    /// Tags that may close a call or the block.
    pub(super) close: &'static [&'static str],
}

/// The markup around a call's name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) before: &'static str,
    pub(super) after: &'static [&'static str],
}

/// The markup around an argument's key and value.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) key: &'static str,
    pub(super) key_end: &'static str,
    pub(super) value: &'static str,
    pub(super) value_end: &'static str,
}

/// Calls that are JSON objects, with a tag or without: `<tool_call>{"name": "f", "arguments": {}}</tool_call>`.
/// Hermes, Qwen, Llama, Mistral, Granite, Phi, Nemotron, Command.
pub(super) const JSON: &Dialect = &Dialect {
    open: &[
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
    arguments: None,
    close: &[
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

/// Where two dialects match, the first counts.
pub(super) static DIALECTS: &[&Dialect] = &[
    JSON,
    // Qwen-Coder, Seed: `<tool_call><function=f><parameter=x>1</parameter></function></tool_call>`.
    // Llama: `<function=f>{}</function>`.
    &Dialect {
        open: &["<tool_call>", "<seed:tool_call>"],
        name: Some(Name { before: "<function=", after: &[">", "=", "{"] }),
        arguments: Some(Arguments { key: "<parameter=", key_end: ">", value: "", value_end: "</parameter>" }),
        close: &["</function>", "</tool_call>", "</seed:tool_call>"],
    },
    // GLM: `<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>`.
    // Hunyuan writes `<tool_sep>` after the name.
    &Dialect {
        open: &["<tool_call>", "<tool_calls>"],
        name: Some(Name { before: "", after: &["<tool_sep>", "\n", "<arg_key>", "</tool_call>"] }),
        arguments: Some(Arguments {
            key: "<arg_key>",
            key_end: "</arg_key>",
            value: "<arg_value>",
            value_end: "</arg_value>",
        }),
        close: &["</tool_call>", "</tool_calls>"],
    },
    // MiniMax, older Claude: `<invoke name="f"><parameter name="x">1</parameter></invoke>`.
    &Dialect {
        open: &["<minimax:tool_call>", "<function_calls>", "<tool_calls>"],
        name: Some(Name { before: "<invoke name=\"", after: &["\""] }),
        arguments: Some(Arguments {
            key: "<parameter name=\"",
            key_end: "\"",
            value: ">", // Attributes may follow the key.
            value_end: "</parameter>",
        }),
        close: &["</invoke>", "</minimax:tool_call>", "</function_calls>", "</tool_calls>"],
    },
    // DeepSeek from V3.2.
    &Dialect {
        open: &["<｜DSML｜function_calls>", "<｜DSML｜tool_calls>"],
        name: Some(Name { before: "<｜DSML｜invoke name=\"", after: &["\""] }),
        arguments: Some(Arguments {
            key: "<｜DSML｜parameter name=\"",
            key_end: "\"",
            value: ">", // Attributes may follow the key.
            value_end: "</｜DSML｜parameter>",
        }),
        close: &["</｜DSML｜invoke>", "</｜DSML｜function_calls>", "</｜DSML｜tool_calls>"],
    },
    // The same in ASCII.
    &Dialect {
        open: &["<|DSML|function_calls>", "<|DSML|tool_calls>"],
        name: Some(Name { before: "<|DSML|invoke name=\"", after: &["\""] }),
        arguments: Some(Arguments {
            key: "<|DSML|parameter name=\"",
            key_end: "\"",
            value: ">", // Attributes may follow the key.
            value_end: "</|DSML|parameter>",
        }),
        close: &["</|DSML|invoke>", "</|DSML|function_calls>", "</|DSML|tool_calls>"],
    },
    // DeepSeek V3: the name after `function`, the arguments in a block of Markdown.
    &Dialect {
        open: &["<｜tool▁calls▁begin｜>"],
        name: Some(Name { before: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>", after: &["\n"] }),
        arguments: None,
        close: &["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    },
    // DeepSeek V3.1: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>`.
    &Dialect {
        open: &["<｜tool▁calls▁begin｜>"],
        name: Some(Name { before: "<｜tool▁call▁begin｜>", after: &["<｜tool▁sep｜>"] }),
        arguments: None,
        close: &["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    },
    // Both in ASCII.
    &Dialect {
        open: &["<|tool_calls_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>function<|tool_sep|>", after: &["\n"] }),
        arguments: None,
        close: &["```", "<|tool_call_end|>", "<|tool_calls_end|>"],
    },
    &Dialect {
        open: &["<|tool_calls_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>", after: &["<|tool_sep|>"] }),
        arguments: None,
        close: &["```", "<|tool_call_end|>", "<|tool_calls_end|>"],
    },
    // Kimi K2: `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>`.
    &Dialect {
        open: &["<|tool_calls_section_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>", after: &["<|tool_call_argument_begin|>"] }),
        arguments: None,
        close: &["<|tool_call_end|>", "<|tool_calls_section_end|>"],
    },
    // Mistral from v11: `[TOOL_CALLS]f[ARGS]{}`, in some versions with `[CALL_ID]...` before `[ARGS]`.
    &Dialect {
        open: &["[TOOL_CALLS]"],
        name: Some(Name { before: "", after: &["[ARGS]", "[CALL_ID]", "{"] }),
        arguments: None,
        close: &["[/TOOL_CALLS]"],
    },
    // Harmony (gpt-oss): `<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>`.
    &Dialect {
        open: &["<|start|>assistant", "<|channel|>commentary", "<|channel|>analysis"],
        name: Some(Name { before: "to=", after: &[" ", "<"] }),
        arguments: None,
        close: &["<|call|>", "<|end|>"],
    },
];

/// The tags around reasoning at the start of a text.
pub(super) static REASONING: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
];

/// Reasoning in harmony, which may occur anywhere.
pub(super) static HARMONY_REASONING: &[(&str, &str)] = &[
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
];

/// The tags that harmony puts around text.
pub(super) static FRAMES: &[&str] = &[
    "<|channel|>final<|message|>",
    "<|channel|>commentary<|message|>",
    "<|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>commentary<|message|>",
    "<|end|>",
    "<|return|>",
];
