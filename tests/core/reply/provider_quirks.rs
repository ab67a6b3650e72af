//! An upstream with random combinations of quirks: no call is lost and none is invented.

use crate::grammar::{self, Transcript};
use crate::support::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A call that the model makes: the tool by number, and its arguments.
#[derive(Debug, Clone)]
struct Meant {
    tool: usize,
    arguments: Arguments,
}

#[derive(Debug, Clone)]
enum Arguments {
    Empty,
    Object(String),
    /// No client can read them, so the reply must fail and name the call.
    NoObject(String),
}

impl Arguments {
    fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Object(value) => {
                json!({"city": value, "nested": {"a": ["}", "{", "\\", "\""]}}).to_string()
            }
            Self::NoObject(text) => json!([text]).to_string(),
        }
    }
}

/// How the upstream sends its calls.
#[derive(Debug, Clone)]
struct Host {
    index: Index,
    id: Id,
    /// Every piece has the name, not only the first.
    repeats_name: bool,
    splits_name: bool,
    /// The characters in a piece. `None`: each call is one piece.
    pieces: Option<usize>,
    /// The pieces of all calls alternate, and only the index tells them apart.
    interleaves: bool,
    object_arguments: bool,
    null_pieces: bool,
    on_finish_chunk: bool,
    text_between: bool,
    finish: &'static str,
    usage: usize,
    repeats_whole: bool,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Index {
    Right,
    FromOne,
    Text,
    Zero,
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Id {
    OnFirst,
    OnAll,
    EmptyLater,
    NullLater,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Events,
    EventsWithoutDone,
    CarriageReturns,
    JsonLines,
    Document,
}

const TOOLS: [&str; 3] = ["get", "get_weather", "mcp__tiny__add"];

fn meant() -> impl Strategy<Value = Vec<Meant>> {
    let arguments = prop_oneof![
        1 => Just(Arguments::Empty),
        4 => "[a-zé🦀\"\\\\\n{}]{0,9}".prop_map(Arguments::Object),
        1 => "[a-z]{0,5}".prop_map(Arguments::NoObject),
    ];
    prop::collection::vec(
        (0..TOOLS.len(), arguments).prop_map(|(tool, arguments)| Meant { tool, arguments }),
        0..4,
    )
}

fn host() -> impl Strategy<Value = Host> {
    let index =
        prop::sample::select(vec![Index::Right, Index::FromOne, Index::Text, Index::Zero, Index::Absent]);
    let id = prop::sample::select(vec![Id::OnFirst, Id::OnAll, Id::EmptyLater, Id::NullLater, Id::Never]);
    let form = prop::sample::select(vec![
        Form::Events,
        Form::EventsWithoutDone,
        Form::CarriageReturns,
        Form::JsonLines,
        Form::Document,
    ]);
    let finish = prop::sample::select(vec!["tool_calls", "stop", "eos", ""]);
    let flags = prop::array::uniform8(any::<bool>());
    (index, id, form, finish, flags, prop::option::of(1usize..9), 0usize..4).prop_map(
        |(index, id, form, finish, flags, pieces, usage)| {
            let [
                repeats_name,
                splits_name,
                interleaves,
                object_arguments,
                null_pieces,
                on_finish_chunk,
                text_between,
                repeats_whole,
            ] = flags;
            Host {
                index,
                id,
                repeats_name,
                splits_name,
                pieces,
                interleaves,
                object_arguments,
                null_pieces,
                on_finish_chunk,
                text_between,
                finish,
                usage,
                repeats_whole,
                form,
            }
        },
    )
}

impl Host {
    /// Removes combinations that are ambiguous to every reader.
    fn sane(mut self, calls: &[Meant]) -> Self {
        // Otherwise the next call of the same tool reads as the rest of a call that got a new id.
        let is_open = |call: &Meant| call.arguments.text().is_empty();
        if calls.windows(2).any(|pair| is_open(&pair[0]) && pair[0].tool == pair[1].tool) {
            self.index = Index::Right;
        }
        let told_by_index = matches!(self.index, Index::Right | Index::FromOne | Index::Text);
        let all_whole = calls.iter().all(|call| matches!(call.arguments, Arguments::Object(_)));
        if !told_by_index {
            self.interleaves = false;
            self.splits_name = false;
            if self.id == Id::Never {
                // Only complete arguments and a new name show where the next call begins.
                self.repeats_name = false;
                self.pieces = self.pieces.filter(|_| all_whole);
                if !all_whole {
                    self.id = Id::OnFirst;
                }
            }
        }
        if self.repeats_name {
            self.splits_name = false;
        }
        if self.pieces.is_none() {
            self.splits_name = false;
        }
        // Without a finish reason, only the end of a document or the last usage shows that nothing is missing.
        if self.finish.is_empty() && self.form != Form::Document && self.usage != 3 {
            self.finish = "stop";
        }
        self
    }

    fn index(&self, number: usize) -> Value {
        match self.index {
            Index::Right => json!(number),
            Index::FromOne => json!(number + 1),
            Index::Text => json!(number.to_string()),
            Index::Zero => json!(0),
            Index::Absent => Value::Null,
        }
    }

    fn id(&self, number: usize, first: bool) -> Value {
        match (self.id, first) {
            (Id::Never, _) => Value::Null,
            (_, true) | (Id::OnAll, _) => json!(format!("call_{number}")),
            (Id::EmptyLater, _) => json!(""),
            (Id::OnFirst | Id::NullLater, _) => Value::Null,
        }
    }

    fn piece(&self, number: usize, first: bool, name: &str, arguments: Value) -> Value {
        let mut piece = json!({"function": {}});
        let mut put = |key: &str, value: Value| {
            if !value.is_null() || (self.id == Id::NullLater && key == "id") {
                piece[key] = value;
            }
        };
        put("index", self.index(number));
        put("id", self.id(number, first));
        if !name.is_empty() {
            piece["function"]["name"] = json!(name);
        }
        if !arguments.is_null() {
            piece["function"]["arguments"] = arguments;
        }
        piece
    }

    fn whole(&self, number: usize, call: &Meant) -> Value {
        let text = call.arguments.text();
        let arguments = match &call.arguments {
            Arguments::Object(_) if self.object_arguments => serde_json::from_str(&text).unwrap(),
            _ => json!(text),
        };
        self.piece(number, true, TOOLS[call.tool], arguments)
    }

    /// The pieces of one call.
    fn pieces(&self, number: usize, call: &Meant) -> Vec<Value> {
        let Some(size) = self.pieces else { return vec![self.whole(number, call)] };
        let name = TOOLS[call.tool];
        let mut pieces = Vec::new();
        if self.splits_name {
            let (head, tail) = name.split_at(2);
            pieces.push(self.piece(number, true, head, Value::Null));
            pieces.push(self.piece(number, false, tail, Value::Null));
        } else {
            pieces.push(self.piece(number, true, name, json!("")))
        }
        let later = if self.repeats_name { name } else { "" };
        let characters: Vec<char> = call.arguments.text().chars().collect();
        for piece in characters.chunks(size) {
            pieces.push(self.piece(number, false, later, json!(piece.iter().collect::<String>())));
        }
        if self.null_pieces && self.index != Index::Absent {
            pieces.push(json!({"index": self.index(number), "id": null, "type": null, "function": {"name": null, "arguments": null}}));
        }
        pieces
    }

    fn deltas(&self, calls: &[Meant]) -> Vec<Value> {
        let mut each: Vec<Vec<Value>> =
            calls.iter().enumerate().map(|(number, call)| self.pieces(number, call)).collect();
        if !self.interleaves {
            return each.concat();
        }
        let longest = each.iter().map(Vec::len).max().unwrap_or(0);
        for pieces in &mut each {
            pieces.resize(longest, Value::Null);
        }
        let turns = (0..longest).flat_map(|turn| each.iter().map(move |pieces| pieces[turn].clone()));
        turns.filter(|piece| !piece.is_null()).collect()
    }

    fn usage(&self, place: usize) -> Value {
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
        if self.usage == place { usage } else { Value::Null }
    }

    /// The body that the upstream sends.
    fn body(&self, calls: &[Meant]) -> String {
        let finish = if self.finish.is_empty() { Value::Null } else { json!(self.finish) };
        let whole: Vec<Value> =
            calls.iter().enumerate().map(|(number, call)| self.whole(number, call)).collect();
        if self.form == Form::Document {
            let message = json!({"role": "assistant", "content": "Look.", "tool_calls": whole});
            let choice = json!({"index": 0, "message": message, "finish_reason": finish});
            return json!({"choices": [choice], "usage": self.usage(1)}).to_string();
        }
        let chunk = |delta: Value, finish: &Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": null});
        let mut chunks = vec![chunk(json!({"role": "assistant", "content": "Look."}), &Value::Null)];
        let deltas = self.deltas(calls);
        let last = deltas.len();
        for (number, piece) in deltas.into_iter().enumerate() {
            if self.text_between && !self.interleaves && number == 1 && self.pieces.is_none() {
                chunks.push(chunk(json!({"content": " "}), &Value::Null));
            }
            let ends = self.on_finish_chunk && number + 1 == last;
            chunks.push(chunk(json!({"tool_calls": [piece]}), if ends { &finish } else { &Value::Null }));
        }
        let mut end = chunk(json!({"content": ""}), &finish);
        end["usage"] = self.usage(2);
        if self.repeats_whole && !calls.is_empty() {
            end["choices"][0]["message"] =
                json!({"role": "assistant", "content": "Look.", "tool_calls": whole});
        }
        chunks.push(end);
        chunks.push(json!({"choices": [], "usage": self.usage(3)}));
        self.framed(&chunks)
    }

    fn framed(&self, chunks: &[Value]) -> String {
        let lines = chunks.iter().map(Value::to_string);
        match self.form {
            Form::JsonLines => lines.map(|line| line + "\n").collect(),
            form => {
                let events: String = lines.map(|line| format!(": alive\n\ndata:{line}\n\n")).collect();
                let done = if form == Form::EventsWithoutDone { "" } else { "data: [DONE]\n\n" };
                let stream = events + done;
                if form == Form::CarriageReturns { stream.replace('\n', "\r") } else { stream }
            }
        }
    }
}

/// The response that the client receives for a body in pieces of this size.
fn received(body: &str, stream: bool, size: usize) -> Value {
    let asked = ask(json!({"input": "hi", "stream": stream, "tools": [
        function("get"), function("get_weather"),
        {"type": "namespace", "name": "mcp__tiny", "tools": [function("add")]},
    ]}));
    let out = pushed(asked.reply(), body.as_bytes().chunks(size));
    if stream { Transcript::of(&out).response().clone() } else { grammar::document(&out) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_upstream_call_reaches_the_client(calls in meant(), host in host(), size in 1usize..400, stream in any::<bool>()) {
        let host = host.sane(&calls);
        let body = host.body(&calls);
        let response = received(&body, stream, size);
        if let Some(call) = calls.iter().find(|call| matches!(call.arguments, Arguments::NoObject(_))) {
            prop_assert_eq!(&response["error"]["code"], "tool_call_lost", "{}", body);
            let message = response["error"]["message"].as_str().unwrap();
            prop_assert!(message.contains(&format!("'{}'", TOOLS[call.tool])), "{}", message);
            return Ok(());
        }
        let announced = host.finish == "tool_calls" && calls.is_empty();
        prop_assert_eq!(&response["status"], if announced { "failed" } else { "completed" }, "{}", body);
        let items = response["output"].as_array().unwrap();
        let got: Vec<(String, String)> = items
            .iter()
            .filter(|item| item["type"] == "function_call")
            .map(|item| {
                let name = item["namespace"].as_str().map(|namespace| format!("{namespace}__")).unwrap_or_default();
                (name + item["name"].as_str().unwrap(), item["arguments"].as_str().unwrap().to_owned())
            })
            .collect();
        let expected: Vec<(String, String)> = calls
            .iter()
            .map(|call| {
                let text = call.arguments.text();
                (TOOLS[call.tool].to_owned(), if text.is_empty() { "{}".to_owned() } else { text })
            })
            .collect();
        prop_assert_eq!(got, expected, "{}", body);
        let ids: std::collections::BTreeSet<&str> = items.iter().filter_map(|item| item["call_id"].as_str()).collect();
        prop_assert_eq!(ids.len(), calls.len(), "each call has an id of its own");
        let text: String = items.iter().filter(|item| item["type"] == "message").map(|item| item["content"][0]["text"].as_str().unwrap()).collect();
        // A failed response keeps completed items only.
        prop_assert_eq!(text.trim(), if announced { "" } else { "Look." });
    }

    /// A truncated reply is either reported as such or has every call complete.
    #[test]
    fn a_cut_reply_never_shows_half_a_call(calls in meant(), host in host(), at in any::<prop::sample::Index>()) {
        let host = host.sane(&calls);
        let body = host.body(&calls);
        let mut end = at.index(body.len() + 1);
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        let (part, _) = body.split_at(end);
        let response = received(part, true, 64);
        let whole: Vec<String> = calls.iter().map(|call| call.arguments.text()).collect();
        let done = response["output"].as_array().unwrap().iter().filter(|item| item["status"] == "completed" && item["type"] == "function_call");
        for call in done {
            let arguments = call["arguments"].as_str().unwrap();
            prop_assert!(arguments == "{}" || whole.iter().any(|whole| whole == arguments), "{}: {}", arguments, part);
        }
        if response["status"] == "completed" {
            let got = response["output"].as_array().unwrap().iter().filter(|item| item["type"] == "function_call").count();
            prop_assert_eq!(got, calls.len(), "{}", part);
        }
    }
}
