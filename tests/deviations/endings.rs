//! How replies end, and the tokens that upstreams count.

use super::Case;
use super::answer::{Answer, Ending};
use super::table::{ANYTHING, Aspect, Change, DOCUMENT, Deviation, STREAM};
use super::wire::usage;
use serde_json::{Value, json};

const REASONS: &str = "Unusual finish reasons";
const ERRORS: &str = "Errors as `code` and `msg`, `error_code` and `error_msg` or `text`, `error_description`, also with status 200 and in streams";

pub const TABLE: &[Deviation] = &[
    // The reason.
    Deviation {
        name: "a full context",
        row: REASONS,
        aspects: &[Aspect::Finish],
        needs: ANYTHING,
        change: Change::Parts(|case| {
            let words = ["MAX_TOKENS", "model_context_window_exceeded", "context-length", "length"];
            end(case, &words, Ending::Incomplete("max_output_tokens"));
        }),
    },
    Deviation {
        name: "a filter",
        row: REASONS,
        aspects: &[Aspect::Finish],
        needs: ANYTHING,
        change: Change::Parts(|case| {
            let words = ["SAFETY", "PROHIBITED_CONTENT", "guardrail_intervened", "sensitive"];
            end(case, &words, Ending::Incomplete("content_filter"));
        }),
    },
    Deviation {
        name: "a failure of the model",
        row: REASONS,
        aspects: &[Aspect::Finish],
        needs: ANYTHING,
        change: Change::Parts(|case| {
            let words = ["MALFORMED_FUNCTION_CALL", "time limit", "repetition", "canceled", "network_error"];
            end(case, &words, Ending::Failed("ended its reply with an error"));
        }),
    },
    Deviation {
        name: "an ordinary reason in other words",
        row: "",
        aspects: &[Aspect::Finish],
        needs: ANYTHING,
        change: Change::Parts(|case| {
            let words = ["stop", "eos", "end_turn", "COMPLETE"];
            end(case, &words, Ending::Completed);
        }),
    },
    Deviation {
        name: "no calls where they were announced",
        row: "",
        aspects: &[Aspect::Finish],
        needs: ANYTHING.calls(0, 0),
        change: Change::Parts(|case| {
            end(case, &["tool_calls", "function_call"], Ending::Failed("announced a tool call"))
        }),
    },
    Deviation {
        name: "no reason in words",
        row: "",
        aspects: &[Aspect::Finish],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            let nothing = case.rng.choice([json!("null"), json!(""), json!("none")]).unwrap();
            let is_null = |choice: &&mut Value| choice["finish_reason"].is_null();
            let choices = chunks.iter_mut().filter_map(|chunk| chunk["choices"].get_mut(0));
            choices.filter(is_null).for_each(|choice| choice["finish_reason"] = nothing.clone());
        }),
    },
    Deviation {
        name: "the reason beside the last piece",
        row: "",
        aspects: &[Aspect::Finish],
        needs: STREAM.text(true),
        change: Change::Chunks(|_, chunks| {
            let ends = |chunk: &Value| chunk["choices"][0]["finish_reason"].is_string();
            if let Some(at) = chunks.iter().position(ends).filter(|at| *at > 0) {
                let last = chunks.remove(at);
                // The chunk may also have a choice of an alternative answer.
                let choices = chunks[at - 1]["choices"].as_array_mut().unwrap().iter_mut();
                let choice = choices.min_by_key(|choice| choice["index"].as_u64()).unwrap();
                choice["finish_reason"] = last["choices"][0]["finish_reason"].clone();
                if let Some(message) = last["choices"][0].get("message") {
                    choice["message"] = message.clone();
                }
            }
        }),
    },
    Deviation {
        name: "nothing said, and tokens billed",
        row: "Tokens were billed and nothing was said",
        aspects: &[Aspect::Finish],
        needs: ANYTHING.calls(0, 0).text(false),
        change: Change::Parts(|case| {
            case.wire.finish = json!("stop");
            case.wire.usage = usage([5, 0, 3]);
            case.answer = Answer { ending: Ending::Failed("empty reply"), ..Answer::default() };
        }),
    },
    Deviation {
        name: "an error in the stream",
        row: ERRORS,
        aspects: &[Aspect::Finish],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            let at = case.rng.usize(0..chunks.len());
            let error = error(case);
            chunks.truncate(at);
            chunks.push(error);
        }),
    },
    Deviation {
        name: "an error in place of a document",
        row: ERRORS,
        aspects: &[Aspect::Finish],
        needs: DOCUMENT,
        change: Change::Chunks(|case, chunks| chunks[0] = error(case)),
    },
    Deviation {
        name: "an error that is not escaped",
        row: "An error in a stream whose message is not escaped, so that it is not JSON",
        aspects: &[Aspect::Finish],
        needs: STREAM,
        change: Change::Lines(|case, lines| {
            let ends = ["\"}", ": it is no \"tool\"\"}", "\nIt is no tool.\"}", " and \"tool_calls\"}"];
            let end = case.rng.choice(ends).unwrap();
            lines.truncate(case.rng.usize(0..lines.len()));
            lines.push(format!("{{\"error\": \"Cannot read \"add\"{end}"));
            case.answer.ending = Ending::Failed("Cannot read \"add\"");
        }),
    },
    // The usage.
    Deviation {
        name: "the cache beside the prompt",
        row: "The cache is not part of `prompt_tokens`",
        aspects: &[Aspect::Usage],
        needs: ANYTHING,
        change: Change::Parts(|case| {
            case.wire.usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 12,
                "cache_read_input_tokens": 7, "cache_creation_input_tokens": 0});
            case.answer.usage = Some([10, 7, 2]);
        }),
    },
    Deviation {
        name: "the usage with each chunk",
        row: "",
        aspects: &[Aspect::Usage],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            case.answer.usage = Some([5, 1, 3]);
            let last = chunks.len();
            for (number, chunk) in (1..).zip(chunks) {
                let output = if number == last { 3 } else { 1 };
                chunk["usage"] = usage([5, 1, output]);
            }
        }),
    },
    Deviation {
        name: "the usage in a choice",
        row: "",
        aspects: &[Aspect::Usage],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            case.answer.usage = Some([5, 1, 3]);
            chunks.retain(|chunk| chunk["choices"] != json!([]));
            if let Some(choice) = chunks.iter_mut().rev().find_map(|chunk| chunk["choices"].get_mut(0)) {
                choice["usage"] = usage([5, 1, 3]);
            }
        }),
    },
    Deviation {
        name: "the usage in x_groq, and zeros after it",
        row: "",
        aspects: &[Aspect::Usage],
        needs: STREAM,
        change: Change::Chunks(|case, chunks| {
            case.answer.usage = Some([5, 1, 3]);
            chunks.retain(|chunk| chunk["choices"] != json!([]));
            chunks[0]["x_groq"] = json!({"usage": usage([5, 1, 3])});
            chunks.push(json!({"choices": [], "usage": usage([0, 0, 0])}));
        }),
    },
];

fn end(case: &mut Case, words: &[&str], ending: Ending) {
    let word = case.rng.choice(words.iter().copied()).unwrap();
    case.wire.finish = json!(word);
    case.answer.ending = ending;
}

fn error(case: &mut Case) -> Value {
    let words = "The queue is full.";
    case.answer.ending = Ending::Failed(words);
    let shapes = [
        json!({"error": {"message": words, "type": "overloaded"}}),
        json!({"error": words}),
        json!({"code": 500, "msg": words}),
        json!({"message": words, "type": "internal_error"}),
        json!({"choices": [{"index": 0, "delta": {"error": {"message": words}}}]}),
        json!({"error_code": 18, "error_msg": words}),
        json!({"error_code": 50001, "text": words}),
        json!({"choices": [{"index": 0, "delta": {}, "error": {"message": words}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], "error": {"message": words}}),
    ];
    case.rng.choice(shapes).unwrap()
}
