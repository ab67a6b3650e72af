//! An upstream that deviates from OpenAI's form in two ways at once. The client must still receive the intended output.
//!
//! A case has a number. The number chooses a pair of [`deviations`](table) and everything random: the model's output,
//! its pieces, and the client's request. So each pair is tried once, then each again, and so on.
#![allow(dead_code, unreachable_pub)] // A module of a test and of a fuzz target; neither uses all of it.

pub mod answer;
mod calls;
mod content;
mod endings;
mod fragments;
mod framing;
mod judge;
mod places;
pub mod table;
mod wire;

use answer::{Answer, Call, TOOLS};
use content::HALVES;
use serde_json::{Value, json};
use table::{Deviation, Form};
use transponder::config::Config;
use transponder::request::{self, Context};
use transponder::response::Reply;
use wire::Wire;

pub type Rng = fastrand::Rng;

/// A reply while two deviations are applied to it.
#[derive(Debug)]
pub struct Case {
    /// The intended output.
    pub answer: Answer,
    pub wire: Wire,
    pub rng: Rng,
    /// The options for the upstream.
    pub options: Value,
    /// How the chunks become a body.
    pub frame: fn(&[String]) -> String,
}

/// The properties of an answer without which a deviation has no effect.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    pub form: Form,
    /// The minimum and maximum number of calls.
    pub calls: [usize; 2],
    /// The tool of the first call.
    pub tool: Option<usize>,
    pub reasoning: bool,
    /// `Some(false)`: there must be no text.
    pub text: Option<bool>,
    /// No two calls have the same name and arguments, because nothing else tells them apart.
    pub distinct: bool,
}

impl Needs {
    /// The needs of both, unless they contradict each other.
    fn with(self, other: Self) -> Option<Self> {
        let form = match (self.form, other.form) {
            (Form::Any, form) | (form, Form::Any) => form,
            (form, other) if form == other => form,
            _ => return None,
        };
        let calls = [self.calls[0].max(other.calls[0]), self.calls[1].min(other.calls[1])];
        let one = |own: Option<bool>, other: Option<bool>| own.is_none() || other.is_none() || own == other;
        let tool = self.tool.is_none() || other.tool.is_none() || self.tool == other.tool;
        let silent = |needs: Self, other: Self| needs.text == Some(false) && other.reasoning;
        let agree = calls[0] <= calls[1] && tool && one(self.text, other.text);
        (agree && !silent(self, other) && !silent(other, self)).then(|| Self {
            form,
            calls,
            tool: self.tool.or(other.tool),
            reasoning: self.reasoning || other.reasoning,
            text: self.text.or(other.text),
            distinct: self.distinct || other.distinct,
        })
    }
}

/// The pairs that do not contradict each other. Each deviation also forms a pair with itself.
pub fn pairs() -> Vec<[&'static Deviation; 2]> {
    let all = table::all();
    let pairs =
        all.iter().enumerate().flat_map(|(at, first)| all[at..].iter().map(move |second| [*first, *second]));
    pairs.filter(|[first, second]| contradiction(first, second).is_none()).collect()
}

/// The reason why two deviations cannot be in one reply, if there is one.
pub fn contradiction(first: &Deviation, second: &Deviation) -> Option<&'static str> {
    if std::ptr::eq(first, second) {
        return None;
    }
    if first.aspects.iter().any(|aspect| second.aspects.contains(aspect)) {
        return Some("a reply has one form of each aspect");
    }
    let is_pair = |names: &[&str]| names.contains(&first.name) && names.contains(&second.name);
    match table::CONTRADICTIONS.iter().find(|(names, _)| is_pair(names)) {
        Some((_, reason)) => Some(reason),
        None if first.needs.with(second.needs).is_none() => Some("no answer shows both"),
        None => None,
    }
}

/// Tries the case with a number.
///
/// # Errors
/// If the client received something else than intended. The message has the names of the deviations, and the body.
pub fn try_case(pairs: &[[&'static Deviation; 2]], number: usize) -> Result<(), String> {
    let pair = pairs[number % pairs.len()];
    let mut rng = Rng::with_seed(number as u64);
    let mut case = begin(pair, &mut rng);
    let body = case.body(pair);
    let request = case.request();
    let size = 1 + case.rng.usize(0..400);
    let got = std::panic::catch_unwind(|| received(&request, body.as_bytes().chunks(size)));
    let judged = match got {
        Ok(response) => {
            judge::whole(&case.answer, &response).map_err(|fault| format!("{fault}\n  got: {response}"))
        }
        Err(panic) => Err(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
    };
    let end = case.rng.usize(0..=body.len());
    let cut = std::panic::catch_unwind(|| received(&request, [&body.as_bytes()[..end]]));
    let judged = judged.and_then(|()| match cut {
        Ok(response) => judge::cut(&case.answer, &response).map_err(|fault| {
            format!(
                "cut after {:?}: {fault}\n  got: {response}",
                String::from_utf8_lossy(&body.as_bytes()[..end])
            )
        }),
        Err(panic) => Err(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
    });
    let [first, second] = pair.map(|deviation| deviation.name);
    judged.map_err(|fault| {
        format!("case {number}: {first} + {second}: {fault}\n  body: {body}\n  meant: {:?}", case.answer)
    })
}

/// The reply as OpenAI sends it, to which both deviations can be applied.
fn begin(pair: [&Deviation; 2], rng: &mut Rng) -> Case {
    let needs = pair[0].needs.with(pair[1].needs).unwrap_or(pair[0].needs);
    let is_document = match needs.form {
        Form::Any => rng.usize(0..3) == 0,
        Form::Stream => false,
        Form::Document => true,
    };
    let [least, most] = needs.calls;
    let mut answer = Answer::default();
    if needs.reasoning || needs.text != Some(false) && rng.bool() {
        answer.reasoning = format!("R{}", answer::text(rng));
    }
    let calls = least + rng.usize(0..=most - least);
    let silent = needs.text == Some(false) || needs.text.is_none() && calls > 0 && rng.bool();
    if !silent {
        answer.text = answer::text(rng);
    }
    for number in 0..calls {
        let mut tool = needs.tool.filter(|_| number == 0).unwrap_or_else(|| rng.usize(0..TOOLS.len()));
        while needs.distinct && answer.calls.iter().any(|call| call.name == TOOLS[tool].name) {
            tool = (tool + 1) % TOOLS.len();
        }
        answer.calls.push(Call::of(&TOOLS[tool], number, rng));
    }
    if !is_document && calls > 0 && needs.text != Some(false) && rng.usize(0..4) == 0 {
        answer.closing = answer::text(rng);
    }
    answer.usage = rng.bool().then_some([5, 0, 3]);
    let wire = Wire::of(&answer, is_document, rng);
    Case { answer, wire, rng: rng.fork(), options: json!({}), frame: framing::events }
}

impl Case {
    /// What the upstream sends.
    fn body(&mut self, pair: [&Deviation; 2]) -> String {
        // A pair of a deviation with itself applies it once.
        let pair = if std::ptr::eq(pair[0], pair[1]) { &pair[..1] } else { &pair };
        for change in pair.iter().filter_map(|deviation| deviation.change.of_parts()) {
            change(self);
        }
        let mut chunks = self.wire.chunks();
        for change in pair.iter().filter_map(|deviation| deviation.change.of_chunks()) {
            change(self, &mut chunks);
        }
        let halves = |line: String| HALVES.iter().fold(line, |line, (half, json)| line.replace(*half, json));
        let mut lines: Vec<String> = chunks.iter().map(|chunk| halves(chunk.to_string())).collect();
        for change in pair.iter().filter_map(|deviation| deviation.change.of_lines()) {
            change(self, &mut lines);
        }
        if self.wire.is_document { lines.concat() } else { (self.frame)(&lines) }
    }

    fn request(&mut self) -> Request {
        let body =
            json!({"model": "m", "input": "hi", "stream": self.rng.bool(), "tools": answer::declared()});
        Request { body, options: self.options.clone(), is_codex: self.rng.usize(0..4) == 0 }
    }
}

/// The client's request.
#[derive(Debug)]
struct Request {
    body: Value,
    options: Value,
    is_codex: bool,
}

impl Request {
    fn reply(&self) -> Reply {
        let config =
            Config::parse(json!({"upstream": self.options}).to_string().as_bytes()).expect("a configuration");
        let context = Context { config: &config, seed: 7, now: 1, codex: self.is_codex };
        let mut reply =
            request::translate(self.body.to_string().as_bytes(), &context).expect("a request").reply;
        reply.begin(200);
        reply
    }
}

/// The response for an upstream's body in these pieces.
fn received<'b>(request: &Request, pieces: impl IntoIterator<Item = &'b [u8]>) -> Value {
    let mut reply = request.reply();
    let mut out = Vec::new();
    for piece in pieces {
        reply.push(piece, &mut out);
    }
    reply.end(&mut out);
    assert!(reply.is_done());
    if out.starts_with(b"event:") {
        crate::grammar::Transcript::of(&out).response().clone()
    } else {
        crate::grammar::document(&out)
    }
}
