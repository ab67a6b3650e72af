//! Pages that the model opens, where the engine's API reads them.

use super::fields::{Fields, words};
use super::notes::{BETWEEN, Notes, beginning, cut, quoted};
use super::results::{Found, Outcome};
use crate::json;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How an engine is asked for the text of pages: with a JSON object.
#[derive(Debug)]
pub(super) struct Pages {
    /// What the path has in place of the search's last segment.
    pub(super) segment: &'static str,
    /// The field with the addresses.
    pub(super) addresses: &'static str,
    /// Where the list of pages is.
    pub(super) pages: &'static str,
    /// A page's field with its text.
    pub(super) text: &'static str,
}

/// A page, and what the model wants of it.
#[derive(Debug)]
pub(super) struct Page {
    address: String,
    part: Part,
}

#[derive(Debug)]
enum Part {
    /// From this line on; the first is 1.
    From(usize),
    /// The lines with these words.
    With(String),
}

/// The length at which a line of a page is broken, in bytes: some pages have all their text in one, and a part of it must fit.
const MAX_LINE_BYTES: usize = 500;

/// How much of an answer is left for the sentence after a page that goes on.
const SENTENCE: usize = 100;

impl Page {
    /// The pages of a command, `open` or `find`.
    pub(super) fn list(command: &str, wanted: &Value, notes: &mut Notes) -> Vec<Self> {
        let mut pages = Vec::new();
        for fields in Fields::all(command, wanted, notes) {
            match fields.get("ref_id", "the address of a page", words, notes) {
                Some(address) if is_address(address) => {
                    fields.name_others(&["ref_id", "lineno", "pattern"], notes);
                    let line = fields.get("lineno", "the number of a line", line, notes);
                    let pattern = fields.get("pattern", "words", words, notes);
                    let part =
                        pattern.map_or(Part::From(line.unwrap_or(1)), |words| Part::With(words.to_owned()));
                    pages.push(Self { address: address.to_owned(), part });
                }
                Some(other) => notes.add(format!(
                    "`{command}` did not find {}. Give the address of the page as `ref_id`.",
                    quoted(other)
                )),
                None => notes.add(format!("A `{command}` without `ref_id` was left out.")),
            }
        }
        pages
    }

    /// What the model wants of the text. `limit`: bytes.
    fn shown(&self, text: &str, limit: usize) -> String {
        let lines: Vec<&str> = text.lines().flat_map(broken).collect();
        let numbered = lines.iter().enumerate().map(|(index, line)| (index + 1, *line));
        let chosen: Vec<(usize, &str)> = match &self.part {
            Part::From(first) => numbered.filter(|(number, _)| number >= first).collect(),
            Part::With(words) => numbered.filter(|(_, line)| has(line, words)).collect(),
        };
        let mut shown = self.address.clone();
        if chosen.is_empty() {
            shown.push_str(&self.part.none(lines.len()));
        }
        let room = limit.saturating_sub(SENTENCE);
        for (index, (number, line)) in chosen.iter().enumerate() {
            let line = format!("\nL{number}: {line}");
            if index == 0 {
                shown.push_str(&cut(&line, room.saturating_sub(shown.len())));
            } else if shown.len() + line.len() <= room {
                shown.push_str(&line);
            } else {
                shown.push_str(&format!(
                    "\nThe page has {} lines. For more, open it with `lineno` {number}.",
                    lines.len()
                ));
                break;
            }
        }
        cut(&shown, limit)
    }
}

impl Part {
    fn none(&self, lines: usize) -> String {
        match self {
            Self::From(_) => format!("\nThe page has {lines} lines, and none there."),
            Self::With(words) => format!("\nNone of the page's {lines} lines has {}.", quoted(words)),
        }
    }
}

impl Pages {
    /// The path for pages, beside the one for searches.
    pub(super) fn beside(&self, search: &str) -> String {
        let (path, query) =
            search.split_once('?').map_or((search, None), |(path, query)| (path, Some(query)));
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{directory}/{}{query}", self.segment)
    }

    pub(super) fn body(&self, wanted: &[Page]) -> Vec<u8> {
        // Not collected: sorting strings would add 10 kB to the module.
        let mut addresses = BTreeSet::new();
        addresses.extend(wanted.iter().map(|page| page.address.as_str()));
        json!({ self.addresses: addresses }).to_string().into_bytes()
    }

    /// Reads the engine's document. `limit`: bytes of text.
    pub(super) fn read(&self, wanted: &[Page], document: &[u8], limit: usize) -> Outcome {
        let Ok(document @ Value::Object(_)) = json::from_bytes::<Value>(document) else {
            return Outcome::Unreadable;
        };
        let texts = document.pointer(self.pages).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text = |page: &Page| {
            let found = texts
                .iter()
                .find(|found| found["url"].as_str().is_some_and(|url| is_same(url, &page.address)));
            found?.get(self.text)?.as_str()
        };
        let limit = (limit / wanted.len().max(1)).saturating_sub(BETWEEN.len());
        let (mut parts, mut found) = (Vec::new(), Vec::new());
        for page in wanted {
            match text(page) {
                Some(text) => {
                    parts.push(page.shown(text, limit));
                    found.push(Found::page(&page.address));
                }
                None => parts.push(cut(&format!("{}\nThe page could not be read.", page.address), limit)),
            }
        }
        Outcome::Found(parts, found)
    }
}

/// An engine may complete an address with the path `/`.
fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn has(line: &str, words: &str) -> bool {
    line.to_lowercase().contains(&words.to_lowercase())
}

/// A line in pieces that end at spaces where there are any. An empty one has none.
fn broken(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let most = beginning(rest, MAX_LINE_BYTES);
        let end = if most.len() == rest.len() { None } else { most.rfind(' ').map(|space| space + 1) };
        let (piece, after) = rest.split_at_checked(end.unwrap_or(most.len())).unwrap_or((rest, ""));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

fn line(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| number.try_into().ok())
}
