//! Compares what the client received with the intended output.

use super::answer::{Answer, Ending, read_item};
use serde_json::{Value, json};

type Judged = Result<(), String>;

/// Checks the response to a complete reply.
pub fn whole(answer: &Answer, response: &Value) -> Judged {
    match answer.ending {
        Ending::Completed => {
            same("status", &response["status"], &json!("completed"))?;
            content(answer, response)?;
            beside(answer, response)
        }
        Ending::Incomplete(reason) => {
            same("reason", &response["incomplete_details"]["reason"], &json!(reason))?;
            some_calls(answer, response)
        }
        Ending::Failed(words) => {
            same("status", &response["status"], &json!("failed"))?;
            let message = response["error"]["message"].as_str().unwrap_or_default();
            same("the words of the error", &(!message.is_empty() && message.contains(words)), &true)?;
            some_calls(answer, response)
        }
    }
}

/// Checks the response to a reply that was cut anywhere.
pub fn cut(answer: &Answer, response: &Value) -> Judged {
    if response["status"] == "completed" { content(answer, response) } else { some_calls(answer, response) }
}

fn content(answer: &Answer, response: &Value) -> Judged {
    let meant = format!("{}{}", answer.text, answer.closing);
    same("text", &text(response, "message", "content"), &meant.replace(char::is_whitespace, ""))?;
    let reasoning = answer.reasoning.replace(char::is_whitespace, "");
    same("reasoning", &text(response, "reasoning", "summary"), &reasoning)?;
    let items: Vec<Value> = answer.calls.iter().map(|call| call.item()).collect();
    same("calls", &calls(response), &items)?;
    let ids = items_of(response).filter_map(|item| item["call_id"].as_str());
    for (call, found) in answer.calls.iter().zip(ids) {
        if let Some(id) = &call.id {
            same("id", found, id.as_str())?;
        }
    }
    Ok(())
}

/// Checks the usage and the reports.
fn beside(answer: &Answer, response: &Value) -> Judged {
    if let Some([input, cached, output]) = answer.usage {
        let usage = &response["usage"];
        let counts = [
            &usage["input_tokens"],
            &usage["input_tokens_details"]["cached_tokens"],
            &usage["output_tokens"],
        ];
        same("usage", &counts.map(Value::as_u64), &[Some(input), Some(cached), Some(output)])?;
    }
    let notes = response["metadata"].to_string();
    same("the missing note", &answer.noted.iter().find(|note| !notes.contains(*note)), &None)
}

/// Checks that each completed call is an intended one, in the same order.
fn some_calls(answer: &Answer, response: &Value) -> Judged {
    let mut meant = answer.calls.iter().map(|call| call.item());
    let found =
        items_of(response).filter(|item| is_call(item) && item["status"] == "completed").map(read_item);
    for call in found {
        if !meant.any(|meant| meant == call) {
            return Err(format!("{call} was never meant"));
        }
    }
    Ok(())
}

fn items_of(response: &Value) -> impl Iterator<Item = &Value> {
    response["output"].as_array().into_iter().flatten()
}

fn is_call(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|kind| kind.ends_with("_call"))
}

fn calls(response: &Value) -> Vec<Value> {
    items_of(response).filter(|item| is_call(item)).map(read_item).collect()
}

/// The text of all parts in the items of a type, without white space, because the end of a text may be trimmed.
fn text(response: &Value, kind: &str, field: &str) -> String {
    let items = items_of(response).filter(|item| item["type"] == kind);
    let parts = items.flat_map(|item| item[field].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect::<String>().replace(char::is_whitespace, "")
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, found: &T, meant: &T) -> Judged {
    if found == meant { Ok(()) } else { Err(format!("{what}: {found:?} where {meant:?} was meant")) }
}
