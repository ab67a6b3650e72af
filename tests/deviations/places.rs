//! Where upstreams put calls and their arguments.

use super::fragments::whole_calls;
use super::table::{ANYTHING, Aspect, Change, DOCUMENT, Deviation, STREAM};
use super::wire::messages;
use serde_json::{Value, json};

const PLACES: &str =
    "Calls by position, under another name, beside the message, or among the parts of the content";

pub const TABLE: &[Deviation] = &[
    Deviation {
        name: "calls by their position",
        row: PLACES,
        aspects: &[Aspect::Container, Aspect::Index, Aspect::Order],
        needs: STREAM.calls(1, 3),
        change: Change::Chunks(|_, chunks| {
            for message in messages(chunks) {
                let Some(Value::Array(calls)) = message.get("tool_calls") else { continue };
                let position = |call: &Value| call["index"].as_u64().map(|index| index.to_string());
                let by_position: Option<serde_json::Map<_, _>> =
                    calls.iter().map(|call| Some((position(call)?, call.clone()))).collect();
                if let Some(calls) = by_position {
                    message.insert("tool_calls".to_owned(), calls.into());
                }
            }
        }),
    },
    Deviation {
        name: "calls under another name",
        row: PLACES,
        aspects: &[Aspect::Container, Aspect::Legacy],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            let name = case.rng.choice(["tool_call", "toolCalls", "function_calls"]).unwrap();
            for message in messages(chunks) {
                if let Some(calls) = message.remove("tool_calls") {
                    message.insert(name.to_owned(), calls);
                }
            }
        }),
    },
    Deviation {
        name: "calls beside the message",
        row: PLACES,
        aspects: &[Aspect::Container, Aspect::Legacy, Aspect::Message, Aspect::Choices],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            let is_in_choice = case.rng.bool();
            for chunk in chunks {
                let calls =
                    messages(std::slice::from_mut(chunk)).find_map(|message| message.remove("tool_calls"));
                let Some(calls) = calls else { continue };
                let place = if is_in_choice { &mut chunk["choices"][0] } else { chunk };
                place["tool_calls"] = calls;
            }
        }),
    },
    Deviation {
        name: "calls among the parts of the content",
        row: PLACES,
        aspects: &[
            Aspect::Arguments,
            Aspect::Pieces,
            Aspect::Repetition,
            Aspect::Tail,
            Aspect::Index,
            Aspect::Legacy,
            Aspect::Container,
            Aspect::Place,
            Aspect::Message,
            Aspect::Text,
            Aspect::Choices,
            Aspect::Id,
            Aspect::Order,
            Aspect::ArgumentsKey,
        ],
        needs: DOCUMENT.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            let calls = whole_calls(case).into_iter().zip(&case.answer.calls);
            let parts = calls.map(|(whole, call)| {
                json!({"type": "tool_use", "id": whole["id"], "name": whole["function"]["name"], "input": call.arguments})
            });
            for message in messages(chunks) {
                message.remove("tool_calls");
                let text = message.get("content").filter(|text| text.is_string());
                let text = text.map(|text| json!({"type": "text", "text": text}));
                message.insert("content".to_owned(), text.into_iter().chain(parts.clone()).collect());
            }
        }),
    },
    Deviation {
        name: "arguments under another key",
        row: "Arguments as `parameters`, `args` or `input`",
        aspects: &[Aspect::ArgumentsKey],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|case, chunks| {
            let key = case.rng.choice(["parameters", "args", "input"]).unwrap();
            for calls in messages(chunks).filter_map(|message| message.get_mut("tool_calls")) {
                let calls = match calls {
                    Value::Array(calls) => calls.iter_mut().collect(),
                    call => vec![call],
                };
                for call in calls {
                    let place = if call.get("function").is_some() { &mut call["function"] } else { call };
                    if let Some(arguments) = place.as_object_mut().and_then(|call| call.remove("arguments")) {
                        place[key] = arguments;
                    }
                }
            }
        }),
    },
];
