//! The markups in which models write reasoning and tool calls. A new one is a row in a table.

/// How a family of models writes tool calls.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Tags that open a block of calls, and may be repeated before each call.
    pub(super) open: &'static [&'static str],
    /// The markup around a call's name. None: a call is a JSON object that holds its name.
    pub(super) name: Option<Name>,
    pub(super) arguments: Arguments,
    /// Tags that may close a call or the block, that of the call first.
    pub(super) close: &'static [&'static str],
}

impl Dialect {
    /// The forms of tagged arguments.
    pub(super) fn argument_tags(&self) -> &'static [ArgumentTags] {
        match self.arguments {
            Arguments::Tagged(tags) => tags,
            Arguments::Json | Arguments::Quoted(_) | Arguments::Keywords => &[],
        }
    }

    /// The tags with which a call may begin.
    pub(super) fn opening_tags(&self) -> impl Iterator<Item = &'static str> {
        let name = self.name.iter().map(|name| name.before).filter(|before| !before.is_empty());
        self.open.iter().copied().chain(name)
    }
}

/// The markup around a call's name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) before: &'static str,
    pub(super) after: &'static [&'static str],
    /// The end of the tag in which the name is. White space alone may follow before the arguments.
    pub(super) end: &'static str,
}

/// How the arguments of a call are written.
#[derive(Debug)]
pub(super) enum Arguments {
    /// As a JSON object.
    Json,
    /// Each between tags, in any of these forms, or all of them as a JSON object.
    Tagged(&'static [ArgumentTags]),
    /// As an object with bare keys, and strings between these tokens.
    Quoted(&'static str),
    /// As the keyword arguments of Python.
    Keywords,
}

impl Arguments {
    /// The bracket with which all arguments together begin.
    pub(super) fn bracket(&self) -> char {
        match self {
            Self::Keywords => '(',
            Self::Json | Self::Tagged(_) | Self::Quoted(_) => '{',
        }
    }
}

/// The markup around an argument's key and value.
#[derive(Debug)]
pub(super) struct ArgumentTags {
    pub(super) key: &'static str,
    pub(super) key_end: &'static str,
    pub(super) value: &'static str,
    pub(super) value_end: &'static str,
    /// One line end after `value` and one before `value_end` are not part of the value.
    pub(super) on_lines: bool,
}

impl ArgumentTags {
    /// The value in the text between its tags.
    pub(super) fn value_in<'t>(&self, text: &'t str) -> &'t str {
        if !self.on_lines {
            return text;
        }
        let text = text.strip_prefix("\r\n").or(text.strip_prefix('\n')).unwrap_or(text);
        text.strip_suffix("\r\n").or(text.strip_suffix('\n')).unwrap_or(text)
    }
}

/// `<parameter=x>1</parameter>`: Qwen-Coder, Seed.
const ASSIGNED: ArgumentTags =
    ArgumentTags { key: "<parameter=", key_end: ">", value: "", value_end: "</parameter>", on_lines: true };

/// `<parameter name="x">1</parameter>`: MiniMax, Claude. Models mix both forms.
const ATTRIBUTED: ArgumentTags = ArgumentTags {
    key: "<parameter name=\"",
    key_end: "\"",
    value: ">", // Attributes may follow the key.
    value_end: "</parameter>",
    on_lines: true,
};

/// The word before a list of calls. Phi-4-mini, Firefunction.
pub(super) const FUNCTOOLS: &str = "functools";

/// Calls that are JSON objects, with a tag or without: `<tool_call>{"name": "f", "arguments": {}}</tool_call>`.
/// Hermes, Qwen, Llama, Mistral, Granite, Phi, Nemotron, Command, InternLM, LFM2, LongCat, Firefunction.
pub(super) const JSON: &Dialect = &Dialect {
    open: &[
        "<tool_call>",
        "<tool_calls>",
        "<function_call>",
        "<|tool_call|>",
        "<|python_tag|>",
        "<|python_start|>",
        "<|tool_call_start|>",
        "<longcat_tool_call>",
        "[TOOL_CALLS]",
        "<TOOLCALL>",
        "<|START_ACTION|>",
        "<|action_start|><|plugin|>",
        FUNCTOOLS,
    ],
    name: None,
    arguments: Arguments::Json,
    close: &[
        "</tool_call>",
        "</tool_calls>",
        "</function_call>",
        "<|/tool_call|>",
        "<|python_end|>",
        "<|tool_call_end|>",
        "</longcat_tool_call>",
        "<|eom_id|>",
        "<|eot_id|>",
        "[/TOOL_CALLS]",
        "</TOOLCALL>",
        "<|END_ACTION|>",
        "<|action_end|>",
        "[",
        "]",
        ",",
        ";",
    ],
};

/// Calls in the form of Python, with a tag or without: `[f(x='a', y=1), g()]`. OLMo 3 writes each on a line of its own.
/// Llama 3.2 and 4, LFM2, OLMo 3, ToolACE.
pub(super) const PYTHON: &Dialect = &Dialect {
    open: &["<|tool_call_start|>", "<|python_start|>", "<function_calls>"],
    name: Some(Name { before: "", after: &["("], end: "" }),
    arguments: Arguments::Keywords,
    close: &["<|tool_call_end|>", "<|python_end|>", "</function_calls>", "[", "]", ","],
};

/// Where two dialects match, the first counts.
pub(super) static DIALECTS: &[&Dialect] = &[
    JSON,
    // Qwen-Coder, Seed: `<tool_call><function=f><parameter=x>1</parameter></function></tool_call>`.
    // Llama: `<function=f>{}</function>`.
    &Dialect {
        open: &["<tool_call>", "<seed:tool_call>"],
        name: Some(Name { before: "<function=", after: &[">", "=", "{"], end: "" }),
        arguments: Arguments::Tagged(&[ASSIGNED, ATTRIBUTED]),
        close: &["</function>", "</tool_call>", "</seed:tool_call>"],
    },
    // GLM: `<tool_call>f\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>`.
    // Hunyuan writes `<tool_sep>` after the name.
    &Dialect {
        open: &["<tool_call>", "<tool_calls>"],
        name: Some(Name { before: "", after: &["<tool_sep>", "\n", "<arg_key>", "</tool_call>"], end: "" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<arg_key>",
            key_end: "</arg_key>",
            value: "<arg_value>",
            value_end: "</arg_value>",
            on_lines: true,
        }]),
        close: &["</tool_call>", "</tool_calls>"],
    },
    // LongCat.
    &Dialect {
        open: &["<longcat_tool_call>"],
        name: Some(Name { before: "", after: &["\n", "<longcat_arg_key>", "</longcat_tool_call>"], end: "" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<longcat_arg_key>",
            key_end: "</longcat_arg_key>",
            value: "<longcat_arg_value>",
            value_end: "</longcat_arg_value>",
            on_lines: true,
        }]),
        close: &["</longcat_tool_call>"],
    },
    // Apertus: `<|tools_prefix|>[{"f": {"x": 1}}]<|tools_suffix|>`.
    &Dialect {
        open: &["<|tools_prefix|>"],
        name: Some(Name { before: "{\"", after: &["\""], end: ":" }),
        arguments: Arguments::Json,
        close: &["}", "<|tools_suffix|>", "[", "]", ","],
    },
    // MiniMax, older Claude: `<invoke name="f"><parameter name="x">1</parameter></invoke>`.
    &Dialect {
        open: &["<minimax:tool_call>", "<function_calls>", "<tool_calls>"],
        name: Some(Name { before: "<invoke name=\"", after: &["\""], end: ">" }),
        arguments: Arguments::Tagged(&[ASSIGNED, ATTRIBUTED]),
        close: &["</invoke>", "</minimax:tool_call>", "</function_calls>", "</tool_calls>"],
    },
    // DeepSeek from V3.2.
    &Dialect {
        open: &["<｜DSML｜function_calls>", "<｜DSML｜tool_calls>"],
        name: Some(Name { before: "<｜DSML｜invoke name=\"", after: &["\""], end: ">" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<｜DSML｜parameter name=\"",
            key_end: "\"",
            value: ">", // Attributes may follow the key.
            value_end: "</｜DSML｜parameter>",
            on_lines: true,
        }]),
        close: &["</｜DSML｜invoke>", "</｜DSML｜function_calls>", "</｜DSML｜tool_calls>"],
    },
    // The same in ASCII.
    &Dialect {
        open: &["<|DSML|function_calls>", "<|DSML|tool_calls>"],
        name: Some(Name { before: "<|DSML|invoke name=\"", after: &["\""], end: ">" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<|DSML|parameter name=\"",
            key_end: "\"",
            value: ">", // Attributes may follow the key.
            value_end: "</|DSML|parameter>",
            on_lines: true,
        }]),
        close: &["</|DSML|invoke>", "</|DSML|function_calls>", "</|DSML|tool_calls>"],
    },
    // Step 3.
    &Dialect {
        open: &["<｜tool_calls_begin｜>", "<｜tool_call_begin｜>function<｜tool_sep｜>"],
        name: Some(Name { before: "<steptml:invoke name=\"", after: &["\""], end: ">" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<steptml:parameter name=\"",
            key_end: "\"",
            value: ">",
            value_end: "</steptml:parameter>",
            on_lines: true,
        }]),
        close: &["</steptml:invoke>", "<｜tool_call_end｜>", "<｜tool_calls_end｜>"],
    },
    // DeepSeek V3: the name after `function`, the arguments in a block of Markdown.
    &Dialect {
        open: &["<｜tool▁calls▁begin｜>"],
        name: Some(Name {
            before: "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
            after: &["\n"],
            end: "```json",
        }),
        arguments: Arguments::Json,
        close: &["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    },
    // DeepSeek V3.1: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜>`.
    &Dialect {
        open: &["<｜tool▁calls▁begin｜>"],
        name: Some(Name { before: "<｜tool▁call▁begin｜>", after: &["<｜tool▁sep｜>"], end: "" }),
        arguments: Arguments::Json,
        close: &["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"],
    },
    // Both in ASCII.
    &Dialect {
        open: &["<|tool_calls_begin|>"],
        name: Some(Name {
            before: "<|tool_call_begin|>function<|tool_sep|>",
            after: &["\n"],
            end: "```json",
        }),
        arguments: Arguments::Json,
        close: &["```", "<|tool_call_end|>", "<|tool_calls_end|>"],
    },
    &Dialect {
        open: &["<|tool_calls_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>", after: &["<|tool_sep|>"], end: "" }),
        arguments: Arguments::Json,
        close: &["```", "<|tool_call_end|>", "<|tool_calls_end|>"],
    },
    // Kimi K2: `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>`.
    &Dialect {
        open: &["<|tool_calls_section_begin|>"],
        name: Some(Name { before: "<|tool_call_begin|>", after: &["<|tool_call_argument_begin|>"], end: "" }),
        arguments: Arguments::Json,
        close: &["<|tool_call_end|>", "<|tool_calls_section_end|>"],
    },
    // Kimi K3: `<|open|>call tool="f" index="1"<|sep|><|open|>argument key="x" type="number"<|sep|>1<|close|>argument<|sep|><|close|>call<|sep|>`.
    &Dialect {
        open: &["<|open|>tools<|sep|>"],
        name: Some(Name { before: "<|open|>call tool=\"", after: &["\""], end: "<|sep|>" }),
        arguments: Arguments::Tagged(&[ArgumentTags {
            key: "<|open|>argument key=\"",
            key_end: "\"",
            value: "<|sep|>",
            value_end: "<|close|>argument<|sep|>",
            on_lines: false,
        }]),
        close: &["<|close|>call<|sep|>", "<|close|>tools<|sep|>"],
    },
    // Gemma 4: `<|tool_call>call:f{x:<|"|>a<|"|>,y:1}<tool_call|>`.
    &Dialect {
        open: &["<|tool_call>"],
        name: Some(Name { before: "call:", after: &["{"], end: "" }),
        arguments: Arguments::Quoted("<|\"|>"),
        close: &["<tool_call|>"],
    },
    // FunctionGemma: `<start_function_call>call:f{x:<escape>a<escape>,y:1}<end_function_call>`.
    &Dialect {
        open: &["<start_function_call>"],
        name: Some(Name { before: "call:", after: &["{"], end: "" }),
        arguments: Arguments::Quoted("<escape>"),
        close: &["<end_function_call>"],
    },
    PYTHON,
    // Mistral from v11: `[TOOL_CALLS]f[ARGS]{}`, in some versions with `[CALL_ID]...` before `[ARGS]`.
    &Dialect {
        open: &["[TOOL_CALLS]"],
        name: Some(Name { before: "", after: &["[ARGS]", "[CALL_ID]", "{"], end: "[ARGS]" }),
        arguments: Arguments::Json,
        close: &["[/TOOL_CALLS]"],
    },
    // Harmony (gpt-oss): `<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>`.
    &Dialect {
        open: &["<|start|>assistant", "<|channel|>commentary", "<|channel|>analysis"],
        name: Some(Name { before: "to=", after: &[" ", "<"], end: "<|message|>" }),
        arguments: Arguments::Json,
        close: &["<|call|>", "<|end|>"],
    },
];

/// The tags around reasoning at the start of a text, in lower or upper case.
pub(super) static REASONING: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    // Kimi-VL
    ("◁think▷", "◁/think▷"),
    // Kimi K3
    ("<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    // Gemma 4
    ("<|channel>thought", "<channel|>"),
];

/// Reasoning in harmony, which may occur anywhere.
pub(super) static HARMONY_REASONING: &[(&str, &str)] = &[
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|end|>"),
];

/// The tags that harmony and Kimi K3 put around text.
pub(super) static FRAMES: &[&str] = &[
    "<|channel|>final<|message|>",
    "<|channel|>commentary<|message|>",
    "<|start|>assistant<|channel|>final<|message|>",
    "<|start|>assistant<|channel|>commentary<|message|>",
    "<|end|>",
    "<|return|>",
    "<|open|>response<|sep|>",
    "<|close|>response<|sep|>",
    "<|close|>message<|sep|>",
    "<|end_of_msg|>",
];
