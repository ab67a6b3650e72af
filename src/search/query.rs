//! A search query, from the model's form to the engine's.

use super::engine::Engine;
use super::fields::{Fields, words};
use super::notes::{Notes, quoted};
use serde_json::{Map, Value};

/// A search query.
#[derive(Debug)]
pub(super) struct Query {
    q: String,
    /// The greatest age of results, in days.
    recency: Option<f64>,
    domains: Vec<String>,
}

impl Query {
    /// The first query of a command. The model is told to ask for the others again.
    pub(super) fn first(wanted: &Value, notes: &mut Notes) -> Option<Self> {
        let all = Fields::all("search_query", wanted, notes);
        let mut asked = Vec::new();
        for fields in all {
            match fields.get("q", "words", words, notes) {
                Some(q) => asked.push((q, fields)),
                None => notes.add("A `search_query` without `q` was left out."),
            }
        }
        let mut asked = asked.into_iter();
        let (q, fields) = asked.next()?;
        let others: Vec<String> = asked.map(|(q, _)| quoted(q)).collect();
        if !others.is_empty() {
            notes.add(format!(
                "Only the first query was searched for. Search again, with one call for each of: {}.",
                others.join(", ")
            ));
        }
        fields.name_others(&["q", "recency", "domains"], notes);
        Some(Self {
            q: q.to_owned(),
            recency: fields.get("recency", "a number of days", Value::as_f64, notes),
            domains: fields.get("domains", "a list of domains", domains, notes).unwrap_or_default(),
        })
    }

    /// The fields of the engine's request.
    pub(super) fn fields(self, engine: &Engine) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.extend(engine.fixed.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        let mut query = self.q;
        match engine.domains {
            _ if self.domains.is_empty() => {}
            Some(field) => drop(fields.insert(field.to_owned(), self.domains.into())),
            None => query = format!("{query} {}", sites(&self.domains)),
        }
        if let Some(days) = self.recency {
            let (field, [day, week, month, year]) = engine.recency;
            let word = match days {
                ..=1.0 => day,
                ..=7.0 => week,
                ..=31.0 => month,
                _ => year,
            };
            fields.insert(field.to_owned(), word.into());
        }
        fields.insert(engine.query.to_owned(), query.into());
        fields
    }
}

fn domains(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|domain| words(domain).map(str::to_owned)).collect()
}

/// Domains in the syntax that nearly all engines know.
fn sites(domains: &[String]) -> String {
    let sites: Vec<String> = domains.iter().map(|domain| format!("site:{domain}")).collect();
    sites.join(" OR ")
}
