//! The clients: how each is called, and how each reports the same results.

mod frameworks;
mod sdks;

use crate::sdk::driver::Program;
use crate::sdk::scenarios::Scenario;
use serde_json::{Value, json};

pub use frameworks::*;
pub use sdks::*;

pub struct Client {
    /// The name that users know.
    pub name: &'static str,
    /// Its name in the lock file.
    pub package: &'static str,
    pub program: Program,
    /// The modes, and whether the client requests a stream in them.
    pub modes: &'static [(&'static str, bool)],
    /// The status that it reports for a reply that is complete, cut by the token limit, or cut by a filter. `""`: none.
    finish: [&'static str; 3],
    /// Its errors for the statuses 400, 401, 404, 429 and 500, and the prefix of their messages.
    errors: [&'static str; 5],
    prefix: fn(u64) -> String,
    /// Scenarios that need a feature which the client lacks.
    pub lacks: &'static [&'static str],
    /// Scenarios in which it never requests a stream.
    pub never_streams: &'static [&'static str],
    /// Results that differ from those of other clients, by scenario.
    differs: fn(&str) -> Option<Value>,
    /// The settings, for the documentation.
    pub needs: &'static str,
    /// The client's own faults, for the documentation.
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

/// An error that the client raises itself.
fn own_error(class: &str, message: &str) -> Option<Value> {
    Some(json!({"error": {"class": class, "message": message}}))
}
