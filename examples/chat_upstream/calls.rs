//! Writes tool calls in a provider's form: complete or in fragments, with or without index and id.

use serde_json::{Map, Value, json};

use crate::answer::Facts;
use crate::script::{Call, Reply};
use crate::shape::{Calls, FirstArguments, Ids, Index};
use crate::stream::cut;

/// Counts the calls of a reply over all its steps.
pub(crate) struct Numbering<'a> {
    facts: &'a Facts,
    next: usize,
}

impl<'a> Numbering<'a> {
    pub(crate) fn new(facts: &'a Facts) -> Self {
        Self { facts, next: 0 }
    }

    /// Each inner list is the `tool_calls` of one delta.
    pub(crate) fn deltas(&mut self, calls: &[Call], reply: &Reply) -> Vec<Vec<Value>> {
        let fragmented: Vec<Vec<Value>> = calls.iter().map(|call| self.fragments(call, reply)).collect();
        if reply.shape.calls == Calls::Together {
            return vec![fragmented.into_iter().flatten().collect()];
        }
        let in_order = if reply.chunking.interleave {
            round_robin(fragmented)
        } else {
            fragmented.into_iter().flatten().collect()
        };
        in_order.into_iter().map(|fragment| vec![fragment]).collect()
    }

    /// The calls of a message that is not streamed.
    pub(crate) fn message(&mut self, calls: &[Call], reply: &Reply) -> Vec<Value> {
        calls
            .iter()
            .map(|call| {
                let (_, id) = self.number(call);
                let mut whole = Map::from_iter([
                    ("type".to_owned(), json!("function")),
                    ("function".to_owned(), json!({"name": call.name, "arguments": arguments(call, reply)})),
                ]);
                put_id(&mut whole, reply.shape.ids, &id);
                put_extra(&mut whole, call);
                Value::Object(whole)
            })
            .collect()
    }

    fn number(&mut self, call: &Call) -> (usize, String) {
        let number = self.next;
        self.next += 1;
        let made_up = || format!("call_{}_{number}", self.facts.turn);
        (number, call.id.clone().unwrap_or_else(made_up))
    }

    fn fragments(&mut self, call: &Call, reply: &Reply) -> Vec<Value> {
        let (number, id) = self.number(call);
        let whole = reply.shape.calls != Calls::Fragments || reply.shape.arguments_object;
        if whole {
            let function = json!({"name": call.name, "arguments": arguments(call, reply)});
            return vec![first(number, &id, call, function, reply)];
        }
        let mut pieces = cut(&call.arguments_text(), reply.chunking.arguments).into_iter();
        let mut function = Map::from_iter([("name".to_owned(), json!(call.name))]);
        match reply.shape.first_arguments {
            FirstArguments::Omit => None,
            FirstArguments::Null => function.insert("arguments".to_owned(), Value::Null),
            FirstArguments::Empty => function.insert("arguments".to_owned(), json!("")),
            FirstArguments::Piece => {
                let piece = pieces.next().unwrap_or_default();
                function.insert("arguments".to_owned(), json!(piece))
            }
        };
        let mut fragments = vec![first(number, &id, call, Value::Object(function), reply)];
        fragments.extend(pieces.map(|piece| later(number, &id, &call.name, &piece, reply)));
        fragments
    }
}

/// The delta that opens a call.
fn first(number: usize, id: &str, call: &Call, function: Value, reply: &Reply) -> Value {
    let mut fragment =
        Map::from_iter([("type".to_owned(), json!("function")), ("function".to_owned(), function)]);
    put_index(&mut fragment, reply.shape.index, number);
    put_id(&mut fragment, reply.shape.ids, id);
    put_extra(&mut fragment, call);
    Value::Object(fragment)
}

/// A delta that continues a call.
fn later(number: usize, id: &str, name: &str, arguments: &str, reply: &Reply) -> Value {
    let shape = &reply.shape;
    let mut function = Map::from_iter([("arguments".to_owned(), json!(arguments))]);
    shape.later_name.put(&mut function, "name", &json!(name));
    let mut fragment = Map::from_iter([("function".to_owned(), Value::Object(function))]);
    put_index(&mut fragment, shape.index, number);
    let shown_id = if shape.ids == Ids::Same { "0" } else { id };
    shape.later_id.put(&mut fragment, "id", &json!(shown_id));
    Value::Object(fragment)
}

fn arguments(call: &Call, reply: &Reply) -> Value {
    let text = call.arguments_text();
    let object = || serde_json::from_str::<Value>(&text).ok();
    if reply.shape.arguments_object
        && let Some(object) = object()
    {
        return object;
    }
    Value::String(text)
}

fn put_extra(fragment: &mut Map<String, Value>, call: &Call) {
    fragment.extend(call.extra_content.clone().map(|extra| ("extra_content".to_owned(), extra)));
}

fn put_index(fragment: &mut Map<String, Value>, index: Index, number: usize) {
    let shown = match index {
        Index::Omit => return,
        Index::Counted => number,
        Index::FromOne => number + 1,
        Index::AlwaysZero => 0,
    };
    fragment.insert("index".to_owned(), json!(shown));
}

fn put_id(fragment: &mut Map<String, Value>, ids: Ids, id: &str) {
    let shown = match ids {
        Ids::Omit => return,
        Ids::Given => json!(id),
        Ids::Same => json!("0"),
        Ids::Null => Value::Null,
        Ids::Empty => json!(""),
    };
    fragment.insert("id".to_owned(), shown);
}

fn round_robin(lists: Vec<Vec<Value>>) -> Vec<Value> {
    let mut iterators: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut mixed = Vec::new();
    loop {
        let round: Vec<Value> = iterators.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return mixed;
        }
        mixed.extend(round);
    }
}
