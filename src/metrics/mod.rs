//! What an operator can see of the filter: the table of the metrics, and the trait by which numbers and
//! the access log's fields leave an exchange. What is counted when stands in [`crate::exchange`].
//!
//! Envoy's metrics have no labels. Ours carry them in the name as Istio's do, and a rule of Envoy's
//! `stats_config.stats_tags` for each label takes them out again:
//!
//! ```text
//! wasmcustom.outcome=.=completed;.;preset=.=vllm;.;transponder_exchanges_total
//! transponder_exchanges_total{outcome="completed",preset="vllm"}
//! ```
//!
//! Every value of a label is known when the filter is configured. So no client can make more of them,
//! and every series is there from the start: the first lost tool call is a step from 0 to 1, which an
//! alert can see.

mod access_log;
mod series;
mod table;

use crate::error::{Code, Phase};
pub use access_log::{ACCESS_LOG, Field};
pub use series::Series;
use std::fmt;
pub use table::*;

/// Where numbers and the access log's fields go.
pub trait Telemetry: fmt::Debug {
    /// Adds to a counter or a gauge, or puts a value into a histogram. The labels' values stand in the
    /// order of [`Metric::labels`].
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64);

    /// Leaves a field for the access log.
    fn note(&self, field: &'static str, value: &str);
}

/// Something that is measured.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// How its values add up.
    pub kind: Kind,
    /// What it is told apart by.
    pub labels: &'static [Label],
    /// What it means, for `docs/operations.md`.
    pub meaning: &'static str,
}

/// How the values of a metric add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// It is spread over buckets.
    Histogram,
}

/// A label: its name, and all values that it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// The values of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// These; what is none of them becomes [`OTHER`].
    Of(&'static [&'static str]),
    /// The presets that the plugin configuration names.
    Presets,
    /// The codes of the errors by which nothing goes up (`docs/errors.md`), and [`OTHER`].
    Refusals,
}

/// The value of a label for what has no name here.
pub const OTHER: &str = "other";

impl Metric {
    /// The name that carries the labels. A value that its label does not have becomes [`OTHER`].
    pub fn series(&self, values: &[&str]) -> String {
        let labels = self.labels.iter().zip(values);
        let carried = labels.map(|(label, value)| format!("{}=.={};.;", label.name, label.known(value)));
        carried.collect::<String>() + self.name
    }

    /// All combinations of its labels' values; those of the first label change fastest.
    pub fn combinations<'a>(&self, presets: &[&'a str]) -> Vec<Vec<&'a str>> {
        self.labels.iter().fold(vec![Vec::new()], |begun, label| {
            let all = label.all(presets);
            let with = |value: &&'a str| begun.iter().map(|row| [row.as_slice(), &[*value]].concat());
            all.iter().flat_map(with).collect()
        })
    }
}

impl Label {
    /// The rule by which Envoy takes the label out of a name.
    pub fn tag_regex(&self) -> String {
        format!(r"({}=\.=(.*?);\.;)", self.name)
    }

    fn known<'a>(&self, value: &'a str) -> &'a str {
        match self.values {
            Values::Presets => value,
            Values::Of(values) if values.contains(&value) => value,
            Values::Refusals if refusals().any(|code| code == value) => value,
            Values::Of(_) | Values::Refusals => OTHER,
        }
    }

    fn all<'a>(&self, presets: &[&'a str]) -> Vec<&'a str> {
        match self.values {
            Values::Of(values) => values.to_vec(),
            Values::Presets => presets.to_vec(),
            Values::Refusals => refusals().chain([OTHER]).collect(),
        }
    }
}

fn refusals() -> impl Iterator<Item = &'static str> {
    let nothing_went_up = |code: &&Code| matches!(code.phase(), Phase::Headers | Phase::Request);
    Code::ALL.iter().filter(nothing_went_up).map(|code| code.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_name_as_istio_writes_them() {
        assert_eq!(
            EXCHANGES.series(&["cut", "vllm"]),
            "outcome=.=cut;.;preset=.=vllm;.;transponder_exchanges_total"
        );
        assert_eq!(PASSED.series(&[]), "transponder_passed_total");
        assert_eq!(REFUSALS.labels[0].tag_regex(), r"(code=\.=(.*?);\.;)");
    }

    #[test]
    fn nobody_can_make_new_values_of_a_label() {
        assert_eq!(REFUSALS.series(&["invalid_json"]), "code=.=invalid_json;.;transponder_refusals_total");
        assert_eq!(REFUSALS.series(&["a;.;b"]), "code=.=other;.;transponder_refusals_total");
    }

    #[test]
    fn every_series_can_be_listed() {
        assert_eq!(PASSED.combinations(&["vllm"]), [Vec::<&str>::new()]);
        let tokens = TOKENS.combinations(&["vllm", "tgi"]);
        assert_eq!(tokens.len(), 4 * 2);
        assert!(tokens.contains(&vec!["cached", "tgi"]));
    }
}
