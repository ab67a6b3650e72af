//! What was found out, and how.
//!
//! What has to be known for the questions is settled first: the name of the token limit, and how a past tool call
//! has to stand in the history.

use super::host::{Answer, Host};
use super::questions::QUESTIONS;
use super::requests::{ID, Settled, USUAL_ID, history, user, with};
use serde_json::json;
use std::collections::BTreeMap;

/// All that was found out: the questions that were answered with yes, in their words.
pub(crate) struct Findings {
    pub(crate) settled: Settled,
    answers: BTreeMap<&'static str, bool>,
    /// The questions without an answer, which count as no.
    pub(crate) unanswered: Vec<&'static str>,
    /// The field in which reasoning came.
    pub(crate) reasoning_field: Option<&'static str>,
    /// Reasoning stands in the text, and whether it begins there.
    pub(crate) think_tags: Option<&'static str>,
    /// A tool call stands in the text.
    pub(crate) call_in_text: bool,
}

impl Findings {
    /// Whether the answer was yes.
    pub(crate) fn yes(&self, asks: &str) -> bool {
        self.answers.get(asks).copied().unwrap_or_default()
    }

    /// Asks everything.
    pub(crate) fn ask(host: &Host, overflow: bool) -> Result<Self, String> {
        let mut found = Self {
            settled: Settled { limit: limit(host)?, ..Settled::default() },
            answers: BTreeMap::new(),
            unanswered: Vec::new(),
            reasoning_field: None,
            think_tags: None,
            call_in_text: false,
        };
        found.settle_history(host);
        for question in QUESTIONS {
            let answer = match host.ask((question.fields)(&found.settled)) {
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
            found.look_at(&answer);
        }
        tell_errors(host, &found.settled, overflow);
        Ok(found)
    }

    fn note_unanswered(&mut self, asks: &'static str, why: &str) {
        eprintln!("   ?  {asks}   {why}");
        self.unanswered.push(asks);
    }

    /// Finds a form in which a past tool call is taken. The first is what nearly every host takes, and what is assumed if
    /// none is taken.
    fn settle_history(&mut self, host: &Host) {
        let first = Settled { content: "empty", ..self.settled };
        let mut last = Err(String::new());
        let beside =
            [(None, false), (Some("reasoning_content"), false), (Some("reasoning"), false), (None, true)];
        for (must_replay, must_sign) in beside {
            for content in ["empty", "absent", "null"] {
                let settled = Settled { must_replay, must_sign, content, ..first };
                match host.ask(with(&settled, history(&settled, ID, &[]))) {
                    Ok(answer) if answer.is_good() => {
                        let field = must_replay.or(must_sign.then_some("a signature"));
                        let beside =
                            field.map_or_else(String::new, |field| format!(", and {field} beside it"));
                        eprintln!(" yes  takes a past tool call, with content {content}{beside}");
                        self.settled = settled;
                        self.settle_ids(host);
                        return;
                    }
                    answer => last = answer,
                }
            }
        }
        self.settled = first;
        match last {
            Ok(answer) => eprintln!("  no  takes a past tool call   {}", answer.brief()),
            Err(why) => self.note_unanswered("takes a past tool call", &why),
        }
    }

    /// Finds out whether ids of tool calls have to be short.
    fn settle_ids(&mut self, host: &Host) {
        match host.ask(with(&self.settled, history(&self.settled, USUAL_ID, &[]))) {
            Ok(usual) => self.settled.short_ids = !usual.is_good(),
            Err(why) => self.note_unanswered("takes a long id of a tool call", &why),
        }
    }

    /// What an answer shows besides what was asked.
    fn look_at(&mut self, answer: &Answer) {
        let fields = ["reasoning_content", "reasoning"];
        let seen = fields.into_iter().find(|field| !answer.said(field).trim().is_empty());
        self.reasoning_field = self.reasoning_field.or(seen);
        let text = answer.said("content");
        match (text.find("<think>"), text.find("</think>")) {
            (Some(_), _) => self.think_tags = Some("on"),
            (None, Some(_)) if self.think_tags.is_none() => self.think_tags = Some("implied"),
            _ => {}
        }
        let markup = ["<tool_call>", "<function=", "[TOOL_CALLS]", "<|tool_call", "<｜tool"];
        self.call_in_text |= !answer.calls_a_tool() && markup.iter().any(|mark| text.contains(mark));
    }
}

fn limit(host: &Host) -> Result<&'static str, String> {
    let mut refusals = Vec::new();
    for limit in ["max_tokens", "max_completion_tokens"] {
        let answer = host.ask(with(&Settled { limit, ..Settled::default() }, json!({})))?;
        if answer.is_good() {
            eprintln!(" yes  answers a plain request with {limit}");
            return Ok(limit);
        }
        refusals.push(answer.brief());
    }
    Err(format!("the host answers no plain request:\n  {}", refusals.join("\n  ")))
}

/// What the host says to what is wrong. Nothing follows from it, for every shape is understood; and a host
/// may well hang up on a request that is too long.
fn tell_errors(host: &Host, settled: &Settled, overflow: bool) {
    let tell = |what: &str, answer: Result<Answer, String>| {
        eprintln!("      {what}: {}", answer.map_or_else(|error| error, |answer| answer.brief()));
    };
    tell("an unknown model", host.ask(with(settled, json!({"model": "no-such-model-as-this"}))));
    tell("a broken request", host.send(b"{\"model\": "));
    if overflow {
        let long = user(&"word ".repeat(600_000));
        tell("too long a prompt", host.ask(with(settled, json!({ "messages": [long] }))));
    }
}
