//! How upstreams write reasoning and text, and what they add to them.

use super::answer::{Answer, Call};
use super::fragments::whole_calls;
use super::table::{ANYTHING, Aspect, CALLS, Change, DOCUMENT, Deviation, STREAM};
use super::wire::{messages, split};
use super::{Case, Rng};
use serde_json::{Value, json};

const BESIDE: &str = "One answer in several choices";

pub const TABLE: &[Deviation] = &[
    // Reasoning.
    Deviation {
        name: "reasoning in another field",
        row: "",
        aspects: &[Aspect::Reasoning],
        needs: ANYTHING.reasoning(),
        change: Change::Parts(|case| {
            let field = case.rng.choice(["reasoning", "reasoning_text", "thinking"]).unwrap();
            each_reasoning(case, |text| json!({ field: text }));
        }),
    },
    Deviation {
        name: "reasoning in two fields",
        row: "",
        aspects: &[Aspect::Reasoning],
        needs: ANYTHING.reasoning(),
        change: Change::Parts(|case| {
            each_reasoning(case, |text| {
                json!({"reasoning_content": text, "reasoning": text,
                "reasoning_details": [{"type": "reasoning.text", "text": text}]})
            });
        }),
    },
    Deviation {
        name: "reasoning in details",
        row: "",
        aspects: &[Aspect::Reasoning],
        needs: ANYTHING.reasoning(),
        change: Change::Parts(|case| {
            each_reasoning(
                case,
                |text| json!({"reasoning_details": [{"type": "reasoning.text", "text": text}]}),
            );
        }),
    },
    Deviation {
        name: "reasoning as a list or an object",
        row: "Reasoning as parts, a list or an object",
        aspects: &[Aspect::Reasoning],
        needs: ANYTHING.reasoning(),
        change: Change::Parts(|case| {
            let shapes: [fn(&str) -> Value; 4] = [
                |text| json!([{"type": "text", "text": text}]),
                |text| json!([text]),
                |text| json!({"summary": text}),
                |text| json!({"type": "thinking", "thinking": [{"type": "text", "text": text}], "signature": "s"}),
            ];
            let shape = case.rng.choice(shapes).unwrap();
            each_reasoning(case, |text| json!({"reasoning_content": shape(text)}));
        }),
    },
    Deviation {
        name: "reasoning among the parts of the content",
        row: "Reasoning as parts, a list or an object",
        aspects: &[Aspect::Reasoning, Aspect::Text],
        needs: ANYTHING.reasoning(),
        change: Change::Parts(|case| {
            let shapes: [fn(&str) -> Value; 2] = [
                |text| json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]}),
                |text| json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}),
            ];
            let shape = case.rng.choice(shapes).unwrap();
            each_reasoning(case, |text| json!({"content": [shape(text)]}));
            text_parts(case);
        }),
    },
    Deviation {
        name: "reasoning in tags",
        row: "Reasoning in other tags: `<reasoning>`, `<mm:think>`, `◁think▷`, upper case, Gemma's and Kimi K3's channels",
        aspects: &[Aspect::Reasoning, Aspect::Text],
        needs: ANYTHING.reasoning().text(true),
        change: Change::Parts(|case| {
            let tags = [
                ("<think>", "</think>"),
                ("<reasoning>", "</reasoning>"),
                ("<mm:think>", "</mm:think>"),
                ("◁think▷", "◁/think▷"),
                ("<THINK>\n", "\n</THINK>\n\n"),
                ("<|channel>thought\n", "<channel|>"),
            ];
            let (open, close) = case.rng.choice(tags).unwrap();
            case.options["think_tags"] = json!("on");
            case.wire.reasoning.clear();
            let Answer { reasoning, text, .. } = &case.answer;
            let text = format!("{open}{reasoning}{close}{text}");
            case.wire.text = text_deltas(case.wire.is_document, &text, &mut case.rng);
        }),
    },
    Deviation {
        name: "reasoning in a field, where tags are expected",
        row: "Reasoning in a field, and tags of reasoning in the text",
        aspects: &[Aspect::Reasoning, Aspect::Text],
        needs: ANYTHING.reasoning().text(true),
        change: Change::Parts(|case| {
            let Answer { reasoning, text, .. } = &case.answer;
            let (start, before) = case
                .rng
                .choice([("implied", String::new()), ("on", format!("<think>{reasoning}</think>"))])
                .unwrap();
            case.options["think_tags"] = json!(start);
            let text = format!("{before}{text}");
            case.wire.text = text_deltas(case.wire.is_document, &text, &mut case.rng);
        }),
    },
    // Text.
    Deviation {
        name: "text in parts",
        row: "",
        aspects: &[Aspect::Text],
        needs: ANYTHING.text(true),
        change: Change::Parts(text_parts),
    },
    Deviation {
        name: "text in plain strings",
        row: "Text among the parts of the content, as plain strings or with citations of its own",
        aspects: &[Aspect::Text],
        needs: ANYTHING.text(true),
        change: Change::Parts(|case| {
            for delta in case.wire.text.iter_mut().chain(&mut case.wire.closing) {
                delta["content"] = json!([delta["content"]]);
            }
        }),
    },
    Deviation {
        name: "calls in the text",
        row: "Calls in the markup of Kimi K3, Gemma, InternLM, Step 3, LongCat, Apertus and Phi",
        aspects: CALLS,
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            let tagged = |call: &Call| {
                let call = json!({"name": call.name, "arguments": call.arguments});
                format!("\n<tool_call>\n{call}\n</tool_call>")
            };
            let text = case.answer.calls.iter().map(tagged).collect();
            calls_in_text(case, text);
        }),
    },
    Deviation {
        name: "calls in Python",
        row: "Calls in the form of Python: `[f(city='Paris', days=3)]`",
        aspects: CALLS,
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            let calls: Vec<String> = case.answer.calls.iter().map(python_call).collect();
            let (open, separator, close) = case
                .rng
                .choice([
                    ("<|tool_call_start|>[", ", ", "]<|tool_call_end|>"),
                    ("<|python_start|>[", ",", "]<|python_end|>"),
                    ("<function_calls>\n", "\n", "\n</function_calls>"),
                ])
                .unwrap();
            calls_in_text(case, format!("\n{open}{}{close}", calls.join(separator)));
        }),
    },
    Deviation {
        name: "all of the text so far",
        row: "All of the text or of the reasoning so far in each piece",
        aspects: &[Aspect::Text, Aspect::Reasoning, Aspect::Surrogates],
        needs: STREAM.text(true),
        change: Change::Parts(|case| {
            let contents = case.wire.text.iter().filter_map(|delta| delta["content"].as_str());
            case.wire.text = all_so_far(&contents.collect::<String>(), "content", &mut case.rng);
            case.wire.reasoning = all_so_far(&case.answer.reasoning, "reasoning_content", &mut case.rng);
        }),
    },
    Deviation {
        name: "a surrogate pair in two pieces",
        row: "",
        aspects: &[Aspect::Surrogates],
        needs: STREAM,
        change: Change::Parts(|case| {
            for deltas in [&mut case.wire.reasoning, &mut case.wire.text, &mut case.wire.closing] {
                *deltas = deltas.iter().flat_map(split_pair).collect();
            }
            for fragments in &mut case.wire.calls {
                *fragments = fragments.iter().flat_map(split_pair).collect();
            }
        }),
    },
    Deviation {
        name: "nothing in the other fields",
        row: "",
        aspects: &[Aspect::Blanks],
        needs: ANYTHING,
        change: Change::Chunks(|case, chunks| {
            let nothings: &[(&str, &[Value])] = &[
                ("content", &[Value::Null, json!("")]),
                ("reasoning_content", &[Value::Null, json!("")]),
                ("reasoning", &[Value::Null, json!("")]),
                ("reasoning_details", &[Value::Null, json!([])]),
                ("refusal", &[Value::Null, json!("")]),
                ("tool_calls", &[Value::Null, json!([]), json!("")]),
                ("function_call", &[Value::Null]),
                ("images", &[Value::Null, json!([])]),
                ("annotations", &[Value::Null, json!([])]),
            ];
            for message in messages(chunks) {
                for (key, nothing) in nothings {
                    let nothing = nothing[case.rng.usize(0..nothing.len())].clone();
                    message.entry(*key).or_insert(nothing);
                }
            }
        }),
    },
    // Additions to the text.
    Deviation {
        name: "images beside the text",
        row: "Images and sources beside the text",
        aspects: &[Aspect::Beside],
        needs: ANYTHING.text(true),
        change: Change::Parts(|case| {
            case.wire.text[0]["images"] =
                json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]);
            case.answer.noted.push("part:image");
        }),
    },
    Deviation {
        name: "sources beside the choices",
        row: "Images and sources beside the text",
        aspects: &[Aspect::Beside],
        needs: ANYTHING.text(true),
        change: Change::Chunks(|case, chunks| {
            let field = case.rng.choice(["citations", "search_results"]).unwrap();
            chunks[0][field] = json!(["https://a.example"]);
            case.answer.noted.push(field);
        }),
    },
    // Messages and choices.
    Deviation {
        name: "the whole message after the deltas",
        row: "",
        aspects: &[Aspect::Message],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            let Answer { reasoning, text, closing, .. } = &case.answer;
            let mut message = json!({"role": "assistant", "content": format!("{text}{closing}"), "reasoning_content": reasoning});
            if !case.wire.calls.is_empty() {
                let mut calls = whole_calls(case);
                calls.iter_mut().for_each(|call| drop(call.as_object_mut().unwrap().remove("index")));
                message["tool_calls"] = calls.into();
            }
            if let Some(choice) = chunks.iter_mut().rev().find_map(|chunk| chunk["choices"].get_mut(0)) {
                choice["message"] = message;
            }
        }),
    },
    Deviation {
        name: "calls in a second choice",
        row: BESIDE,
        aspects: &[Aspect::Choices],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            if case.wire.is_document {
                in_own_choices(&mut chunks[0], |calls| vec![calls.into()]);
            } else {
                call_choices(chunks, |_| 1);
            }
        }),
    },
    Deviation {
        name: "each call in a choice",
        row: BESIDE,
        aspects: &[Aspect::Choices, Aspect::Index, Aspect::Order],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            if case.wire.is_document {
                in_own_choices(&mut chunks[0], |calls| calls.into_iter().map(|call| json!([call])).collect());
                return;
            }
            call_choices(chunks, |index| index + 1);
            let calls = messages(chunks).filter_map(|message| message.get_mut("tool_calls")?.as_array_mut());
            calls.flatten().for_each(|call| call["index"] = json!(0));
        }),
    },
    Deviation {
        name: "another answer in a second choice",
        row: BESIDE,
        aspects: &[Aspect::Choices],
        needs: ANYTHING.text(true),
        change: Change::Chunks(|case, chunks| {
            let key = if case.wire.is_document { "message" } else { "delta" };
            let other = json!({"index": 1, key: {"role": "assistant", "content": "Another."}});
            if let Some(choices) = chunks[0]["choices"].as_array_mut() {
                let at = case.rng.usize(0..=1);
                choices.insert(at, other);
            }
            case.answer.noted.push("part:choice");
        }),
    },
    Deviation {
        name: "only a choice with the index 1",
        row: BESIDE,
        aspects: &[Aspect::Choices],
        needs: DOCUMENT,
        change: Change::Chunks(|_, chunks| chunks[0]["choices"][0]["index"] = json!(1)),
    },
];

/// Deltas that each have all of a text so far. The first has a word, because a shorter one says nothing about the next.
fn all_so_far(text: &str, key: &str, rng: &mut Rng) -> Vec<Value> {
    let ends: Vec<usize> = text.char_indices().map(|(at, char)| at + char.len_utf8()).collect();
    let mut ends: Vec<usize> = ends.into_iter().filter(|_| rng.bool()).chain([text.len()]).collect();
    ends.dedup();
    let tells = |end: &usize| *end > 2 || *end == text.len();
    let pieces = ends.into_iter().filter(tells).map(|end| &text[..end]).filter(|piece| !piece.is_empty());
    pieces.map(|piece| json!({ key: piece })).collect()
}

/// Writes each piece of the reasoning in another way.
fn each_reasoning(case: &mut Case, write: impl Fn(&str) -> Value) {
    for delta in &mut case.wire.reasoning {
        *delta = write(delta["reasoning_content"].as_str().unwrap_or_default());
    }
}

/// Writes the text of the content as a list of parts.
fn text_parts(case: &mut Case) {
    for delta in case.wire.text.iter_mut().chain(&mut case.wire.closing) {
        if let Some(text) = delta["content"].as_str() {
            delta["content"] = json!([{"type": "text", "text": text}]);
        }
    }
}

fn text_deltas(is_document: bool, text: &str, rng: &mut Rng) -> Vec<Value> {
    let pieces = if is_document { vec![text.to_owned()] } else { split(text, rng) };
    pieces.into_iter().map(|piece| json!({"content": piece})).collect()
}

/// Placeholders for the halves of [`PAIR`], which Rust strings cannot hold.
pub const HALVES: [(char, &str); 2] = [('\u{E000}', "\\ud83e"), ('\u{E001}', "\\udd80")];
const PAIR: char = '🦀';

/// Splits a delta or fragment in two, if its string has a surrogate pair.
fn split_pair(piece: &Value) -> Vec<Value> {
    for path in [
        "/content",
        "/reasoning_content",
        "/reasoning",
        "/reasoning_text",
        "/thinking",
        "/function/arguments",
    ] {
        if let Some((before, after)) =
            piece.pointer(path).and_then(Value::as_str).and_then(|text| text.split_once(PAIR))
        {
            let [mut first, mut second] = [piece.clone(), piece.clone()];
            *first.pointer_mut(path).unwrap() = json!(format!("{before}{}", HALVES[0].0));
            *second.pointer_mut(path).unwrap() = json!(format!("{}{after}", HALVES[1].0));
            if path == "/function/arguments" && second.get("id").is_some() {
                second = json!({"index": piece["index"], "function": {"arguments": second["function"]["arguments"]}});
            }
            return vec![first, second];
        }
    }
    vec![piece.clone()]
}

/// Moves the chunks of calls to the choice for their index.
fn call_choices(chunks: &mut [Value], choice: fn(u64) -> u64) {
    let choices = chunks.iter_mut().filter_map(|chunk| chunk["choices"].get_mut(0));
    for found in choices {
        let calls = &found["delta"]["tool_calls"];
        let first = calls.get(0).unwrap_or(calls);
        if first.is_object() {
            let index = first["index"].as_u64().unwrap_or(0);
            found["index"] = json!(choice(index));
        }
    }
}

/// Moves each call of a document into a separate choice.
fn in_own_choices(document: &mut Value, divide: fn(Vec<Value>) -> Vec<Value>) {
    let message = document["choices"][0]["message"].as_object_mut();
    let Some(Value::Array(calls)) = message.and_then(|message| {
        let calls = message.remove("tool_calls");
        calls.inspect(|_| drop(message.remove("function_call")))
    }) else {
        return;
    };
    let own = divide(calls).into_iter().map(|calls| {
        json!({"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": calls}, "finish_reason": "tool_calls"})
    });
    document["choices"].as_array_mut().unwrap().extend(own);
}

/// The upstream writes the calls into the text, where they have no ids.
fn calls_in_text(case: &mut Case, text: String) {
    case.options["text_tool_calls"] = json!(true);
    case.wire.calls.clear();
    case.answer.calls.iter_mut().for_each(|call| call.id = None);
    case.wire.text.extend(text_deltas(case.wire.is_document, &text, &mut case.rng));
}

fn python_call(call: &Call) -> String {
    let arguments = call.arguments.as_object().unwrap();
    let arguments: Vec<String> =
        arguments.iter().map(|(key, value)| format!("{key}={}", python(value))).collect();
    format!("{}({})", call.name, arguments.join(", "))
}

/// A literal. The escapes of a JSON string mean the same in Python.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(values) => format!("[{}]", values.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", json!(key), python(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}
