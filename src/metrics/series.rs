//! Envoy's metric ids, looked up by position. An exchange records about a dozen values; formatting the name of
//! each series would cost more than recording it.

use super::{Configured, METRICS, Metric};

/// Envoy's id of each series, in the order of [`METRICS`].
#[derive(Debug, Default)]
pub struct Series(Vec<Numbered>);

/// The ids of one metric's series.
#[derive(Debug)]
struct Numbered {
    /// The possible values of each label.
    values: Vec<Vec<String>>,
    /// In the order of [`Metric::combinations`]; `None` where Envoy rejected the series.
    numbers: Vec<Option<u32>>,
}

impl Series {
    /// Defines every series. `define` receives the metric and the encoded name and returns Envoy's id.
    pub fn define(
        configured: Configured<'_>,
        mut define: impl FnMut(&'static Metric, &str) -> Option<u32>,
    ) -> Self {
        let mut numbered = |metric: &&'static Metric| Numbered {
            values: metric
                .labels
                .iter()
                .map(|label| label.all(configured).into_iter().map(str::to_owned).collect())
                .collect(),
            numbers: metric
                .combinations(configured)
                .iter()
                .map(|labels| define(metric, &metric.series(labels)))
                .collect(),
        };
        Self(METRICS.iter().map(&mut numbered).collect())
    }

    /// The id of a series, or `None` if it was not defined.
    pub fn number(&self, metric: &Metric, labels: &[&str]) -> Option<u32> {
        let at = METRICS.iter().position(|known| std::ptr::eq(*known, metric))?;
        let Numbered { values, numbers } = self.0.get(at)?;
        let (mut place, mut step) = (0, 1);
        for ((label, known), value) in metric.labels.iter().zip(values).zip(labels) {
            let value = label.known(value);
            place += step * known.iter().position(|known| *known == value)?;
            step *= known.len();
        }
        *numbers.get(place)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{EXCHANGES, OTHER, PASSED, REFUSALS, TOKENS};
    use std::collections::BTreeMap;

    #[test]
    fn each_series_is_found_by_its_labels() {
        let configured = Configured { presets: &["vllm", "tgi"], models: &["m"], teams: &["red"] };
        let mut names = BTreeMap::new();
        let series = Series::define(configured, |_, name| {
            let number = u32::try_from(names.len()).unwrap();
            names.insert(name.to_owned(), number);
            Some(number)
        });
        for metric in METRICS {
            for labels in metric.combinations(configured) {
                let name = metric.series(&labels);
                assert_eq!(series.number(metric, &labels), Some(names[&name]), "{name}");
            }
        }
        assert_eq!(series.number(&REFUSALS, &["new"]), series.number(&REFUSALS, &[OTHER]));
    }

    #[test]
    fn a_preset_that_is_not_configured_has_no_series() {
        let configured = Configured { presets: &["vllm"], ..Configured::default() };
        let series = Series::define(configured, |metric, _| (metric.name != PASSED.name).then_some(1));
        assert_eq!(series.number(&EXCHANGES, &["cut", "tgi"]), None);
        assert_eq!(series.number(&TOKENS, &["input", "vllm"]), Some(1));
        assert_eq!(series.number(&PASSED, &[]), None);
    }
}
