//! A block of markup that may hold tool calls: from its first tag to the last call.
//!
//! The block sees a growing text and looks at each byte of it once. It says as early as possible that the text
//! cannot be a call, because until then nothing of it is shown.

use super::dialects::{DIALECTS, Dialect, JSON, Name, Pairs};
use super::object::{Fit, fit, spoken};
use super::offer::Offer;
use crate::json::{DepthScanner, JsonStr};
use serde_json::value::RawValue;

/// A block under way.
#[derive(Debug)]
pub(super) struct Block {
    rows: Vec<&'static Dialect>,
    /// What was read of the text.
    at: usize,
    phase: Phase,
    /// Something that begins a call was read, so that even a bare name may follow.
    announced: bool,
    /// How much of the text belongs to calls that were found.
    settled: usize,
    found: bool,
}

#[derive(Debug)]
enum Phase {
    /// Before a call.
    Head,
    /// Within its name.
    Name(&'static Dialect, &'static Name),
    /// Between its name and its arguments.
    Between(Named),
    /// Within a JSON object.
    Json { from: usize, brackets: DepthScanner, named: Option<Named> },
    /// Before an argument.
    Key(Named, &'static Pairs),
    /// Within the value of one.
    Value { named: Named, pairs: &'static Pairs, key: String, from: usize },
}

/// A call whose name is known.
#[derive(Debug)]
struct Named {
    row: &'static Dialect,
    name: String,
    /// Its arguments so far, the JSON of an object without braces.
    arguments: String,
}

/// What a block has come to.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// It depends on what follows.
    More,
    /// A call.
    Call { name: String, arguments: String },
    /// That far it is text after all.
    Text(usize),
    /// That far it was calls; what follows is none.
    Done(usize),
}

/// What comes between a name and its arguments is short.
const BETWEEN: usize = 80;
/// As long as a tool's name may be, and what models put around it.
const NAME: usize = 96;

impl Block {
    /// A block that begins with `tag`, which has been read.
    pub(super) fn begin(tag: &str) -> Self {
        let rows = DIALECTS.iter().copied().filter(|row| row.begin.contains(&tag));
        Self { at: tag.len(), announced: true, ..Self::of(rows.collect()) }
    }

    /// A block that begins with a call's name, before which `tag` stands.
    pub(super) fn begin_named(tag: &str) -> Self {
        let is_named = |row: &&Dialect| row.name.as_ref().is_some_and(|name| name.before == tag);
        Self::of(DIALECTS.iter().copied().filter(is_named).collect())
    }

    /// A block of JSON without any markup.
    pub(super) fn bare() -> Self {
        Self::of(vec![JSON])
    }

    fn of(rows: Vec<&'static Dialect>) -> Self {
        Self { rows, at: 0, phase: Phase::Head, announced: false, settled: 0, found: false }
    }

    /// Reads on in `text`, all of the block so far.
    pub(super) fn read(&mut self, text: &str, offer: &Offer) -> Step {
        loop {
            let rest = text.get(self.at..).unwrap_or_default();
            let next = match std::mem::replace(&mut self.phase, Phase::Head) {
                Phase::Head => self.head(rest, offer),
                Phase::Name(row, name) => self.name(row, name, rest, offer),
                Phase::Between(named) => self.between(named, rest),
                Phase::Json { from, brackets, named } => self.json(from, brackets, named, text, offer),
                Phase::Key(named, pairs) => self.key(named, pairs, rest),
                Phase::Value { named, pairs, key, from } => self.value(named, pairs, key, from, text, offer),
            };
            match next {
                Next::Go => {}
                Next::Stop(step) => return step,
            }
        }
    }

    fn head(&mut self, rest: &str, offer: &Offer) -> Next {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let tags = || self.rows.iter().flat_map(|row| row.begin.iter().chain(row.end));
        let mut may_fit = tags().any(|tag| tag.len() > rest.len() && tag.starts_with(rest));
        if let Some(tag) = tags().filter(|tag| rest.starts_with(**tag)).max_by_key(|tag| tag.len())
            && !may_fit
        {
            self.at += gap + tag.len();
            match self.rows.iter().any(|row| row.begin.contains(tag)) {
                true => self.announced = true,
                false => self.settled = self.at,
            }
            return Next::Go;
        }
        for row in &self.rows {
            match (self.fit(row, rest, offer), &row.name) {
                (Fit::No, _) => {}
                (Fit::Maybe, _) => may_fit = true,
                (Fit::Yes, _) if may_fit => {}
                (Fit::Yes, Some(name)) => {
                    self.at += gap + name.before.len();
                    self.phase = Phase::Name(row, name);
                    return Next::Go;
                }
                (Fit::Yes, None) => {
                    self.at += gap;
                    self.phase =
                        Phase::Json { from: self.at, brackets: DepthScanner::default(), named: None };
                    return Next::Go;
                }
            }
        }
        if may_fit { Next::Stop(Step::More) } else { self.give_up(self.at) }
    }

    /// Whether a call of this dialect begins here.
    fn fit(&self, row: &Dialect, rest: &str, offer: &Offer) -> Fit {
        match &row.name {
            None => fit(rest, offer),
            Some(Name { before: "", .. }) if !self.announced || rest.is_empty() => Fit::No,
            Some(Name { before: "", after }) => {
                let end = after.iter().filter_map(|tag| rest.find(tag)).min();
                let fits = match end {
                    Some(end) => offer.find(rest.get(..end).unwrap_or_default()).is_some(),
                    None => may_be_name(rest, after, offer),
                };
                if fits { Fit::Yes } else { Fit::No }
            }
            Some(Name { before, .. }) if rest.starts_with(before) => Fit::Yes,
            Some(Name { before, .. }) if before.starts_with(rest) => Fit::Maybe,
            Some(_) => Fit::No,
        }
    }

    fn name(&mut self, row: &'static Dialect, name: &'static Name, rest: &str, offer: &Offer) -> Next {
        let found =
            name.after.iter().filter_map(|tag| Some((rest.find(tag)?, *tag))).min_by_key(|(at, _)| *at);
        let Some((end, tag)) = found else {
            self.phase = Phase::Name(row, name);
            let fits = rest.len() <= NAME && may_be_name(rest, name.after, offer);
            return if fits { Next::Stop(Step::More) } else { self.give_up(self.at) };
        };
        let Some(name) = offer.find(rest.get(..end).unwrap_or_default()) else {
            return self.give_up(self.at);
        };
        // What begins the arguments, or ends the call, is still to be read.
        let is_part =
            tag == "{" || row.end.contains(&tag) || row.pairs.as_ref().is_some_and(|pairs| pairs.key == tag);
        self.at += end + if is_part { 0 } else { tag.len() };
        self.phase = Phase::Between(Named { row, name: name.to_owned(), arguments: String::new() });
        Next::Go
    }

    fn between(&mut self, named: Named, rest: &str) -> Next {
        let pairs = named.row.pairs.as_ref();
        let key = pairs.and_then(|pairs| rest.find(pairs.key)).map(|at| (at, Between::Pairs));
        let object = rest.find('{').map(|at| (at, Between::Json));
        let end = named.row.end.iter().filter(|tag| **tag != "```").filter_map(|tag| rest.find(tag)).min();
        let first = [key, object, end.map(|at| (at, Between::Nothing))]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at);
        match (first, pairs) {
            (Some((at, _)), _) if at > BETWEEN => self.give_up(self.at),
            (Some((at, Between::Pairs)), Some(pairs)) => {
                self.at += at;
                self.phase = Phase::Key(named, pairs);
                Next::Go
            }
            (Some((at, Between::Json)), _) => {
                self.at += at;
                self.phase =
                    Phase::Json { from: self.at, brackets: DepthScanner::default(), named: Some(named) };
                Next::Go
            }
            (Some((at, _)), _) => {
                self.at += at;
                self.call(named.name, "{}".to_owned())
            }
            (None, _) if rest.len() > BETWEEN => self.give_up(self.at),
            (None, _) => {
                self.phase = Phase::Between(named);
                Next::Stop(Step::More)
            }
        }
    }

    fn json(
        &mut self,
        from: usize,
        mut brackets: DepthScanner,
        named: Option<Named>,
        text: &str,
        offer: &Offer,
    ) -> Next {
        let (read, _) = brackets.split(text.as_bytes().get(self.at..).unwrap_or_default());
        self.at += read.len();
        if !brackets.closed() {
            self.phase = Phase::Json { from, brackets, named };
            return Next::Stop(Step::More);
        }
        let object = text.get(from..self.at).unwrap_or_default();
        let call = match named {
            Some(named) => {
                serde_json::from_str::<&RawValue>(object).ok().map(|_| (named.name, object.to_owned()))
            }
            None => {
                spoken(object).and_then(|(name, arguments)| Some((offer.find(&name)?.to_owned(), arguments)))
            }
        };
        match call {
            Some((name, arguments)) => self.call(name, arguments),
            None => self.give_up(self.at),
        }
    }

    fn key(&mut self, named: Named, pairs: &'static Pairs, rest: &str) -> Next {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        if named.row.end.iter().any(|tag| rest.starts_with(tag)) {
            self.at += gap;
            return self.call(named.name, format!("{{{}}}", named.arguments));
        }
        let Some(tail) = rest.strip_prefix(pairs.key) else {
            let may_fit = [pairs.key].iter().chain(named.row.end).any(|tag| tag.starts_with(rest));
            self.phase = Phase::Key(named, pairs);
            return if may_fit { Next::Stop(Step::More) } else { self.give_up(self.at + gap) };
        };
        let Some((key, after)) = tail.split_once(pairs.key_end) else {
            self.phase = Phase::Key(named, pairs);
            return if tail.len() <= NAME { Next::Stop(Step::More) } else { self.give_up(self.at + gap) };
        };
        let Some((between, value)) = after.split_once(pairs.value) else {
            self.phase = Phase::Key(named, pairs);
            return if after.len() <= BETWEEN { Next::Stop(Step::More) } else { self.give_up(self.at + gap) };
        };
        if between.len() > BETWEEN {
            return self.give_up(self.at + gap);
        }
        self.at += gap + rest.len() - value.len();
        self.phase = Phase::Value { named, pairs, key: key.trim().to_owned(), from: self.at };
        Next::Go
    }

    fn value(
        &mut self,
        mut named: Named,
        pairs: &'static Pairs,
        key: String,
        from: usize,
        text: &str,
        offer: &Offer,
    ) -> Next {
        let rest = text.get(self.at..).unwrap_or_default();
        let Some(end) = rest.find(pairs.value_end) else {
            // The tag's beginning may be there, so the search goes on a little before the end.
            let back = (0..pairs.value_end.len().min(rest.len() + 1)).rev().find(|length| {
                rest.get(rest.len() - length..).is_some_and(|tail| pairs.value_end.starts_with(tail))
            });
            self.at += rest.len() - back.unwrap_or(0);
            self.phase = Phase::Value { named, pairs, key, from };
            return Next::Stop(Step::More);
        };
        let value = text.get(from..self.at + end).unwrap_or_default();
        let value = value.strip_prefix('\n').unwrap_or(value);
        let value = value.strip_suffix('\n').unwrap_or(value);
        if !named.arguments.is_empty() {
            named.arguments.push(',');
        }
        named.arguments.push_str(JsonStr::new(&key).as_json());
        named.arguments.push(':');
        named.arguments.push_str(&offer.typed(&named.name, &key, value));
        self.at += end + pairs.value_end.len();
        self.phase = Phase::Key(named, pairs);
        Next::Go
    }

    fn call(&mut self, name: String, arguments: String) -> Next {
        self.phase = Phase::Head;
        self.found = true;
        self.announced = false;
        self.settled = self.at;
        Next::Stop(Step::Call { name, arguments })
    }

    /// What was read up to `end` is no call. What stands before calls that were found is not text either.
    fn give_up(&mut self, end: usize) -> Next {
        self.phase = Phase::Head;
        Next::Stop(match self.found {
            true => Step::Done(self.settled),
            false => Step::Text(end),
        })
    }

    /// The text ends here: how much of it belongs to calls.
    pub(super) fn end(&self) -> usize {
        if self.found { self.settled } else { 0 }
    }
}

enum Next {
    Go,
    Stop(Step),
}

enum Between {
    Pairs,
    Json,
    Nothing,
}

/// Whether `text` can become a name that is offered; the beginning of what ends it may already be there.
fn may_be_name(text: &str, after: &[&str], offer: &Offer) -> bool {
    let begins_end =
        |at: &usize| text.get(*at..).is_some_and(|tail| after.iter().any(|tag| tag.starts_with(tail)));
    let end = text.char_indices().map(|(at, _)| at).find(begins_end);
    offer.may_become(text.get(..end.unwrap_or(text.len())).unwrap_or_default())
}
