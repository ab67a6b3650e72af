//! The questions, and what was found out by them.
//!
//! Each is one request that differs in one thing from one that the host has answered. What has to be known
//! for that is settled first: the name of the token limit, and how a past tool call has to stand in the history.

use super::host::{Answer, Host};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Enough for a call of a tool, and little enough to be cheap.
const LIMIT: u64 = 300;

/// What was settled first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settled {
    /// `max_tokens` or `max_completion_tokens`.
    pub(crate) limit: &'static str,
    /// `content` beside tool calls: `""`, null, or `absent`.
    pub(crate) content: &'static str,
    /// The field without which a past tool call is refused, if there is one.
    pub(crate) must_replay: Option<&'static str>,
    /// A past tool call is refused without the signature that came with it.
    pub(crate) must_sign: bool,
    /// Ids of tool calls must be nine letters and digits.
    pub(crate) short_ids: bool,
}

/// A question: what it asks, with which request, and what in the answer says yes.
struct Question {
    asks: &'static str,
    fields: fn(&Settled) -> Value,
    says_yes: fn(&Answer) -> bool,
}

/// All that was found out: the questions that were answered with yes, in their words.
pub(crate) struct Findings {
    pub(crate) settled: Settled,
    answers: BTreeMap<&'static str, bool>,
    /// The field in which reasoning came.
    pub(crate) reasoning_field: Option<&'static str>,
    /// Reasoning stands in the text, and whether it begins there.
    pub(crate) think_tags: Option<&'static str>,
    /// A tool call stands in the text.
    pub(crate) call_in_text: bool,
}

impl Findings {
    /// Whether the answer was yes.
    pub(crate) fn yes(&self, asks: &str) -> bool {
        self.answers.get(asks).copied().unwrap_or_default()
    }

    /// Asks everything.
    pub(crate) fn ask(host: &Host, overflow: bool) -> Result<Self, String> {
        let mut found = Self {
            settled: Settled { limit: limit(host)?, ..Settled::default() },
            answers: BTreeMap::new(),
            reasoning_field: None,
            think_tags: None,
            call_in_text: false,
        };
        settle_history(host, &mut found.settled)?;
        for question in QUESTIONS {
            let answer = host.ask((question.fields)(&found.settled))?;
            let yes = (question.says_yes)(&answer);
            let why = if yes { String::new() } else { format!("   {}", answer.brief()) };
            eprintln!("{:>4}  {}{why}", if yes { "yes" } else { "no" }, question.asks);
            found.answers.insert(question.asks, yes);
            found.look_at(&answer);
        }
        tell_errors(host, &found.settled, overflow);
        Ok(found)
    }

    /// What an answer shows besides what was asked.
    fn look_at(&mut self, answer: &Answer) {
        let fields = ["reasoning_content", "reasoning"];
        let seen = fields.into_iter().find(|field| !answer.said(field).trim().is_empty());
        self.reasoning_field = self.reasoning_field.or(seen);
        let text = answer.said("content");
        match (text.find("<think>"), text.find("</think>")) {
            (Some(_), _) => self.think_tags = Some("on"),
            (None, Some(_)) if self.think_tags.is_none() => self.think_tags = Some("implied"),
            _ => {}
        }
        let markup = ["<tool_call>", "<function=", "[TOOL_CALLS]", "<|tool_call", "<｜tool"];
        self.call_in_text |= !answer.calls_a_tool() && markup.iter().any(|mark| text.contains(mark));
    }
}

fn base(settled: &Settled) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("messages".to_owned(), json!([user("Say the word ok.")]));
    fields.insert(settled.limit.to_owned(), json!(LIMIT));
    fields
}

fn with(settled: &Settled, more: Value) -> Value {
    let mut fields = base(settled);
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn system(text: &str) -> Value {
    json!({"role": "system", "content": text})
}

fn tools() -> Value {
    tool(json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}))
}

fn tool(parameters: Value) -> Value {
    let function =
        json!({"name": "get_weather", "description": "The weather in a city.", "parameters": parameters});
    json!([{"type": "function", "function": function}])
}

fn strict_tool() -> Value {
    let function = json!({"name": "get_weather", "parameters": schema(), "strict": true});
    json!([{"type": "function", "function": function}])
}

/// A conversation in which a tool was called and has answered.
fn history(settled: &Settled, id: &str, more: &[Value]) -> Value {
    let mut past = Map::new();
    past.insert("id".to_owned(), json!(id));
    past.insert("type".to_owned(), json!("function"));
    past.insert("function".to_owned(), json!({"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}));
    if settled.must_sign {
        past.insert("extra_content".to_owned(), json!({"google": {"thought_signature": ANY_SIGNATURE}}));
    }
    let mut call = Map::new();
    call.insert("role".to_owned(), json!("assistant"));
    call.insert("tool_calls".to_owned(), json!([past]));
    match settled.content {
        "absent" => None,
        "null" => call.insert("content".to_owned(), Value::Null),
        _ => call.insert("content".to_owned(), json!("")),
    };
    if let Some(field) = settled.must_replay {
        call.insert(field.to_owned(), json!("I look."));
    }
    let result = json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let mut messages = vec![user("How is the weather in Paris?"), call.into(), result];
    messages.extend_from_slice(more);
    json!({"messages": messages, "tools": tools()})
}

const ID: &str = "abcDEF123";

/// Gemini takes it for a call that another model made.
const ANY_SIGNATURE: &str = "skip_thought_signature_validator";

/// As OpenAI and vLLM make them.
const USUAL_ID: &str = "call_0123456789abcdefABCDEF01";

fn limit(host: &Host) -> Result<&'static str, String> {
    let mut refusals = Vec::new();
    for limit in ["max_tokens", "max_completion_tokens"] {
        let answer = host.ask(with(&Settled { limit, ..Settled::default() }, json!({})))?;
        if answer.is_good() {
            eprintln!(" yes  answers a plain request with {limit}");
            return Ok(limit);
        }
        refusals.push(answer.brief());
    }
    Err(format!("the host answers no plain request:\n  {}", refusals.join("\n  ")))
}

/// Finds a form in which a past tool call is taken. The first is what nearly every host takes.
fn settle_history(host: &Host, settled: &mut Settled) -> Result<(), String> {
    let mut refusal = String::new();
    let beside =
        [(None, false), (Some("reasoning_content"), false), (Some("reasoning"), false), (None, true)];
    for (must_replay, must_sign) in beside {
        for content in ["empty", "absent", "null"] {
            *settled = Settled { must_replay, must_sign, content, ..*settled };
            let answer = host.ask(with(settled, history(settled, ID, &[])))?;
            if answer.is_good() {
                let field = must_replay.or(must_sign.then_some("a signature"));
                let beside = field.map_or_else(String::new, |field| format!(", and {field} beside it"));
                eprintln!(" yes  takes a past tool call, with content {content}{beside}");
                let usual = host.ask(with(settled, history(settled, USUAL_ID, &[])))?;
                settled.short_ids = !usual.is_good();
                return Ok(());
            }
            refusal = answer.brief();
        }
    }
    Err(format!("the host takes no past tool call in any form: {refusal}"))
}

/// What the host says to what is wrong. Nothing follows from it, for every shape is understood; and a host
/// may well hang up on a request that is too long.
fn tell_errors(host: &Host, settled: &Settled, overflow: bool) {
    let tell = |what: &str, answer: Result<Answer, String>| {
        eprintln!("      {what}: {}", answer.map_or_else(|error| error, |answer| answer.brief()));
    };
    tell("an unknown model", host.ask(with(settled, json!({"model": "no-such-model-as-this"}))));
    tell("a broken request", host.send(b"{\"model\": "));
    if overflow {
        let long = user(&"word ".repeat(600_000));
        tell("too long a prompt", host.ask(with(settled, json!({ "messages": [long] }))));
    }
}

const GOOD: fn(&Answer) -> bool = Answer::is_good;

fn schema() -> Value {
    json!({"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": false})
}

fn format_of(kind: &str) -> Value {
    match kind {
        "json_schema" => {
            json!({"type": kind, "json_schema": {"name": "answer", "strict": true, "schema": schema()}})
        }
        _ => json!({"type": kind}),
    }
}

/// In the order in which they are asked. `advice` names them by their words.
const QUESTIONS: &[Question] = &[
    Question {
        asks: "streams",
        fields: |s| with(s, json!({"stream": true})),
        says_yes: |answer| answer.is_good() && answer.text.contains("data:"),
    },
    Question {
        asks: "takes stream_options",
        fields: |s| with(s, json!({"stream": true, "stream_options": {"include_usage": true}})),
        says_yes: GOOD,
    },
    Question {
        asks: "tells the tokens of a stream",
        fields: |s| with(s, json!({"stream": true, "stream_options": {"include_usage": true}})),
        says_yes: |answer| {
            answer.values().iter().any(|value| value.get("usage").is_some_and(Value::is_object))
        },
    },
    Question {
        asks: "tells the tokens of a stream unasked",
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
        asks: "takes tool_choice auto",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "auto"})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes tool_choice none",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "none"})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes tool_choice required",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "required"})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes a named tool_choice",
        fields: |s| {
            let named = json!({"type": "function", "function": {"name": "get_weather"}});
            with(s, json!({"tools": tools(), "tool_choice": named}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "obeys tool_choice required",
        fields: |s| with(s, json!({"tools": tools(), "tool_choice": "required"})),
        says_yes: Answer::calls_a_tool,
    },
    Question {
        asks: "takes parallel_tool_calls",
        fields: |s| with(s, json!({"tools": tools(), "parallel_tool_calls": false})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes strict functions",
        fields: |s| with(s, json!({"tools": strict_tool()})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes $ref and tuples in a schema",
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
        asks: "takes anyOf at the root of a schema",
        fields: |s| {
            let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
            with(s, json!({"tools": tool(json!({"type": "object", "anyOf": [city]}))}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes a list of types in a schema",
        fields: |s| {
            let parameters = json!({"type": "object", "properties": {"city": {"type": ["string", "null"]}}});
            with(s, json!({"tools": tool(parameters)}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes additionalProperties in a schema",
        fields: |s| with(s, json!({"tools": tool(schema())})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes a second system message",
        fields: |s| with(s, json!({"messages": [system("Be brief."), system("Be kind."), user("Say ok.")]})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes a late system message",
        fields: |s| {
            with(
                s,
                json!({"messages": [system("Be brief."), user("Say ok."), system("Be kind."), user("Say ok.")]}),
            )
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes the role developer",
        fields: |s| {
            with(s, json!({"messages": [{"role": "developer", "content": "Be brief."}, user("Say ok.")]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes two user messages in a row",
        fields: |s| with(s, json!({"messages": [user("I have a question."), user("Say ok.")]})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes a user message after a tool's",
        fields: |s| with(s, history(s, ID, &[user("And now?")])),
        says_yes: GOOD,
    },
    Question {
        asks: "takes reasoning_content in the history",
        fields: |s| with(s, replayed(s, "reasoning_content")),
        says_yes: GOOD,
    },
    Question {
        asks: "takes reasoning in the history",
        fields: |s| with(s, replayed(s, "reasoning")),
        says_yes: GOOD,
    },
    Question {
        asks: "takes content as parts",
        fields: |s| {
            with(s, json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Say ok."}]}]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes an image",
        fields: |s| {
            let parts = json!([{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]);
            with(s, json!({"messages": [{"role": "user", "content": parts}]}))
        },
        says_yes: GOOD,
    },
    Question {
        asks: "takes json_schema",
        fields: |s| with(s, json!({"response_format": format_of("json_schema")})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes json_schema beside tools",
        fields: |s| with(s, json!({"response_format": format_of("json_schema"), "tools": tools()})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes json_object",
        fields: |s| {
            let messages = json!([user("Answer in JSON: say ok.")]);
            with(s, json!({"response_format": format_of("json_object"), "messages": messages}))
        },
        says_yes: GOOD,
    },
    Question { asks: "takes temperature", fields: |s| with(s, json!({"temperature": 0.5})), says_yes: GOOD },
    Question { asks: "takes top_p", fields: |s| with(s, json!({"top_p": 0.9})), says_yes: GOOD },
    Question {
        asks: "takes logprobs",
        fields: |s| with(s, json!({"logprobs": true, "top_logprobs": 1})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes any field",
        fields: |s| with(s, json!({"no_such_field_as_this": true})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes prompt_cache_key",
        fields: |s| with(s, json!({"prompt_cache_key": "probe"})),
        says_yes: GOOD,
    },
    Question { asks: "takes user", fields: |s| with(s, json!({"user": "probe"})), says_yes: GOOD },
    Question {
        asks: "takes metadata",
        fields: |s| with(s, json!({"metadata": {"from": "probe"}})),
        says_yes: GOOD,
    },
    Question {
        asks: "takes service_tier",
        fields: |s| with(s, json!({"service_tier": "auto"})),
        says_yes: GOOD,
    },
    Question { asks: "takes verbosity", fields: |s| with(s, json!({"verbosity": "low"})), says_yes: GOOD },
    Question { asks: "takes effort none", fields: |s| with(s, effort("none")), says_yes: GOOD },
    Question { asks: "takes effort minimal", fields: |s| with(s, effort("minimal")), says_yes: GOOD },
    Question { asks: "takes effort low", fields: |s| with(s, effort("low")), says_yes: GOOD },
    Question { asks: "takes effort medium", fields: |s| with(s, effort("medium")), says_yes: GOOD },
    Question { asks: "takes effort high", fields: |s| with(s, effort("high")), says_yes: GOOD },
    Question { asks: "takes effort xhigh", fields: |s| with(s, effort("xhigh")), says_yes: GOOD },
    Question { asks: "takes effort max", fields: |s| with(s, effort("max")), says_yes: GOOD },
    Question { asks: "takes any effort", fields: |s| with(s, effort("no-such-effort")), says_yes: GOOD },
];

fn effort(effort: &str) -> Value {
    json!({"reasoning_effort": effort})
}

fn replayed(settled: &Settled, field: &'static str) -> Value {
    history(&Settled { must_replay: Some(field), ..*settled }, ID, &[])
}

/// One white pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
