//! Asks the questions and keeps the answers.
//!
//! Two things are found out first, because every later request depends on them: the name of the token limit, and the
//! form of a past tool call in the history.

use super::questions::QUESTIONS;
use super::requests::{ID, Settled, USUAL_ID, history, user, with};
use super::upstream::{Answer, Upstream};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The question's past tool call has more tokens than these and its text together, in any tokenizer.
const CALL_TOKENS: u64 = 5;

/// What is known about the upstream. An answer is found by the text of its question.
pub(crate) struct Findings {
    pub(crate) settled: Settled,
    answers: BTreeMap<&'static str, bool>,
    /// Questions without an answer. They count as no.
    pub(crate) unanswered: Vec<&'static str>,
    /// The field that carried reasoning.
    pub(crate) reasoning_field: Option<&'static str>,
    /// The value of the option `think_tags`, if reasoning was found inside the text.
    pub(crate) think_tags: Option<&'static str>,
    /// Whether a tool call was found inside the text.
    pub(crate) call_in_text: bool,
    /// The path at which the upstream counts the tokens of a request.
    pub(crate) counts_at: Option<String>,
}

impl Findings {
    /// Whether the upstream answered this question with yes.
    pub(crate) fn yes(&self, asks: &str) -> bool {
        debug_assert!(QUESTIONS.iter().any(|question| question.asks == asks), "nobody asks: {asks}");
        self.answers.get(asks).copied().unwrap_or_default()
    }

    /// Asks all questions. Fails if the upstream rejects even a plain request.
    pub(crate) fn ask(upstream: &Upstream, overflow: bool) -> Result<Self, String> {
        let mut found = Self {
            settled: Settled { limit: limit(upstream)?, ..Settled::default() },
            answers: BTreeMap::new(),
            unanswered: Vec::new(),
            reasoning_field: None,
            think_tags: None,
            call_in_text: false,
            counts_at: None,
        };
        found.settle_history(upstream);
        for question in QUESTIONS {
            let answer = match upstream.ask((question.fields)(&found.settled)) {
                Ok(answer) => answer,
                Err(why) => {
                    found.note_unanswered(question.asks, &why);
                    continue;
                }
            };
            let yes = (question.says_yes)(&answer);
            let why = if yes { String::new() } else { format!("   {}", answer.brief()) };
            eprintln!("{:>4}  {}{why}", if yes { "yes" } else { "no" }, question.asks);
            found.answers.insert(question.asks, yes);
            found.observe(&answer);
        }
        found.counts_at = counting_path(upstream, &found.settled);
        print_errors(upstream, &found.settled, overflow);
        Ok(found)
    }

    fn note_unanswered(&mut self, asks: &'static str, why: &str) {
        eprintln!("   ?  {asks}   {why}");
        self.unanswered.push(asks);
    }

    /// Finds a form of a past tool call that the upstream accepts. The first form is the one that nearly all accept. It
    /// is assumed if the upstream accepts none.
    fn settle_history(&mut self, upstream: &Upstream) {
        let first = Settled { content: "empty", ..self.settled };
        let mut last = Err(String::new());
        let beside =
            [(None, false), (Some("reasoning_content"), false), (Some("reasoning"), false), (None, true)];
        for (must_replay, must_sign) in beside {
            for content in ["empty", "absent", "null"] {
                let settled = Settled { must_replay, must_sign, content, ..first };
                match upstream.ask(with(&settled, history(&settled, ID, &[]))) {
                    Ok(answer) if answer.is_good() => {
                        let field = must_replay.or(must_sign.then_some("a signature"));
                        let beside =
                            field.map_or_else(String::new, |field| format!(", and {field} beside it"));
                        eprintln!(" yes  accepts a past tool call, with content {content}{beside}");
                        self.settled = settled;
                        self.settle_content(upstream);
                        self.settle_ids(upstream);
                        return;
                    }
                    answer => last = answer,
                }
            }
        }
        self.settled = first;
        match last {
            Ok(answer) => eprintln!("  no  accepts a past tool call   {}", answer.brief()),
            Err(why) => self.note_unanswered("accepts a past tool call", &why),
        }
    }

    /// Finds out whether past tool calls are lost beside text, as by TGI and early releases of Ollama: the prompt is shorter then.
    fn settle_content(&mut self, upstream: &Upstream) {
        let prompt = |content| {
            let settled = Settled { content, ..self.settled };
            upstream.ask(with(&settled, history(&settled, ID, &[]))).ok().filter(Answer::is_good)
        };
        let Some(alone) = prompt("absent") else { return };
        let is_lost = prompt("text").is_none_or(|beside| {
            let tokens = beside.prompt_tokens().zip(alone.prompt_tokens());
            tokens.is_some_and(|(beside, alone)| beside + CALL_TOKENS < alone)
        });
        if is_lost {
            self.settled.content = "alone";
        }
        eprintln!("{:>4}  keeps a past tool call beside text", if is_lost { "no" } else { "yes" });
    }

    /// Finds out whether tool call ids must be nine letters and digits.
    fn settle_ids(&mut self, upstream: &Upstream) {
        match upstream.ask(with(&self.settled, history(&self.settled, USUAL_ID, &[]))) {
            Ok(usual) => self.settled.short_ids = !usual.is_good(),
            Err(why) => self.note_unanswered("accepts a long tool call id", &why),
        }
    }

    /// Learns what an answer shows besides the answer to its question.
    fn observe(&mut self, answer: &Answer) {
        let fields = ["reasoning_content", "reasoning"];
        let seen = fields.into_iter().find(|field| !answer.text_of(field).trim().is_empty());
        self.reasoning_field = self.reasoning_field.or(seen);
        let text = answer.text_of("content");
        match (text.find("<think>"), text.find("</think>")) {
            (Some(_), _) => self.think_tags = Some("on"),
            (None, Some(_)) if self.think_tags.is_none() => self.think_tags = Some("implied"),
            _ => {}
        }
        let markup = ["<tool_call>", "<function=", "[TOOL_CALLS]", "<|tool_call", "<｜tool"];
        self.call_in_text |= !answer.calls_a_tool() && markup.iter().any(|mark| text.contains(mark));
    }
}

/// The name of the token limit in a plain request that succeeds.
fn limit(upstream: &Upstream) -> Result<&'static str, String> {
    let mut refusals = Vec::new();
    for limit in ["max_tokens", "max_completion_tokens"] {
        let answer = upstream.ask(with(&Settled { limit, ..Settled::default() }, json!({})))?;
        if answer.is_good() {
            eprintln!(" yes  answers a plain request with {limit}");
            return Ok(limit);
        }
        refusals.push(answer.brief());
    }
    Err(format!("the upstream rejects a plain request:\n  {}", refusals.join("\n  ")))
}

/// The path at which the upstream counts the tokens of a request: llama.cpp's, or that of vLLM and SGLang.
fn counting_path(upstream: &Upstream, settled: &Settled) -> Option<String> {
    let path = upstream.path();
    let tokenize = path.strip_suffix("/v1/chat/completions").map(|prefix| format!("{prefix}/tokenize"));
    let counts = |path: &String| {
        let answer = upstream.ask_at(path, with(settled, json!({})));
        answer.is_ok_and(|answer| answer.is_good() && answer.values().iter().any(is_count))
    };
    let found = [Some(format!("{path}/input_tokens")), tokenize].into_iter().flatten().find(counts);
    eprintln!("{:>4}  counts the tokens of a request", if found.is_some() { "yes" } else { "no" });
    found
}

fn is_count(answer: &Value) -> bool {
    ["input_tokens", "count"].iter().any(|key| answer.get(key).is_some_and(Value::is_u64))
}

/// Prints how the upstream reports errors. The configuration does not depend on it, because the filter understands every
/// form. An upstream may close the connection when a request is too long.
fn print_errors(upstream: &Upstream, settled: &Settled, overflow: bool) {
    let print = |what: &str, answer: Result<Answer, String>| {
        eprintln!("      {what}: {}", answer.map_or_else(|error| error, |answer| answer.brief()));
    };
    print("an unknown model", upstream.ask(with(settled, json!({"model": "no-such-model-as-this"}))));
    print("a broken request", upstream.send(b"{\"model\": "));
    if overflow {
        let long = user(&"word ".repeat(600_000));
        print("too long a prompt", upstream.ask(with(settled, json!({ "messages": [long] }))));
    }
}
