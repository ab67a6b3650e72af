//! The metrics and the access log fields of the filter, as tables, and [`Telemetry`], the trait through which
//! an exchange reports them. [`crate::exchange`] decides when to count.
//!
//! Envoy's metrics have no labels. The filter encodes labels in the metric name, as Istio does, and one rule
//! for each label in Envoy's `stats_config.stats_tags` extracts them again:
//!
//! ```text
//! wasmcustom.outcome=.=completed;.;preset=.=vllm;.;transponder_exchanges_total
//! transponder_exchanges_total{outcome="completed",preset="vllm"}
//! ```
//!
//! All label values are known when the filter is configured. So clients cannot create new series, and every
//! series exists from the start: the first lost tool call is a step from 0 to 1, which an alert can detect.

mod access_log;
mod series;
mod table;

use crate::error::{Code, Stage};
pub use access_log::{ACCESS_LOG, Field};
pub use series::Series;
use std::fmt;
pub use table::*;

/// Receives metric values and access log fields. The adapter implements it.
pub trait Telemetry: fmt::Debug {
    /// Adds `value` to a counter or gauge, or records it in a histogram. Label values are in the order of
    /// [`Metric::labels`].
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64);

    /// Sets a field of the access log. `field` is a [`Field::name`].
    fn note(&self, field: &'static str, value: &str);
}

/// A number in the type of [`Telemetry::record`].
pub(crate) fn saturated(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// One metric: its name, kind and labels.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Its labels, in the order in which values are passed to [`Telemetry::record`].
    pub labels: &'static [Label],
    /// The help text, published in `docs/operations.md`.
    pub meaning: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only increases.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// Counts values in buckets.
    Histogram,
}

/// A label and its possible values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The name that Prometheus shows.
    pub name: &'static str,
    /// Its possible values.
    pub values: Values,
}

/// The possible values of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Exactly these. Any other value is counted as [`OTHER`].
    Of(&'static [&'static str]),
    /// These, and [`OTHER`].
    OrOther(&'static [&'static str]),
    /// The presets used in the plugin configuration.
    Presets,
    /// The `match` of each rule with a `price`.
    Models,
    /// The configured `teams`, and [`OTHER`].
    Teams,
    /// The error codes of requests that are not sent upstream (`docs/errors.md`), and [`OTHER`].
    Refusals,
}

/// The values of labels that depend on the plugin configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Configured<'a> {
    /// Values of [`Values::Presets`].
    pub presets: &'a [&'a str],
    /// Values of [`Values::Models`].
    pub models: &'a [&'a str],
    /// Values of [`Values::Teams`], without [`OTHER`].
    pub teams: &'a [&'a str],
}

/// The label value for anything that is not listed.
pub const OTHER: &str = "other";

impl Metric {
    /// The metric name with its labels encoded. An unknown label value becomes [`OTHER`].
    pub fn series(&self, values: &[&str]) -> String {
        let labels = self.labels.iter().zip(values);
        let carried = labels.map(|(label, value)| format!("{}=.={};.;", label.name, label.known(value)));
        carried.collect::<String>() + self.name
    }

    /// All combinations of label values. The value of the first label changes fastest.
    pub fn combinations<'a>(&self, configured: Configured<'a>) -> Vec<Vec<&'a str>> {
        self.labels.iter().fold(vec![Vec::new()], |begun, label| {
            let all = label.all(configured);
            let with = |value: &&'a str| begun.iter().map(|row| [row.as_slice(), &[*value]].concat());
            all.iter().flat_map(with).collect()
        })
    }
}

impl Label {
    /// The regular expression with which Envoy extracts the label from a metric name.
    pub fn tag_regex(&self) -> String {
        format!(r"({}=\.=(.*?);\.;)", self.name)
    }

    fn known<'a>(&self, value: &'a str) -> &'a str {
        match self.values {
            Values::Presets | Values::Models | Values::Teams => value,
            Values::Of(values) | Values::OrOther(values) if values.contains(&value) => value,
            Values::Refusals if refusals().any(|code| code == value) => value,
            Values::Of(_) | Values::OrOther(_) | Values::Refusals => OTHER,
        }
    }

    fn all<'a>(&self, configured: Configured<'a>) -> Vec<&'a str> {
        match self.values {
            Values::Of(values) => values.to_vec(),
            Values::OrOther(values) => values.iter().copied().chain([OTHER]).collect(),
            Values::Presets => configured.presets.to_vec(),
            Values::Models => configured.models.to_vec(),
            Values::Teams => configured.teams.iter().copied().chain([OTHER]).collect(),
            Values::Refusals => refusals().chain([OTHER]).collect(),
        }
    }
}

fn refusals() -> impl Iterator<Item = &'static str> {
    let before_upstream = |code: &&Code| matches!(code.stage(), Stage::Headers | Stage::Request);
    Code::ALL.iter().filter(before_upstream).map(|code| code.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_encoded_in_the_name_as_istio_does() {
        assert_eq!(
            EXCHANGES.series(&["cut", "vllm"]),
            "outcome=.=cut;.;preset=.=vllm;.;transponder_exchanges_total"
        );
        assert_eq!(PASSED.series(&[]), "transponder_passed_total");
        assert_eq!(REFUSALS.labels[0].tag_regex(), r"(code=\.=(.*?);\.;)");
    }

    #[test]
    fn an_unknown_label_value_is_counted_as_other() {
        assert_eq!(REFUSALS.series(&["invalid_json"]), "code=.=invalid_json;.;transponder_refusals_total");
        assert_eq!(REFUSALS.series(&["a;.;b"]), "code=.=other;.;transponder_refusals_total");
    }

    #[test]
    fn combinations_list_every_series() {
        assert_eq!(PASSED.combinations(Configured::default()), [Vec::<&str>::new()]);
        let tokens = TOKENS.combinations(Configured { presets: &["vllm", "tgi"], ..Configured::default() });
        assert_eq!(tokens.len(), 4 * 2);
        assert!(tokens.contains(&vec!["cached", "tgi"]));
        let models = ["a*", "b"];
        let configured = Configured { models: &models, teams: &["red"], ..Configured::default() };
        let expected = [["a*", "red"], ["b", "red"], ["a*", OTHER], ["b", OTHER]];
        assert_eq!(COST.combinations(configured), expected);
        assert!(COST.combinations(Configured::default()).is_empty());
    }
}
