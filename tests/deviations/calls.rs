//! How upstreams write the arguments and the names of calls.

use super::Case;
use super::table::{ANYTHING, Aspect, Change, Deviation, STREAM};
use super::wire::Order;
use serde_json::{Value, json};

pub const AGAIN: &str = "Arguments come once more, or all so far in each piece";
const STRING: &str = "Arguments that are a JSON string with an object, or `null`";

pub const TABLE: &[Deviation] = &[
    // The arguments.
    Deviation {
        name: "arguments are a JSON string",
        row: STRING,
        aspects: &[Aspect::Arguments],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            for number in 0..case.wire.calls.len() {
                let quoted = json!(case.wire.arguments[number].as_str()).to_string();
                case.wire.respell(number, &quoted, &mut case.rng);
            }
        }),
    },
    Deviation {
        name: "arguments are an object",
        row: "",
        aspects: &[Aspect::Arguments],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            let calls = case.answer.calls.iter();
            case.wire.arguments = calls.map(|call| call.arguments.clone()).collect();
            case.wire.join_fragments();
        }),
    },
    Deviation {
        name: "no arguments",
        row: STRING,
        aspects: &[Aspect::Arguments],
        needs: ANYTHING.calls(1, 3).tool(1),
        change: Change::Parts(|case| {
            let written = case.rng.choice([json!("null"), Value::Null, json!(""), json!(" ")]).unwrap();
            for (call, arguments) in case.answer.calls.iter().zip(&mut case.wire.arguments) {
                if call.arguments == json!({}) {
                    *arguments = written.clone();
                }
            }
            case.wire.join_fragments();
        }),
    },
    Deviation {
        name: "a custom tool in its own form",
        row: "",
        aspects: &[
            Aspect::Arguments,
            Aspect::Pieces,
            Aspect::Repetition,
            Aspect::Tail,
            Aspect::Name,
            Aspect::Spelling,
            Aspect::Place,
            Aspect::Legacy,
        ],
        needs: ANYTHING.calls(1, 3).tool(2),
        change: Change::Parts(|case| {
            for number in 0..case.wire.calls.len() {
                if !case.answer.calls[number].is_custom() {
                    continue;
                }
                let input = case.answer.calls[number].arguments["input"].as_str().unwrap().to_owned();
                case.wire.respell(number, &input, &mut case.rng);
                for fragment in &mut case.wire.calls[number] {
                    let mut function = fragment.as_object_mut().unwrap().remove("function").unwrap();
                    let input = function["arguments"].take();
                    function.as_object_mut().unwrap().remove("arguments");
                    function["input"] = input;
                    fragment["custom"] = function;
                }
            }
        }),
    },
    // Their pieces.
    Deviation {
        name: "a placeholder",
        row: "A call begins with `{}` and its arguments follow",
        aspects: &[Aspect::Pieces],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                let first = std::mem::replace(&mut fragments[0]["function"]["arguments"], json!("{}"));
                let index = fragments[0]["index"].clone();
                fragments.insert(1, json!({"index": index, "function": {"arguments": first}}));
            }
        }),
    },
    Deviation {
        name: "all arguments so far",
        row: AGAIN,
        aspects: &[Aspect::Pieces],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                let mut so_far = String::new();
                for fragment in fragments {
                    so_far += fragment["function"]["arguments"].as_str().unwrap_or_default();
                    fragment["function"]["arguments"] = json!(so_far);
                }
            }
        }),
    },
    Deviation {
        name: "arguments twice in one piece",
        row: AGAIN,
        aspects: &[Aspect::Pieces],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            case.wire.join_fragments();
            for fragments in &mut case.wire.calls {
                let once = fragments[0]["function"]["arguments"].as_str().unwrap_or_default();
                fragments[0]["function"]["arguments"] = json!(once.repeat(2));
            }
        }),
    },
    Deviation {
        name: "several calls in one chunk",
        row: "",
        aspects: &[
            Aspect::Pieces,
            Aspect::Repetition,
            Aspect::Tail,
            Aspect::Name,
            Aspect::Index,
            Aspect::Order,
            Aspect::Container,
        ],
        needs: STREAM.calls(2, 3),
        change: Change::Parts(|case| {
            case.wire.join_fragments();
            case.wire.fragments().for_each(|call| remove(call, "index"));
            case.wire.order = Order::Together;
        }),
    },
    // The name.
    Deviation {
        name: "a late name",
        row: "A name that comes after the arguments began",
        aspects: &[Aspect::Name],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                let name = std::mem::replace(&mut fragments[0]["function"]["name"], json!(""));
                if fragments.len() == 1 {
                    fragments.push(json!({"index": fragments[0]["index"], "function": {"arguments": ""}}));
                }
                let at = case.rng.usize(1..fragments.len());
                fragments[at]["function"]["name"] = name;
            }
        }),
    },
    Deviation {
        name: "the name on each piece",
        row: "",
        aspects: &[Aspect::Name],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(name_each_piece),
    },
    Deviation {
        name: "the name in pieces",
        row: "",
        aspects: &[Aspect::Name, Aspect::Spelling],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                let name = fragments[0]["function"]["name"].as_str().unwrap().to_owned();
                let (head, tail) = name.split_at(case.rng.usize(1..name.len()));
                let arguments = fragments[0]["function"]["arguments"].take();
                fragments[0]["function"] = json!({"name": head});
                let rest = json!({"name": tail, "arguments": arguments});
                fragments.insert(1, json!({"index": fragments[0]["index"], "function": rest}));
            }
        }),
    },
    Deviation {
        name: "all of the name so far",
        row: "All of the name so far in each piece",
        aspects: &[Aspect::Name, Aspect::Spelling],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                let name = fragments[0]["function"]["name"].as_str().unwrap().to_owned();
                let head = &name[..case.rng.usize(1..name.len())];
                let arguments = fragments[0]["function"]["arguments"].take();
                fragments[0]["function"] = json!({"name": head});
                let rest = json!({"name": name, "arguments": arguments});
                fragments.insert(1, json!({"index": fragments[0]["index"], "function": rest}));
            }
        }),
    },
    Deviation {
        name: "template tokens in the name",
        row: "Tokens of the chat template in a tool's name",
        aspects: &[Aspect::Spelling],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            let around = [
                ("<|tool_call_begin|>", ""),
                ("", "<|channel|>commentary"),
                ("functions.", ":0"),
                ("default_api.", ""),
                (" ", "\n"),
            ];
            let (before, after) = case.rng.choice(around).unwrap();
            for (name, fragments) in case.wire.names.iter_mut().zip(&mut case.wire.calls) {
                *name = format!("{before}{name}{after}");
                let named = fragments.iter_mut().filter_map(|fragment| fragment["function"].get_mut("name"));
                named.filter(|written| *written != "").for_each(|written| *written = json!(name));
            }
        }),
    },
];

pub fn remove(call: &mut Value, key: &str) {
    call.as_object_mut().unwrap().remove(key);
}

/// The client need not get the ids of the upstream.
pub fn forget_ids(case: &mut Case) {
    case.answer.calls.iter_mut().for_each(|call| call.id = None);
}

pub fn name_each_piece(case: &mut Case) {
    for fragments in &mut case.wire.calls {
        let name = fragments[0]["function"]["name"].clone();
        fragments.iter_mut().for_each(|fragment| fragment["function"]["name"] = name.clone());
    }
}
