//! Tool calls, put together from the pieces in which hosts send them.
//!
//! By OpenAI's rule `index` tells to which call a piece belongs, and `id` and `name` come once, with the
//! first. Hosts leave the index out, send 0 for every call, begin at 1, repeat or empty the id, split the name.

use crate::json::{DepthScanner, JsonStr, JsonStrBuilder, SurrogateJoiner};
use crate::wire::chat::reply::ToolCall;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The calls of one reply, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Calls {
    slots: Vec<PartialCall>,
}

/// One call.
#[derive(Debug, Default)]
pub(super) struct PartialCall {
    index: Option<u64>,
    /// The host's id; empty if it sends none.
    pub(super) id: String,
    /// The id that the client gets, once the item begins.
    pub(super) call_id: String,
    /// The name as far as it came.
    pub(super) name: String,
    /// The arguments as far as they came.
    pub(super) arguments: JsonStrBuilder,
    /// Its name came again after its arguments were whole: to be repeated, or for another call.
    named_again: bool,
    /// They are the raw text of a tool that the host knows as `custom`.
    pub(super) raw: bool,
    /// What the host wants back with the call.
    pub(super) extra: Option<Box<RawValue>>,
    seam: SurrogateJoiner,
    brackets: DepthScanner,
    /// The item has begun: its name stands.
    pub(super) opened: bool,
    /// The item is closed.
    pub(super) closed: bool,
}

/// Calls found in the text get indices that no host counts up to.
const FIRST_TEXT_CALL_INDEX: u64 = 1 << 32;

/// A piece of a call.
#[derive(Debug, Default)]
pub(super) struct CallFragment<'a> {
    index: Option<u64>,
    id: Cow<'a, str>,
    name: &'a str,
    arguments: Option<&'a RawValue>,
    raw: bool,
    extra: Option<&'a RawValue>,
}

impl<'a> CallFragment<'a> {
    /// Reads a piece, whatever its form.
    pub(super) fn of(call: &'a ToolCall<'a>) -> Self {
        let (function, custom) = (call.function.as_ref(), call.custom.as_ref());
        let name = function.and_then(|f| f.name.as_deref()).or(custom.and_then(|c| c.name.as_deref()));
        Self {
            index: call.index.and_then(number),
            id: call.id.map(label).unwrap_or_default(),
            name: name.or(call.name.as_deref()).unwrap_or_default(),
            arguments: function.and_then(|f| f.arguments).or(custom.and_then(|c| c.input)).or(call.arguments),
            raw: custom.is_some(),
            extra: call.extra_content,
        }
    }

    /// A whole call that was found in the text, the `number`th of them.
    pub(super) fn from_text(number: u64, name: &'a str, arguments: &'a RawValue) -> Self {
        let index = Some(FIRST_TEXT_CALL_INDEX.saturating_add(number));
        Self { index, name, arguments: Some(arguments), ..Self::default() }
    }

    /// The same piece, of the call with this index.
    pub(super) fn at(self, index: u64) -> Self {
        Self { index: Some(index), ..self }
    }

    /// The one call of the API of old.
    pub(super) fn legacy(name: Option<&'a str>, arguments: Option<&'a RawValue>) -> Self {
        Self { index: Some(0), name: name.unwrap_or_default(), arguments, ..Self::default() }
    }

    /// The size of its id and name, which are kept like its arguments.
    pub(super) fn label_bytes(&self) -> usize {
        self.id.len() + self.name.len()
    }

    fn is_empty(&self) -> bool {
        self.id.is_empty() && self.name.is_empty() && self.arguments.is_none()
    }

    fn brings_arguments(&self) -> bool {
        self.arguments.is_some_and(|raw| raw.get() != "\"\"")
    }
}

/// A number, also one that is written as a string.
pub(super) fn number(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

/// A string, also one that is written as a number.
fn label(raw: &RawValue) -> Cow<'_, str> {
    match JsonStr::of(raw) {
        Some(text) => Cow::Owned(text.decode().into_owned()),
        None => Cow::Borrowed(raw.get()),
    }
}

impl Calls {
    /// Adds a piece to its call: which one, and the arguments that it brought.
    pub(super) fn add<'a>(&mut self, piece: &CallFragment<'a>) -> Option<(usize, JsonStr<'a>)> {
        let found = self.find(piece);
        if found.is_none() && piece.is_empty() {
            // Cloudflare ends a call with a piece in which everything is null.
            return None;
        }
        let number = found.unwrap_or(self.slots.len());
        if found.is_none() {
            let name = self.announced(piece).unwrap_or_default();
            self.slots.push(PartialCall { index: piece.index, name, ..PartialCall::default() });
        }
        let slot = self.slots.get_mut(number)?;
        if slot.is_repeated_by(piece) {
            return None;
        }
        slot.learn(piece);
        Some((number, slot.append(piece.arguments)))
    }

    fn find(&self, piece: &CallFragment<'_>) -> Option<usize> {
        let same = match piece.index {
            Some(_) => self.slots.iter().rposition(|slot| slot.index == piece.index),
            None if !piece.id.is_empty() => {
                let known = self.slots.iter().rposition(|slot| slot.id == piece.id);
                known.or_else(|| self.slots.len().checked_sub(1))
            }
            None => self.slots.len().checked_sub(1),
        }?;
        (!self.slots.get(same)?.is_followed_by(piece)).then_some(same)
    }

    /// The name of the call that begins with arguments alone, because its name came before them.
    fn announced(&self, piece: &CallFragment<'_>) -> Option<String> {
        let last = self.slots.last().filter(|slot| slot.named_again && piece.name.is_empty())?;
        Some(last.name.clone())
    }

    /// One of the calls.
    pub(super) fn get(&self, number: usize) -> Option<&PartialCall> {
        self.slots.get(number)
    }

    /// One of the calls.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut PartialCall> {
        self.slots.get_mut(number)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no call was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PartialCall> {
        self.slots.iter()
    }
}

impl PartialCall {
    /// Whether a piece that says it belongs here begins another call: hosts that send a constant index,
    /// or none, are told by a new id, or by a name after arguments that are whole.
    fn is_followed_by(&self, piece: &CallFragment<'_>) -> bool {
        let has_id = !piece.id.is_empty();
        let other_id = has_id && !self.id.is_empty() && piece.id != self.id;
        let same_id = has_id && piece.id == self.id;
        let named = !piece.name.is_empty();
        let other_name = named && piece.name != self.name;
        if other_id {
            return named || self.is_whole();
        }
        if !named && !has_id {
            return self.named_again && piece.brings_arguments();
        }
        if same_id || !named {
            // TGI gives each call the id "0".
            return named && self.is_whole() && piece.brings_arguments() && !self.is_repeated_by(piece);
        }
        match piece.index {
            // Some hosts repeat the name with every piece.
            Some(_) => self.is_whole() && (other_name || piece.brings_arguments()),
            None => self.is_whole() || (other_name && !self.arguments.is_empty()),
        }
    }

    /// Whether a host says a whole call a second time, when the reply ends for instance.
    fn is_repeated_by(&self, piece: &CallFragment<'_>) -> bool {
        let is_same = !piece.id.is_empty() && piece.id == self.id && piece.name == self.name;
        let arguments = piece.arguments.filter(|_| is_same && self.is_whole()).and_then(JsonStr::of);
        arguments.is_some_and(|arguments| arguments == self.arguments.clone().finish())
    }

    fn learn(&mut self, piece: &CallFragment<'_>) {
        self.raw |= piece.raw;
        if let Some(extra) = piece.extra {
            self.extra = Some(extra.to_owned());
        }
        if self.id.is_empty() {
            self.id.push_str(&piece.id);
        }
        self.named_again |= self.is_whole() && !piece.name.is_empty();
        // A name comes once, or in pieces, or whole with every piece.
        if !self.opened && self.arguments.is_empty() && self.name != piece.name {
            self.name.push_str(piece.name);
        }
    }

    fn append<'a>(&mut self, arguments: Option<&'a RawValue>) -> JsonStr<'a> {
        let text = match arguments {
            None => return JsonStr::new(""),
            // Some hosts send the object itself.
            Some(raw) => self.seam.push(raw).unwrap_or_else(|| JsonStr::new(raw.get())),
        };
        if !self.raw {
            self.brackets.push(text.decode().as_bytes());
        }
        self.arguments.push(&text);
        text
    }

    /// Whether the arguments are an object that has closed.
    pub(super) fn is_whole(&self) -> bool {
        self.brackets.closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls as `name(arguments)`, from pieces as JSON.
    fn calls(pieces: &[&str]) -> Vec<String> {
        let mut calls = Calls::default();
        for piece in pieces {
            let call: ToolCall<'_> = serde_json::from_str(piece).unwrap();
            calls.add(&CallFragment::of(&call));
        }
        calls
            .iter()
            .map(|slot| format!("{}({})", slot.name, slot.arguments.clone().finish().decode()))
            .collect()
    }

    #[test]
    fn pieces_find_their_call() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "by index, interleaved",
                &[
                    r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                    r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}"#,
                    r#"{"index":0,"function":{"arguments":"{}"}}"#,
                    r#"{"index":1,"function":{"arguments":"}"}}"#,
                ],
                &["f({})", "g({})"],
            ),
            (
                "constant index, new ids",
                &[
                    r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}"#,
                ],
                &["f({})", "f({})"],
            ),
            (
                "no index, no id, same name again after whole arguments",
                &[
                    r#"{"function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"function":{"name":"f","arguments":"{}"}}"#,
                ],
                &["f({})", "f({})"],
            ),
            (
                "no index, id repeated in each piece",
                &[
                    r#"{"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                    r#"{"id":"a","function":{"name":"f","arguments":":1}"}}"#,
                ],
                &[r#"f({"x":1})"#],
            ),
            (
                "name split, then empty",
                &[
                    r#"{"index":1,"id":"a","function":{"name":"get_"}}"#,
                    r#"{"index":1,"id":"","function":{"name":"weather"}}"#,
                    r#"{"index":1,"function":{"name":"","arguments":"{}"}}"#,
                ],
                &["get_weather({})"],
            ),
            (
                "arguments as an object, and a last piece of nulls",
                &[
                    r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}"#,
                    r#"{"index":0,"id":null,"function":{"name":null,"arguments":null}}"#,
                ],
                &[r#"f({"x":1})"#],
            ),
            (
                "name repeated after the arguments are whole",
                &[
                    r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
                ],
                &["f({})"],
            ),
            (
                "constant index, no id, the same name again, and then other arguments",
                &[
                    r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#,
                    r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
                    r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
                    r#"{"index":0,"function":{"arguments":"1}"}}"#,
                ],
                &["f({})", r#"f({"x":1})"#],
            ),
            (
                "index as a string, id as a number",
                &[
                    r#"{"index":"0","id":1,"function":{"name":"f","arguments":"{"}}"#,
                    r#"{"index":"1","id":2,"function":{"name":"g","arguments":"{}"}}"#,
                    r#"{"index":"0","function":{"arguments":"}"}}"#,
                ],
                &["f({})", "g({})"],
            ),
            (
                "one id for all calls, each in one piece",
                &[
                    r#"{"index":0,"id":"0","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                    r#"{"index":0,"id":"0","function":{"name":"f","arguments":"{\"x\":2}"}}"#,
                ],
                &[r#"f({"x":1})"#, r#"f({"x":2})"#],
            ),
            (
                "a whole call said again at the end",
                &[
                    r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                    r#"{"index":0,"function":{"arguments":":1}"}}"#,
                    r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                ],
                &[r#"f({"x":1})"#],
            ),
            (
                "a custom tool by its own kind",
                &[
                    r#"{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"{x"}}"#,
                    r#"{"index":0,"custom":{"input":"}y"}}"#,
                ],
                &["f({x}y)"],
            ),
            ("nothing but nulls", &[r#"{"index":0,"id":null,"function":{"name":null}}"#], &[]),
        ];
        for (what, pieces, expected) in table {
            assert_eq!(calls(pieces), *expected, "{what}");
        }
    }
}
