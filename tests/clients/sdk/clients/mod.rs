//! The clients: how each is called, and how each reports the same results.

mod frameworks;
mod sdks;

use crate::sdk::driver::Program;
use crate::sdk::scenarios::Scenario;
use serde_json::{Value, json};

pub use frameworks::*;
pub use sdks::*;

pub struct Client {
    /// As users call it.
    pub name: &'static str,
    /// Its name in the lock file.
    pub package: &'static str,
    pub program: Program,
    /// The ways to ask, and whether the client then asks for a stream.
    pub modes: &'static [(&'static str, bool)],
    /// Its status for a reply that is complete, cut by the token limit, or cut by a filter. `""`: it reports none.
    finish: [&'static str; 3],
    /// Its errors for the statuses 400, 401, 404, 429 and 500, and the prefix of their messages.
    errors: [&'static str; 5],
    prefix: fn(u64) -> String,
    /// Scenarios that need what this client does not have.
    pub lacks: &'static [&'static str],
    /// Scenarios in which it asks for no stream in any mode.
    pub never_streams: &'static [&'static str],
    /// Its different results in some scenarios.
    differs: fn(&str) -> Option<Value>,
    /// How to set it up, for users.
    pub needs: &'static str,
    /// What it does wrong by itself, for users.
    pub flaws: &'static str,
}

impl Client {
    /// The result that the client must report in a scenario.
    pub fn expected(&self, scenario: &Scenario) -> Value {
        let mut expected = (self.differs)(scenario.name).unwrap_or_else(|| (scenario.outcome)());
        if let Some(status) =
            expected["error"]["status"].as_u64().filter(|_| expected["error"]["class"].is_null())
        {
            let class = [400, 401, 404, 429, 500].iter().position(|known| *known == status).unwrap();
            let message =
                format!("{}{}", (self.prefix)(status), expected["error"]["message"].as_str().unwrap());
            expected["error"]["class"] = json!(self.errors[class]);
            expected["error"]["message"] = json!(message);
        }
        if let Some(finish) = expected["finish"].as_str() {
            let word = ["completed", "length", "filter"].iter().position(|known| *known == finish).unwrap();
            match self.finish[word] {
                "" => drop(expected.as_object_mut().unwrap().remove("finish")),
                word => expected["finish"] = json!(word),
            }
        }
        expected
    }
}

/// A result that is an error of the client's own.
fn own_error(class: &str, message: &str) -> Option<Value> {
    Some(json!({"error": {"class": class, "message": message}}))
}
