//! What the strictest hosts demand of a request, as a table of rules.
//!
//! The default is the strictest that a generic Chat Completions request can satisfy everywhere. A script loosens it,
//! to be the host that a scenario is about.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fields::{self, Field, check, join};

/// What a script may change. Every default is the strict one.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Strictness {
    /// Further top-level fields, e.g. `reasoning_effort`, `max_completion_tokens`.
    pub(crate) allow_fields: Vec<String>,
    /// Top-level fields that this host does not take either, e.g. `stream_options`, `max_tokens`.
    pub(crate) refuse_fields: Vec<String>,
    /// Further fields of assistant messages, e.g. `reasoning_content`.
    pub(crate) assistant_fields: Vec<String>,
    /// Fields that every assistant message with calls must have, e.g. `reasoning_content` at DeepSeek.
    pub(crate) assistant_must_have: Vec<String>,
    /// Further fields of tool messages, e.g. `name`.
    pub(crate) tool_message_fields: Vec<String>,
    /// Further fields of tool calls, e.g. `extra_content`.
    pub(crate) tool_call_fields: Vec<String>,
    pub(crate) roles: Vec<String>,
    /// Roles whose content may be a list of parts.
    pub(crate) parts_in: Vec<String>,
    pub(crate) images: bool,
    /// `content: null` beside tool calls.
    pub(crate) null_content: bool,
    /// More than one system message, or one that is not the first.
    pub(crate) late_system: bool,
    /// User and assistant must take turns.
    pub(crate) alternate: bool,
    /// The last message may be the assistant's, to be continued.
    pub(crate) prefill: bool,
    /// A tool call id may come back in a later turn.
    pub(crate) repeated_ids: bool,
    /// An exact length for tool call ids, as Mistral's nine.
    pub(crate) id_length: Option<usize>,
    /// `strict` in a function's declaration.
    pub(crate) strict_tools: bool,
    pub(crate) tool_choices: Vec<String>,
    pub(crate) response_formats: Vec<String>,
    /// Values of `reasoning_effort`, once that is allowed; empty means any.
    pub(crate) reasoning_efforts: Vec<String>,
    /// Words that no schema of a tool may use as a key, e.g. `additionalProperties`, `$ref`.
    pub(crate) schema_refuses: Vec<String>,
}

impl Default for Strictness {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            allow_fields: Vec::new(),
            refuse_fields: Vec::new(),
            assistant_fields: Vec::new(),
            assistant_must_have: Vec::new(),
            tool_message_fields: Vec::new(),
            tool_call_fields: Vec::new(),
            roles: words(&["system", "user", "assistant", "tool"]),
            parts_in: words(&["user"]),
            images: true,
            null_content: false,
            late_system: false,
            alternate: false,
            prefill: false,
            repeated_ids: false,
            id_length: None,
            strict_tools: false,
            tool_choices: words(&["auto", "none", "required", "function"]),
            response_formats: words(&["text", "json_object", "json_schema"]),
            reasoning_efforts: Vec::new(),
            schema_refuses: Vec::new(),
        }
    }
}

/// Why a request is a 400.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) param: String,
    pub(crate) code: &'static str,
}

impl Refusal {
    pub(crate) fn at(param: &str, why: String) -> Self {
        Self {
            message: format!("{param}: {why}"),
            param: param.to_owned(),
            code: "invalid_value",
        }
    }

    pub(crate) fn body(&self) -> Value {
        json!({"error": {
            "message": self.message, "type": "invalid_request_error", "param": self.param, "code": self.code
        }})
    }
}

type Checked = Result<(), Refusal>;

/// One demand, and who makes it.
pub(crate) struct Rule {
    /// The sentence that `GET /_/rules` prints.
    pub(crate) because: &'static str,
    check: fn(&Value, &Strictness) -> Checked,
}

/// In this order; the first that fails is the answer. Later rules build on what earlier ones have made sure.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        because: "Mistral, Fireworks and Cerebras refuse every top-level field that they do not know.",
        check: top_level,
    },
    Rule {
        because: "Everybody refuses an empty conversation.",
        check: some_messages,
    },
    Rule {
        because: "DeepSeek, Mistral, DeepInfra and Qwen's template refuse the role developer.",
        check: known_roles,
    },
    Rule {
        because: "Groq and Mistral refuse unknown fields inside messages, as reasoning_content.",
        check: message_fields,
    },
    Rule {
        because: "Qwen's and Mistral's templates, MiniMax and LM Studio take one system message, and only as the first.",
        check: one_system_first,
    },
    Rule {
        because: "Cloudflare refuses content null; DeepSeek and NIM want strings where there is only text; Ollama takes images as data URLs.",
        check: contents,
    },
    Rule {
        because: "Kimi refuses an assistant message that says and calls nothing.",
        check: assistant_says_something,
    },
    Rule {
        because: "DeepSeek and Kimi, while thinking, refuse a tool loop whose reasoning was not sent back.",
        check: assistant_has_what_it_must,
    },
    Rule {
        because: "llama.cpp and Ollama parse the arguments of past calls; OpenAI and Azure bound ids at 40 characters.",
        check: tool_calls,
    },
    Rule {
        because: "OpenAI, Groq and Azure refuse a call without its result and a result without its call, or anything between them.",
        check: calls_are_answered,
    },
    Rule {
        because: "Mistral-7B's template wants user and assistant to take turns.",
        check: turns_alternate,
    },
    Rule {
        because: "llama.cpp continues a last assistant message, or refuses it while thinking; Mistral refuses it.",
        check: last_is_not_assistant,
    },
    Rule {
        because: "vLLM and Mistral refuse an empty list of tools; OpenAI bounds names; Moonshot and Gemini want an object schema.",
        check: tools,
    },
    Rule {
        because: "OpenAI and vLLM refuse tool_choice and parallel_tool_calls without tools, and a choice of a tool that is not there.",
        check: tool_choice,
    },
    Rule {
        because: "vLLM refuses stream_options without stream, TGI refuses it null.",
        check: stream_options,
    },
    Rule {
        because: "DeepSeek takes no json_schema, TGI spells it otherwise; OpenAI wants it named.",
        check: response_format,
    },
    Rule {
        because: "vLLM, SGLang and Ollama refuse an effort that they do not know; n over 1 and odd stops are refused by many.",
        check: small_values,
    },
];

/// The verdict of all rules.
pub(crate) fn check_request(body: &Value, strict: &Strictness) -> Checked {
    RULES.iter().try_for_each(|rule| (rule.check)(body, strict))
}

fn top_level(body: &Value, strict: &Strictness) -> Checked {
    let optional = fields::OPTIONAL_TOP
        .iter()
        .filter(|(name, ..)| contains(&strict.allow_fields, name));
    let taken: Vec<Field> = fields::TOP
        .iter()
        .chain(optional)
        .filter(|(name, ..)| !contains(&strict.refuse_fields, name))
        .copied()
        .collect();
    check(body, &taken, &strict.allow_fields, "")
}

fn some_messages(body: &Value, _: &Strictness) -> Checked {
    demand(!messages(body).is_empty(), "messages", || {
        "must hold at least one message".to_owned()
    })
}

fn known_roles(body: &Value, strict: &Strictness) -> Checked {
    each_message(body, |message, path| {
        let role = role(message);
        demand(contains(&strict.roles, role), &join(path, "role"), || {
            format!("must be one of {}, not '{role}'", strict.roles.join(", "))
        })
    })
}

fn message_fields(body: &Value, strict: &Strictness) -> Checked {
    each_message(body, |message, path| {
        let (fields, also): (_, &[String]) = match role(message) {
            "assistant" => (fields::ASSISTANT_MESSAGE, &strict.assistant_fields),
            "tool" => (fields::TOOL_MESSAGE, &strict.tool_message_fields),
            "user" => (fields::USER_MESSAGE, &[]),
            _ => (fields::SYSTEM_MESSAGE, &[]),
        };
        check(message, fields, also, path)
    })
}

fn one_system_first(body: &Value, strict: &Strictness) -> Checked {
    let late = messages(body)
        .iter()
        .skip(1)
        .position(|message| role(message) == "system");
    match late {
        Some(at) if !strict.late_system => Err(Refusal::at(
            &format!("messages[{}]", at + 1),
            "System message must be at the beginning".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn contents(body: &Value, strict: &Strictness) -> Checked {
    each_message(body, |message, path| {
        let path = &join(path, "content");
        let (role, called) = (role(message), !calls(message).is_empty());
        match message.get("content") {
            Some(Value::String(_)) => Ok(()),
            None if called => Ok(()),
            Some(Value::Null) if called && strict.null_content => Ok(()),
            None | Some(Value::Null) => Err(Refusal::at(path, "must not be null".to_owned())),
            Some(Value::Array(parts)) if contains(&strict.parts_in, role) => {
                content_parts(parts, role, strict, path)
            }
            Some(_) => Err(Refusal::at(
                path,
                format!("must be a string in {role} messages"),
            )),
        }
    })
}

fn content_parts(parts: &[Value], role: &str, strict: &Strictness, path: &str) -> Checked {
    demand(!parts.is_empty(), path, || {
        "must hold at least one part".to_owned()
    })?;
    parts.iter().enumerate().try_for_each(|(at, part)| {
        let path = &format!("{path}[{at}]");
        match part.get("type").and_then(Value::as_str) {
            Some("text") => check(part, fields::TEXT_PART, &[], path),
            Some("image_url") if role == "user" && strict.images => image(part, path),
            Some("image_url") if role == "user" => Err(Refusal::at(
                path,
                "this is not a multimodal model".to_owned(),
            )),
            _ => Err(Refusal::at(
                &join(path, "type"),
                format!("no such part in {role} messages"),
            )),
        }
    })
}

fn image(part: &Value, path: &str) -> Checked {
    check(part, fields::IMAGE_PART, &[], path)?;
    let path = join(path, "image_url");
    let image = part.get("image_url").unwrap_or(&Value::Null);
    check(image, fields::IMAGE_URL, &[], &path)?;
    let url = image.get("url").and_then(Value::as_str).unwrap_or_default();
    let data = url.starts_with("data:image/") && url.contains(";base64,");
    demand(
        data || url.starts_with("https://"),
        &join(&path, "url"),
        || "must be a data: URL of an image in base64, or an https: URL".to_owned(),
    )
}

fn assistant_says_something(body: &Value, _: &Strictness) -> Checked {
    each_message(body, |message, path| {
        let says = message.get("content").is_some_and(|content| match content {
            Value::String(text) => !text.is_empty(),
            other => other.is_array(),
        });
        let silent = role(message) == "assistant" && !says && message.get("tool_calls").is_none();
        demand(!silent, path, || {
            "an assistant message must not be empty".to_owned()
        })
    })
}

fn assistant_has_what_it_must(body: &Value, strict: &Strictness) -> Checked {
    each_message(body, |message, path| {
        let missing = strict
            .assistant_must_have
            .iter()
            .find(|name| message.get(name.as_str()).is_none());
        match missing {
            Some(name) if !calls(message).is_empty() => Err(Refusal::at(
                &join(path, name),
                "thinking is enabled, but the field is missing beside tool calls".to_owned(),
            )),
            _ => Ok(()),
        }
    })
}

fn tool_calls(body: &Value, strict: &Strictness) -> Checked {
    let mut seen = BTreeSet::new();
    each_message(body, |message, path| {
        let path = join(path, "tool_calls");
        demand(
            message.get("tool_calls").is_none() || !calls(message).is_empty(),
            &path,
            || "must not be an empty list".to_owned(),
        )?;
        if strict.repeated_ids {
            seen.clear();
        }
        calls(message)
            .iter()
            .enumerate()
            .try_for_each(|(at, call)| {
                let path = format!("{path}[{at}]");
                tool_call(call, strict, &path)?;
                let id = text_at(call, "/id");
                demand(seen.insert(id.to_owned()), &join(&path, "id"), || {
                    format!("Duplicate tool call id '{id}'")
                })
            })
    })
}

/// OpenAI: "string too long. Expected a string with maximum length 40".
const LONGEST_ID: usize = 40;

fn tool_call(call: &Value, strict: &Strictness, path: &str) -> Checked {
    check(call, fields::TOOL_CALL, &strict.tool_call_fields, path)?;
    let id = text_at(call, "/id");
    demand(id.chars().count() <= LONGEST_ID, &join(path, "id"), || {
        format!("must not be longer than {LONGEST_ID} characters")
    })?;
    if let Some(length) = strict.id_length {
        let plain = id.len() == length && id.chars().all(|c| c.is_ascii_alphanumeric());
        demand(plain, &join(path, "id"), || {
            format!("must be a-z, A-Z, 0-9, with a length of {length}")
        })?;
    }
    let path = join(path, "function");
    let function = call.get("function").unwrap_or(&Value::Null);
    check(function, fields::CALLED_FUNCTION, &[], &path)?;
    tool_name(function, &path)?;
    let arguments = text_at(function, "/arguments");
    let object = serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object());
    demand(object, &join(&path, "arguments"), || {
        "must be a string that holds a JSON object".to_owned()
    })
}

fn calls_are_answered(body: &Value, _: &Strictness) -> Checked {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    each_message(body, |message, path| {
        if role(message) == "tool" {
            let id = text_at(message, "/tool_call_id");
            return demand(open.remove(id), &join(path, "tool_call_id"), || {
                format!("no preceding assistant message waits for the result of '{id}'")
            });
        }
        all_answered(&open, path)?;
        open = calls(message)
            .iter()
            .map(|call| text_at(call, "/id"))
            .collect();
        Ok(())
    })?;
    all_answered(&open, "messages")
}

fn all_answered(open: &BTreeSet<&str>, path: &str) -> Checked {
    demand(open.is_empty(), path, || {
        let ids: Vec<&str> = open.iter().copied().collect();
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each id: {}",
            ids.join(", ")
        )
    })
}

fn turns_alternate(body: &Value, strict: &Strictness) -> Checked {
    if !strict.alternate {
        return Ok(());
    }
    let mut before = "";
    each_message(body, |message, path| {
        let now = role(message);
        let repeated = now == before && matches!(now, "user" | "assistant");
        before = now;
        demand(!repeated, path, || {
            "Conversation roles must alternate user/assistant".to_owned()
        })
    })
}

fn last_is_not_assistant(body: &Value, strict: &Strictness) -> Checked {
    let assistant = messages(body).last().map(role) == Some("assistant");
    demand(!assistant || strict.prefill, "messages", || {
        "the last message must be of role user or tool".to_owned()
    })
}

fn tools(body: &Value, strict: &Strictness) -> Checked {
    let Some(tools) = body.get("tools").and_then(Value::as_array) else {
        return Ok(());
    };
    demand(!tools.is_empty(), "tools", || {
        "must not be an empty list".to_owned()
    })?;
    let mut names = BTreeSet::new();
    tools.iter().enumerate().try_for_each(|(at, tool)| {
        let path = format!("tools[{at}]");
        check(tool, fields::TOOL, &[], &path)?;
        let path = join(&path, "function");
        let function = tool.get("function").unwrap_or(&Value::Null);
        declaration(function, strict, &path)?;
        let name = text_at(function, "/name");
        demand(names.insert(name), &join(&path, "name"), || {
            format!("Tool names must be unique: '{name}'")
        })
    })
}

fn declaration(function: &Value, strict: &Strictness, path: &str) -> Checked {
    let mut taken = fields::FUNCTION.to_vec();
    if strict.strict_tools {
        taken.push(fields::FUNCTION_STRICT);
    }
    check(function, &taken, &[], path)?;
    tool_name(function, path)?;
    let Some(parameters) = function.get("parameters") else {
        return Ok(());
    };
    let path = join(path, "parameters");
    demand(text_at(parameters, "/type") == "object", &path, || {
        "must be a schema of type \"object\"".to_owned()
    })?;
    let properties = parameters.get("properties");
    demand(properties.is_none_or(Value::is_object), &path, || {
        "properties must be an object".to_owned()
    })?;
    match refused_word(parameters, &strict.schema_refuses) {
        Some(word) => Err(Refusal::at(
            &path,
            format!("the keyword '{word}' is not supported"),
        )),
        None => Ok(()),
    }
}

/// A property may be named as a keyword is: looked for everywhere but in the names of `properties`.
fn refused_word<'a>(schema: &Value, refused: &'a [String]) -> Option<&'a str> {
    match schema {
        Value::Array(list) => list.iter().find_map(|item| refused_word(item, refused)),
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            if let Some(word) = refused.iter().find(|word| *word == key) {
                return Some(word.as_str());
            }
            match value {
                Value::Object(named) if key == "properties" => {
                    named.values().find_map(|item| refused_word(item, refused))
                }
                other => refused_word(other, refused),
            }
        }),
        _ => None,
    }
}

/// OpenAI: "Must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
fn tool_name(function: &Value, path: &str) -> Checked {
    let name = text_at(function, "/name");
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    demand(
        plain && (1..=64).contains(&name.len()),
        &join(path, "name"),
        || format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$"),
    )
}

fn tool_choice(body: &Value, strict: &Strictness) -> Checked {
    let offered: Vec<&str> = body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tool| text_at(tool, "/function/name"))
        .collect();
    for name in ["tool_choice", "parallel_tool_calls"] {
        let alone = body.get(name).is_some() && offered.is_empty();
        demand(!alone, name, || {
            "is only allowed when 'tools' are specified".to_owned()
        })?;
    }
    let Some(choice) = body.get("tool_choice") else {
        return Ok(());
    };
    let form = choice.as_str().unwrap_or("function");
    demand(contains(&strict.tool_choices, form), "tool_choice", || {
        format!("must be one of {}", strict.tool_choices.join(", "))
    })?;
    if choice.is_string() {
        return demand(form != "function", "tool_choice", || {
            "a function is chosen by an object".to_owned()
        });
    }
    check(choice, fields::CHOSEN_TOOL, &[], "tool_choice")?;
    let function = choice.get("function").unwrap_or(&Value::Null);
    check(
        function,
        fields::CHOSEN_FUNCTION,
        &[],
        "tool_choice.function",
    )?;
    let name = text_at(function, "/name");
    demand(offered.contains(&name), "tool_choice.function.name", || {
        format!("'{name}' is not among the tools")
    })
}

fn stream_options(body: &Value, _: &Strictness) -> Checked {
    let Some(options) = body.get("stream_options") else {
        return Ok(());
    };
    check(options, fields::STREAM_OPTIONS, &[], "stream_options")?;
    let streams = body.get("stream").and_then(Value::as_bool) == Some(true);
    demand(streams, "stream_options", || {
        "is only allowed when stream is true".to_owned()
    })
}

fn response_format(body: &Value, strict: &Strictness) -> Checked {
    let Some(format) = body.get("response_format") else {
        return Ok(());
    };
    check(format, fields::RESPONSE_FORMAT, &[], "response_format")?;
    let kind = text_at(format, "/type");
    demand(
        contains(&strict.response_formats, kind),
        "response_format.type",
        || format!("must be one of {}", strict.response_formats.join(", ")),
    )?;
    match (kind, format.get("json_schema")) {
        ("json_schema", Some(schema)) => {
            let path = "response_format.json_schema";
            check(schema, fields::JSON_SCHEMA, &[], path)
        }
        ("json_schema", None) => Err(Refusal::at(
            "response_format.json_schema",
            "Field required".to_owned(),
        )),
        (_, None) => Ok(()),
        (_, Some(_)) => Err(Refusal::at(
            "response_format.json_schema",
            format!("not permitted with type {kind}"),
        )),
    }
}

fn small_values(body: &Value, strict: &Strictness) -> Checked {
    let one = body.get("n").is_none_or(|n| n == 1);
    demand(one, "n", || "must be 1".to_owned())?;

    let effort = text_at(body, "/reasoning_effort");
    let known = effort.is_empty()
        || strict.reasoning_efforts.is_empty()
        || contains(&strict.reasoning_efforts, effort);
    demand(known, "reasoning_effort", || {
        format!("must be one of {}", strict.reasoning_efforts.join(", "))
    })?;

    let stops = body.get("stop").is_none_or(|stop| match stop {
        Value::String(_) => true,
        Value::Array(list) => (1..=4).contains(&list.len()) && list.iter().all(Value::is_string),
        _ => false,
    });
    demand(stops, "stop", || {
        "must be a string or one to four strings".to_owned()
    })
}

fn demand(holds: bool, param: &str, why: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Refusal::at(param, why()))
    }
}

fn each_message<'a>(body: &'a Value, mut rule: impl FnMut(&'a Value, &str) -> Checked) -> Checked {
    messages(body)
        .iter()
        .enumerate()
        .try_for_each(|(at, message)| rule(message, &format!("messages[{at}]")))
}

fn messages(body: &Value) -> &[Value] {
    list_at(body, "messages")
}

fn calls(message: &Value) -> &[Value] {
    list_at(message, "tool_calls")
}

fn list_at<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn role(message: &Value) -> &str {
    text_at(message, "/role")
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn contains(list: &[String], word: &str) -> bool {
    list.iter().any(|item| item == word)
}
