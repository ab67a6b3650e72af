//! How upstreams mark which call a fragment belongs to, and where they put it.

use super::Case;
use super::calls::{AGAIN, forget_ids, name_each_piece, remove};
use super::table::{ANYTHING, Aspect, Change, Deviation, STREAM};
use super::wire::{Order, messages};
use serde_json::{Value, json};

const TAIL: &str = "`function_call` beside `tool_calls`, white space after the arguments";

pub const TABLE: &[Deviation] = &[
    // The id.
    Deviation {
        name: "a new id on each piece",
        row: "A new id in each piece of a call",
        aspects: &[Aspect::Id, Aspect::Name],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            name_each_piece(case);
            for (number, fragment) in case.wire.fragments().enumerate() {
                fragment["id"] = json!(format!("r{number}"));
            }
            forget_ids(case);
        }),
    },
    Deviation {
        name: "the id on each piece",
        row: "",
        aspects: &[Aspect::Id],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| later_ids(case, |head| head["id"].clone())),
    },
    Deviation {
        name: "an empty id on later pieces",
        row: "",
        aspects: &[Aspect::Id],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| later_ids(case, |_| json!(""))),
    },
    Deviation {
        name: "a null id on later pieces",
        row: "",
        aspects: &[Aspect::Id],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| later_ids(case, |_| Value::Null)),
    },
    Deviation {
        name: "no id",
        row: "",
        aspects: &[Aspect::Id],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            case.wire.fragments().for_each(|call| remove(call, "id"));
            forget_ids(case);
        }),
    },
    Deviation {
        name: "the same id for all calls",
        row: "",
        aspects: &[Aspect::Id, Aspect::Pieces, Aspect::Name],
        needs: ANYTHING.calls(1, 3),
        change: Change::Parts(|case| {
            case.wire.join_fragments();
            case.wire.fragments().for_each(|call| call["id"] = json!("0"));
            forget_ids(case);
        }),
    },
    Deviation {
        name: "the same id on each piece",
        row: "One id for all calls",
        aspects: &[Aspect::Id],
        needs: STREAM.calls(1, 3).distinct(),
        change: Change::Parts(|case| {
            case.wire.fragments().for_each(|call| call["id"] = json!("0"));
            forget_ids(case);
        }),
    },
    // What comes after a call.
    Deviation {
        name: "the arguments once more",
        row: AGAIN,
        aspects: &[Aspect::Repetition],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for (fragments, arguments) in case.wire.calls.iter_mut().zip(&case.wire.arguments) {
                fragments.push(json!({"index": fragments[0]["index"], "function": {"arguments": arguments}}));
            }
        }),
    },
    Deviation {
        name: "the call once more",
        row: AGAIN,
        aspects: &[Aspect::Repetition],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for (number, call) in whole_calls(case).into_iter().enumerate() {
                case.wire.calls[number].push(call);
            }
        }),
    },
    Deviation {
        name: "all calls once more",
        row: AGAIN,
        aspects: &[Aspect::Repetition],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            let calls = whole_calls(case);
            case.wire.closing.push(json!({ "tool_calls": calls }));
        }),
    },
    Deviation {
        name: "white space with the id and the name",
        row: TAIL,
        aspects: &[Aspect::Tail],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for (number, mut call) in whole_calls(case).into_iter().enumerate() {
                call["function"]["arguments"] = json!(" \n");
                case.wire.calls[number].push(call);
            }
        }),
    },
    Deviation {
        name: "white space",
        row: TAIL,
        aspects: &[Aspect::Tail],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| tail(case, json!({"function": {"arguments": " "}}))),
    },
    Deviation {
        name: "white space with the next index",
        row: TAIL,
        aspects: &[Aspect::Tail],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            let index = case.wire.calls.len();
            let blank = json!({"index": index, "function": {"arguments": " \n"}});
            case.wire.closing.insert(0, json!({"tool_calls": [blank]}));
        }),
    },
    Deviation {
        name: "a piece of nulls",
        row: "",
        aspects: &[Aspect::Tail],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            tail(case, json!({"id": null, "type": null, "function": {"name": null, "arguments": null}}));
        }),
    },
    // The index and the order.
    Deviation {
        name: "the index from 1",
        row: "",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| each_index(case, |index| json!(index + 1))),
    },
    Deviation {
        name: "the index as text",
        row: "",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| each_index(case, |index| json!(index.to_string()))),
    },
    Deviation {
        name: "the index with a decimal point",
        row: "Indices as `0.0`",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| each_index(case, |index| json!(index as f64))),
    },
    Deviation {
        name: "the index 0 for all calls",
        row: "",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3).distinct(),
        change: Change::Parts(|case| each_index(case, |_| json!(0))),
    },
    Deviation {
        name: "no index",
        row: "",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| case.wire.fragments().for_each(|call| remove(call, "index"))),
    },
    Deviation {
        name: "an index only with the arguments",
        row: "An index that only comes with the arguments",
        aspects: &[Aspect::Index],
        needs: STREAM.calls(1, 3),
        change: Change::Parts(|case| {
            for fragments in &mut case.wire.calls {
                remove(&mut fragments[0], "index");
            }
        }),
    },
    Deviation {
        name: "calls in turns",
        row: "",
        aspects: &[Aspect::Order],
        needs: STREAM.calls(2, 3),
        change: Change::Parts(|case| case.wire.order = Order::InTurns),
    },
    // Where a call is.
    Deviation {
        name: "function_call beside tool_calls",
        row: TAIL,
        aspects: &[Aspect::Legacy],
        needs: ANYTHING.calls(1, 1),
        change: Change::Chunks(|_, chunks| {
            each_call(chunks, |message, call| {
                message.insert("function_call".to_owned(), call["function"].clone());
                message.insert("tool_calls".to_owned(), json!([call]));
            })
        }),
    },
    Deviation {
        name: "function_call alone",
        row: "",
        aspects: &[
            Aspect::Legacy,
            Aspect::Id,
            Aspect::Index,
            Aspect::Order,
            Aspect::Container,
            Aspect::Place,
            Aspect::Repetition,
        ],
        needs: ANYTHING.calls(1, 1),
        change: Change::Chunks(|case, chunks| {
            forget_ids(case);
            each_call(chunks, |message, mut call| {
                message.insert("function_call".to_owned(), call["function"].take());
            });
        }),
    },
    Deviation {
        name: "name and arguments beside the id",
        row: "",
        aspects: &[Aspect::Place],
        needs: ANYTHING.calls(1, 3),
        change: Change::Chunks(|_, chunks| {
            let calls = messages(chunks).filter_map(|message| message.get_mut("tool_calls")?.as_array_mut());
            for call in calls.flatten() {
                let function = call["function"].take();
                remove(call, "function");
                for (key, value) in function.as_object().into_iter().flatten() {
                    call[key] = value.clone();
                }
            }
        }),
    },
    Deviation {
        name: "tool_calls is a call",
        row: "",
        aspects: &[Aspect::Container],
        needs: STREAM.calls(1, 3),
        change: Change::Chunks(|_, chunks| {
            each_call(chunks, |message, call| {
                message.insert("tool_calls".to_owned(), call);
            })
        }),
    },
];

fn later_ids(case: &mut Case, id: fn(&Value) -> Value) {
    for fragments in &mut case.wire.calls {
        let id = id(&fragments[0]);
        fragments.iter_mut().skip(1).for_each(|fragment| fragment["id"] = id.clone());
    }
}

/// Each call in one fragment, as it began.
pub fn whole_calls(case: &Case) -> Vec<Value> {
    let calls = case.wire.calls.iter().zip(&case.wire.arguments).zip(&case.wire.names);
    let whole = calls.map(|((fragments, arguments), name)| {
        let mut whole = fragments[0].clone();
        whole["function"] = json!({"name": name, "arguments": arguments});
        whole
    });
    whole.collect()
}

fn tail(case: &mut Case, piece: Value) {
    for (number, fragments) in case.wire.calls.iter_mut().enumerate() {
        let mut piece = piece.clone();
        piece["index"] = json!(number);
        fragments.push(piece);
    }
}

fn each_index(case: &mut Case, write: fn(u64) -> Value) {
    for fragment in case.wire.fragments() {
        if let Some(index) = fragment["index"].as_u64() {
            fragment["index"] = write(index);
        }
    }
}

/// Replaces `tool_calls` of each message that has one call.
fn each_call(chunks: &mut [Value], replace: fn(&mut serde_json::Map<String, Value>, Value)) {
    for message in messages(chunks) {
        match message.remove("tool_calls") {
            Some(Value::Array(mut calls)) if calls.len() == 1 => replace(message, calls.remove(0)),
            Some(calls) => drop(message.insert("tool_calls".to_owned(), calls)),
            None => {}
        }
    }
}
